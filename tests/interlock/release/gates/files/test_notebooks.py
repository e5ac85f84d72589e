"""A notebook is let through only if nothing that it keeps of its outputs acts, whichever form of them is shown."""

from __future__ import annotations

import base64
import json
from typing import Any

import pandas as pd
import pytest

from interlock.release.gates.files import kinds, notebooks
from tests.interlock.release.gates.files.test_looking import OUTSIDE, in_drawing, plotted

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n....").decode()
PAGE = "<div>\n<b>bold</b>\n</div>"
SCRIPT = "<script>alert(1)</script>"


def notebook(*cells: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}).encode()


def printing(**forms: Any) -> bytes:
    return shown({kind.replace("__", "/").replace("_plus_", "+"): value for kind, value in forms.items()})


def shown(data: Any, kind: str = "display_data") -> bytes:
    outputs = [{"output_type": kind, "metadata": {}, "data": data}]
    return notebook({"cell_type": "code", "source": "show()", "metadata": {}, "outputs": outputs})


def raw(source: str | list[str], **metadata: str) -> bytes:
    return notebook({"cell_type": "raw", "metadata": metadata, "source": source})


@pytest.mark.parametrize(
    "content",
    [
        notebook(),
        notebook({"cell_type": "markdown", "metadata": {}, "source": ["# A model\n", SCRIPT]}),
        notebook({"cell_type": "code", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}),
        notebook({"cell_type": "code", "outputs": [{"output_type": "stream", "name": "stdout", "text": [SCRIPT]}]}),
        notebook({"cell_type": "code", "outputs": [{"output_type": "error", "traceback": ["\x1b[31m" + SCRIPT]}]}),
        printing(text__plain="1", text__html=PAGE, image__png=PNG, application__json={"a": [1, None]}),
        printing(text__html=PAGE.splitlines(keepends=True)),
        printing(text__html=pd.DataFrame({"a & b": [1.5, None], "<i>": ["x", "y"]})._repr_html_()),
        printing(image__svg_plus_xml=plotted().decode()),
        printing(image__png=[PNG[:8] + "\n", PNG[8:]]),
        shown({"text/plain": "<Axes: >"}, "execute_result"),
        notebook({"cell_type": "markdown", "source": "", "attachments": {"a.png": {"image/png": PNG}}}),
        raw("a <b> and 1 < 2", raw_mimetype="text/x-rst", format="text/x-rst"),
        raw("1 < 2 & 3"),
        raw("<b>bold</b>", format="text/html"),
    ],
)
def test_what_shows_as_text_plain_markup_or_pictures_is_let_through(content: bytes) -> None:
    assert list(kinds.KINDS[".ipynb"](content, ())) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (notebook({"cell_type": ["code"]}), "a cell of the kind"),
        (notebook({"cell_type": "code", "outputs": [{"output_type": {}}]}), "an output of the kind"),
        (printing(text__html=SCRIPT), "an output of the kind text/html holds '<script'"),
        (printing(text__html=["<scr", "ipt>alert(1)</script>"]), "holds '<script'"),
        (printing(text__html='<img src="https://a.example/x.png">'), OUTSIDE),
        (printing(text__html="<iframe></iframe>", text__plain="harmless"), "holds a <iframe>"),
        (printing(image__svg_plus_xml=in_drawing("<script/>").decode()), "image/svg+xml holds a <script>"),
        (printing(image__svg_plus_xml="<svg"), "is no XML"),
        (printing(application__javascript="alert(1)"), "'application/javascript', which is not on the list"),
        (shown({"Text/HTML": SCRIPT}), "'Text/HTML', which is not on the list"),
        (shown({"text/html; charset=utf-8": SCRIPT}), "which is not on the list"),
        (shown({"text/html": SCRIPT}, "execute_result"), "holds '<script'"),
        (shown({"text/html": SCRIPT}, "update_display_data"), "'update_display_data', which is not on the list"),
        (shown({"text/html": SCRIPT}, "stream"), "'stream' with data"),
        (printing(application__vnd="x", text__plain="1"), "'application/vnd', which is not on the list"),
        (printing(image__png=base64.b64encode(b"<svg/>").decode()), "image/png that is none"),
        (printing(image__jpeg="%%%"), "image/jpeg that is none"),
        (printing(text__html={"a": SCRIPT}), "a text is no str"),
        (shown([]), "an output's data is no dict"),
        (notebook({"cell_type": "markdown", "attachments": {"a": {"text/html": SCRIPT}}}), "holds '<script'"),
        (notebook({"cell_type": "html", "source": SCRIPT}), "a cell of the kind 'html'"),
        (raw(SCRIPT), "a raw cell of the kind text/html holds '<script'"),
        (raw(["<scr", "ipt>alert(1)</script>"], format="text/html"), "holds '<script'"),
        (raw(SCRIPT, raw_mimetype="TEXT/HTML"), "holds '<script'"),
        (raw(SCRIPT, format="text/latex"), "holds '<script'"),
        (notebook(metadata={"widgets": {"state": {}}}), "holds widgets"),
        (notebook(nbformat=3), "is no notebook of format 4"),
        (json.dumps({"nbformat": 4, "worksheets": []}).encode(), "cells is no list"),
        (b'{"nbformat": 4, "cells": [], "cells": []}', "holds a key twice"),
        (b"[]", "the notebook is no dict"),
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
    ],
)
def test_what_acts_or_is_not_understood_is_refused_with_what_to_do(content: bytes, said: str) -> None:
    found = list(notebooks.problems_of(content))
    assert any(said in one for one in found), found
    assert found[-1].endswith(notebooks.ADVICE)
    assert list(kinds.KINDS[".ipynb"](content, ()))
