"""A page or a drawing is let through only if looking at it runs nothing and tells nobody."""

from __future__ import annotations

import io

import matplotlib
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.release.gates.files import drawings, web_pages

matplotlib.use("Agg")

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SVG_11 = b"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"
OF_W3C = b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' '" + SVG_11 + b"'>"
OUTSIDE = "refers to something outside"


def in_drawing(inner: str, attributes: str = "") -> bytes:
    return f"<svg {NAMESPACES} {attributes}>{inner}</svg>".encode()


def plotted() -> bytes:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2)
    axes[0].plot([1, 2], [3, 4], "o--", label="a & b > c")
    axes[0].legend(title="x < y")
    axes[1].imshow([[1, 2], [3, 4]])
    axes[1].bar([0, 1], [1, 2], hatch="/")
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    pyplot.close(figure)
    return stream.getvalue()


@pytest.mark.parametrize("text", ["path", "none"])
def test_what_matplotlib_draws_is_let_through(text: str) -> None:
    with matplotlib.rc_context({"svg.fonttype": text}):
        assert list(drawings.problems_of(plotted())) == []


def test_tables_that_pandas_writes_are_let_through() -> None:
    table = pd.DataFrame({"a & b": [1.0, 2.0], "<script>": ["x", "y = 1"]})
    assert list(web_pages.problems_of(table.to_html().encode())) == []
    styled = (
        table.style.format_index(escape="html", axis=1)
        .background_gradient(subset=["a & b"])
        .set_caption("once = 1")
        .to_html(doctype_html=True)
    )
    assert list(web_pages.problems_of(styled.encode())) == []


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE svg>" + in_drawing(""),
        OF_W3C + in_drawing("&amp;"),
        in_drawing('<g id="curl"><use href="#curl"/><rect fill="url(#curl)" style="fill: url(#curl)"/></g>'),
        in_drawing('<image xlink:href="data:image/png;base64,AA=="/><text xml:space="preserve">&lt;script&gt;</text>'),
        in_drawing("<style>*{stroke: #000}</style><!-- a > b -->"),
        in_drawing("<!-- &a; & --><text x='&#38;&#x26;'>&apos;<![CDATA[<!-- &a; & ]]>&quot;&gt;</text>"),
    ],
)
def test_a_drawing_of_shapes_and_text_is_let_through(content: bytes) -> None:
    assert list(drawings.problems_of(content)) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (in_drawing("<script>alert(1)</script>"), "holds a <script>"),
        (in_drawing("<style><script>alert(1)</script></style>"), "holds a <script>"),
        (in_drawing("<title><script>alert(1)</script></title>"), "holds a <script>"),
        (in_drawing("<xmp/><textarea/>"), "holds a <textarea>"),
        (in_drawing('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>'), "holds a <script>"),
        (in_drawing("<foreignObject/>"), "holds a <foreignObject>"),
        (in_drawing("<animate/><set/>"), "holds a <set>"),
        (in_drawing("<a xlink:href='#a'/>"), "holds a <a>"),
        (in_drawing("", "onload='alert(1)'"), "holds an attribute onload"),
        (in_drawing('<g xml:base="http://tracker/"/>'), "holds an attribute base"),
        (in_drawing("<use xlink:href='java&#115;cript:alert(1)'/>"), OUTSIDE),
        (in_drawing("<image href='https://tracker/'/>"), OUTSIDE),
        (in_drawing("<image href='data:image/svg+xml;base64,AA=='/>"), OUTSIDE),
        (in_drawing("<use href='data:image/png;base64,AA=='/>"), OUTSIDE),
        (in_drawing('<rect fill="url(https://tracker/#a)"/>'), OUTSIDE),
        (in_drawing('<rect fill="u&#114;l(https://tracker/#a)"/>'), OUTSIDE),
        (in_drawing("<style>rect{fill: u\\\\72l(x)}</style>"), "hides what it says"),
        (in_drawing("<style>@im/**/port 'x'</style>"), "hides what it says"),
        (in_drawing("<style>@import 'x'</style>"), "imports or acts"),
        (in_drawing("<style>a{b:<![CDATA[url(x)]]>}</style>"), OUTSIDE),
        (in_drawing("<!--><script>alert(1)</script>-->"), "markup in a comment"),
        (in_drawing("<!-- <script>alert(1)</script> -->"), "markup in a comment"),
        (b"<?xml-stylesheet href='x'?>" + in_drawing(""), "a processing instruction"),
        (b"<?xml version='1.0' encoding='iso-2022-jp'?>" + in_drawing(""), "another encoding"),
        (b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + in_drawing("&a;"), "declares entities"),
        (b"<!DOCTYPE svg [<!ATTLIST svg onload CDATA 'alert(1)'>]>" + in_drawing(""), "declares attributes"),
        (b"<!DOCTYPE svg SYSTEM 'https://a.example/x.dtd'>" + in_drawing(""), "is of a document type"),
        (b"<!DOCTYPE svg SYSTEM 'x.dtd'>" + in_drawing("&a;"), "refers to an entity"),
        (b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'file:///etc/passwd'>" + in_drawing(""), "is of a document"),
        (b"<!DOCTYPE svg PUBLIC '-//A//DTD X//EN' '" + SVG_11 + b"'>" + in_drawing(""), "is of a document type"),
        (OF_W3C + in_drawing("&a;"), "refers to an entity"),
        (OF_W3C + in_drawing("<text x='&a;'/>"), "refers to an entity"),
        (OF_W3C + in_drawing("<!-- a --><text x='&a;'/><!-- b -->"), "refers to an entity"),
        (OF_W3C + in_drawing("<style><![CDATA[<!--]]></style><text x='&a;'/>"), "refers to an entity"),
        (OF_W3C + in_drawing("<text x=' --> ]]> &amp; &#38; &nbsp;'/>"), "refers to an entity"),
        (b"<!DOCTYPE html>" + in_drawing(""), "is of a document type"),
        (b"<svg/>", "holds a <svg>"),
        (b"<svg", "is no XML"),
        (in_drawing("").decode().encode("utf-16"), "is not UTF-8"),
        (in_drawing("").decode().encode("utf-16-le"), "is not UTF-8"),
    ],
)
def test_a_drawing_that_acts_or_reaches_out_is_refused(content: bytes, what: str) -> None:
    problems = list(drawings.problems_of(content))
    assert any(what in one for one in problems), problems


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<SCRIPT>alert(1)</SCRIPT>", "holds a <script>"),
        (b"<html><!--><script>alert(1)</script>--></html>", "which a browser may act on"),
        (b"<html><!---><script>alert(1)</script>--></html>", "which a browser may act on"),
        (b"<html><!-- --!><script>alert(1)</script>--></html>", "which a browser may act on"),
        (b"<!--><p>-->", "which a browser may act on"),
        (b"<title></title><img src=x onerror=alert(1)>", "which a browser may act on"),
        (b"<p/onclick=alert(1)>", "markup that is not plain"),
        (b"</x><p a='<img>'>", "markup that is not plain"),
        (b"<p title='a>b'>", "markup that is not plain"),
        (b"<!DOCTYPE html SYSTEM 'about:legacy-compat'>", "markup that is not plain"),
        (b"a < b", "markup that is not plain"),
        (b"<svg></svg>", "holds a <svg>"),
        (b"<form action=x>", "holds a <form>"),
        (b"<link rel=stylesheet>", "holds a <link>"),
        (b"<base href='#a'>", "holds a <base>"),
        (b"<noscript><p title='</noscript><script>'></noscript>", "which a browser may act on"),
        (b"<meta http-equiv=refresh>", "holds an attribute http-equiv"),
        (b"<meta charset=iso-2022-jp>", "another encoding"),
        (b"<body background='http://tracker'>", "holds an attribute background"),
        (b"<a href='#a' ping='http://tracker'>x</a>", "holds an attribute ping"),
        (b"<a href='java&#115;cript:alert(1)'>x</a>", OUTSIDE),
        (b"<a href='https://tracker'>x</a>", OUTSIDE),
        (b"<img src='https://tracker'>", OUTSIDE),
        (b"<img src='data:image/svg+xml;base64,AA=='>", OUTSIDE),
        (b"<p style='background: url(//tracker)'>", OUTSIDE),
        (b"<p style='background: u&#114;l(x)'>", "hides what it says"),
        (b"<p style='background: u\\72l(x)'>", "hides what it says"),
        (b"<style>p{background: url(http://x)}</style>", OUTSIDE),
        (b"<style><!-- p{background: url(x)} --></style>", OUTSIDE),
        (b"<style><p title='x'>p{background: url(x)}</style>", OUTSIDE),
        (b"\x1b$B<p>", "control characters"),
        (b"\xff\xfe<\x00", "is not UTF-8"),
    ],
)
def test_a_page_that_acts_or_reaches_out_is_refused_and_told_what_to_do(content: bytes, what: str) -> None:
    problems = list(web_pages.problems_of(content))
    assert any(what in one for one in problems), problems
    assert problems[-1].endswith(web_pages.ADVICE) or what == "is not UTF-8"


@given(st.text(alphabet="<>!-/= \"'aonsvgcript&;\\", max_size=60))
def test_no_text_with_a_script_or_a_handler_for_a_browser_passes(text: str) -> None:
    from html.parser import HTMLParser

    class Judge(HTMLParser):
        acts = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.acts |= tag == "script" or any(name.startswith("on") for name, _ in attrs)

    judge = Judge()
    judge.feed(text)
    assert not judge.acts or list(web_pages.problems_of(text.encode())) != []


@given(st.binary(max_size=200))
def test_no_bytes_make_them_raise(content: bytes) -> None:
    list(web_pages.problems_of(content))
    list(drawings.problems_of(content))
