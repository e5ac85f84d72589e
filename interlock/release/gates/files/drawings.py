"""SVG that would act or reach out when somebody looks at it.

Read as a browser reads it, as XML, by elements and attributes that a drawing needs; whatever else there is is refused.
Names: SVG 1.1, appendices L and M; the metadata are those that Matplotlib writes (Dublin Core, Creative Commons).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from interlock.release.gates.files import styles
from interlock.release.gates.files.addresses import is_inside, is_picture

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK_ADDRESS: Final = "http://www.w3.org/1999/xlink href"
_XML_SPACE: Final = "http://www.w3.org/XML/1998/namespace space"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TELLING: Final = (_RDF, "http://purl.org/dc/elements/1.1/", "http://creativecommons.org/ns#")
_TELLING_ATTRIBUTES: Final = frozenset(f"{_RDF} {name}" for name in ("about", "resource"))

_ELEMENTS: Final = frozenset(
    [
        "svg",
        "g",
        "defs",
        "symbol",
        "use",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "title",
        "desc",
        "metadata",
        "style",
        "clipPath",
        "mask",
        "pattern",
        "marker",
        "linearGradient",
        "radialGradient",
        "stop",
        "image",
    ]
)
_ATTRIBUTES: Final = frozenset(
    [
        "id",
        "class",
        "version",
        "viewBox",
        "width",
        "height",
        "x",
        "y",
        "dx",
        "dy",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "fx",
        "fy",
        "d",
        "points",
        "transform",
        "offset",
        "rotate",
        "gradientUnits",
        "gradientTransform",
        "spreadMethod",
        "patternUnits",
        "patternContentUnits",
        "patternTransform",
        "maskUnits",
        "maskContentUnits",
        "clipPathUnits",
        "markerUnits",
        "markerWidth",
        "markerHeight",
        "refX",
        "refY",
        "orient",
        "preserveAspectRatio",
        "textLength",
        "lengthAdjust",
        "type",
        "baseProfile",
        "overflow",
        "visibility",
        "display",
        "opacity",
        "color",
        "fill",
        "fill-opacity",
        "fill-rule",
        "stroke",
        "stroke-width",
        "stroke-opacity",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-miterlimit",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stop-color",
        "stop-opacity",
        "clip-path",
        "clip-rule",
        "mask",
        "marker",
        "marker-start",
        "marker-mid",
        "marker-end",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "font-variant",
        "font-stretch",
        "text-anchor",
        "text-decoration",
        "dominant-baseline",
        "alignment-baseline",
        "baseline-shift",
        "letter-spacing",
        "word-spacing",
        "shape-rendering",
        "text-rendering",
        "image-rendering",
        "color-interpolation",
        "vector-effect",
        "paint-order",
        "style",
    ]
)


_DOCUMENT_TYPES: Final = frozenset(
    [
        ("-//W3C//DTD SVG 1.0//EN", "http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd"),
        ("-//W3C//DTD SVG 1.1//EN", "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"),
        ("-//W3C//DTD SVG 1.1 Basic//EN", "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11-basic.dtd"),
        ("-//W3C//DTD SVG 1.1 Tiny//EN", "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11-tiny.dtd"),
        (None, None),
    ]
)
"""Public and system identifiers: another document type could declare entities, and attributes that stand nowhere."""

_UNREAD: Final = r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"
"""Comments and CDATA, in which an ampersand is nothing but that."""
_KNOWN: Final = r"&(?:(?:amp|lt|gt|quot|apos)|#[0-9]+|#x[0-9A-Fa-f]+);"
"""What XML itself defines (4.1 and 4.6)."""
_REFERENCES: Final = re.compile(f"{_UNREAD}|{_KNOWN}|(?P<entity>&)", re.DOTALL)


class _Drawing:
    """What the parser met. Handlers only note; expat is not recursive, so depth costs nothing."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._open: list[str] = []
        self._style: list[str] = []

    def read(self, content: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._document_type
        parser.EntityDeclHandler = lambda *_: self.problems.append("declares entities")
        parser.AttlistDeclHandler = lambda *_: self.problems.append("declares attributes")
        parser.ProcessingInstructionHandler = lambda *_: self.problems.append("holds a processing instruction")
        parser.CommentHandler = self._comment
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            self.problems.append(f"is no XML ({error})")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "us-ascii"):
            self.problems.append("is declared to be in another encoding than UTF-8")

    def _document_type(self, name: str, system: str | None, public: str | None, has_subset: int) -> None:
        if name != "svg" or (public, system) not in _DOCUMENT_TYPES:
            self.problems.append("is of a document type that is not one of W3C's for SVG")
        if has_subset:
            self.problems.append("declares entities or other parts of its own")

    def _comment(self, text: str) -> None:
        if "<" in text:
            # Whoever puts the drawing into a page has it read as HTML, in which comments end elsewhere.
            self.problems.append("holds markup in a comment")

    def _started(self, element: str, attributes: dict[str, str]) -> None:
        self._open.append(element)
        space, _, name = element.rpartition(" ")
        if space in _TELLING:
            allowed = _TELLING_ATTRIBUTES
        else:
            allowed = _ATTRIBUTES
            if space != _SVG or name not in _ELEMENTS:
                self.problems.append(f"holds a <{name[:40]}>, which is not on the list for drawings")
        for attribute, value in attributes.items():
            self._attribute(name, attribute, value, allowed)

    def _attribute(self, element: str, attribute: str, value: str, allowed: frozenset[str]) -> None:
        name = attribute.rpartition(" ")[2]
        if attribute in ("href", _XLINK_ADDRESS):
            if not is_inside(value) and not (element == "image" and is_picture(value)):
                self.problems.append(f"refers to something outside of it by {name}")
        elif attribute in _TELLING_ATTRIBUTES:
            return
        elif attribute not in allowed and attribute != _XML_SPACE:
            self.problems.append(f"holds an attribute {name[:40]}, which is not on the list for drawings")
        else:
            self.problems.extend(styles.problems_of(value))

    def _ended(self, element: str) -> None:
        self._open.pop()
        if element == f"{_SVG} style":
            self.problems.extend(styles.problems_of("".join(self._style)))
            self._style.clear()

    def _text(self, text: str) -> None:
        if self._open and self._open[-1] == f"{_SVG} style":
            self._style.append(text)


def problems_of(content: bytes) -> Iterator[str]:
    """Yield each thing in a drawing that acts, reaches out or is not understood, once."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        # A browser may take it for an encoding where other bytes are a script; with zeros, expat itself reads UTF-16.
        yield "is not UTF-8"
        return
    drawing = _Drawing()
    drawing.read(content)
    if any(found["entity"] for found in _REFERENCES.finditer(text)):
        # Of a document type that is not read, expat leaves one out of an attribute without a word.
        drawing.problems.append("refers to an entity")
    yield from dict.fromkeys(drawing.problems)
