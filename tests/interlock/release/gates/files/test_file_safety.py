"""Each kind of file: one that is let through, and what is refused of it, with the file and the reason named."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.file_safety import FileSafetyGate
from interlock.release.manifest import manifest_of
from tests.interlock.release.gates.given import evidence, found, inputs

LIMIT = {"unsafe_files": {"at_most": 0}}

GOOD: dict[str, bytes] = {
    "MLmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n",
    "model.pkl": pickle.dumps({"coefficients": np.arange(3.0)}),
    "requirements.txt": b"# pinned\nmlflow==3.17.2\nscikit-learn==1.9.1 --hash=sha256:00\n",
    "conda.yaml": b"channels: [conda-forge]\ndependencies:\n- python=3.11.7\n- pip<=23\n- pip:\n  - mlflow==3.17.2\n",
    "README.md": b"# A model\n<script>shown as text by whoever shows it</script>\n",
    "input_example.json": b'{"columns": ["a"], "data": [[1]]}',
}


def judged(folder: Path, files: dict[str, bytes | None], **parameters: object) -> Evidence:
    for path, content in {**GOOD, **files}.items():
        if content is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    given = replace(inputs(folder), manifest=manifest_of(folder))
    return evidence(FileSafetyGate(), given, LIMIT, **parameters)


def archive(**entries: bytes) -> bytes:
    return packed({name.replace("_dot_", "."): content for name, content in entries.items()})


def packed(entries: dict[str, bytes], alter: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            alter(entry)
            made.writestr(entry, content)
    return stream.getvalue()


def array(values: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(values), allow_pickle=True)
    return stream.getvalue()


def safetensors(head: object, tail: bytes = b"") -> bytes:
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + tail


def link(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = 0o120777 << 16


SKOPS = {"__class__": "LogisticRegression", "__module__": "sklearn.linear_model._logistic", "content": {}}
EVIL_SKOPS = {"content": [{"__class__": "function", "__module__": "builtins", "content": {
    "module_path": "os", "function": "system"}}]}  # fmt: skip
TENSOR = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}

LET_THROUGH: dict[str, bytes] = {
    "model.skops": packed({"schema.json": json.dumps(SKOPS).encode(), "1.npy": array([1.0])}),
    "weights.npz": archive(a_dot_npy=array([1.0]), b_dot_npy=array(["text"])),
    "weights.npy": array([[1, 2], [3, 4]]),
    "model.safetensors": safetensors(TENSOR, b"\0\0\0\0"),
    "code/model.py": b"x = 1\n",
    "code/__init__.py": b"",
    "plot.svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
    "page.html": b"<html><body><p>on a page</p><img src='data:image/png;base64,AA=='></body></html>",
    "plot.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 20,
    "LICENSE": b"Apache-2.0\n",
}

REFUSED: list[tuple[str, bytes, str]] = [
    ("model.pkl", b"cos\nsystem\n(S'true'\ntR.", "imports 'os.system'"),
    ("model.pkl", b"", "is empty"),
    ("model.pkl", b"\x7fELF\x02", "is a program for Linux"),
    ("weights.npy", b"MZ\x90", "is a program for Windows"),
    ("README.md", b"#!/bin/sh\ntrue\n", "is a script"),
    ("tool.so", b"anything", "kind that is not on the list (.so)"),
    ("tool.exe", b"anything", "kind that is not on the list (.exe)"),
    ("code/module.pyc", b"anything", "kind that is not on the list (.pyc)"),
    ("model.h5", b"anything", "kind that is not on the list (.h5)"),
    ("model.joblib", b"anything", "kind that is not on the list (.joblib)"),
    ("model.tar.gz", b"\x1f\x8b", "kind that is not on the list (.gz)"),
    (".gitattributes", b"x", "kind that is not on the list (no ending)"),
    ("notes.txt", b"text\x00", "holds bytes that are none"),
    ("data.json", b"{not json", "is no JSON"),
    ("data.json", b"[" * 100_000, "is no JSON"),
    ("weights.npy", array([object()]), "no NumPy array of numbers"),
    ("weights.npy", b"\x93NUMPY", "no NumPy array of numbers"),
    ("weights.npz", packed({"a.npy": array([None])}), "holds 'a.npy', which is no NumPy array"),
    ("model.safetensors", safetensors(TENSOR, b"\0" * 5), "more or less than its tensors"),
    ("model.safetensors", b"\xff" * 8, "its head does not fit it"),
    ("model.onnx", b"PK", "is no ONNX model"),
    ("plot.png", b"<svg/>", "not what its name says"),
    ("model.skops", packed({"schema.json": json.dumps(EVIL_SKOPS).encode()}), "makes 'os.system'"),
    ("model.skops", b"no archive", "is no readable archive"),
    ("model.skops", packed({"schema.json": b"{}", "x.so": b"1"}), "kind that is not on the list (.so)"),
    ("model.skops", packed({"schema.json": b"{}", "b.npz": b"PK"}), "is an archive in an archive"),
    ("model.skops", packed({"schema.json": b"{}", "a.txt": b"\x7fELF"}), "is a program for Linux"),
    ("model.skops", packed({"../out.txt": b"1"}), "which has an empty part, '.' or '..' in it"),
    ("model.skops", packed({"/etc/out.txt": b"1"}), "which is not a relative path"),
    ("model.skops", packed({"a.txt": b"MLmodel"}, link), "is a link or a device"),
    ("model.skops", packed({"a.txt": b"\0" * 10_000_000}), "unpacks from"),
    ("plot.svg", b"<svg><script>alert(1)</script></svg>", "holds a <script>"),
    ("page.html", b"<iframe src='x'>", "holds a <iframe>"),
    ("requirements.txt", b"-r other.txt\n", "asks for what is no version of a distribution: -r other.txt"),
    ("requirements.txt", b"--index-url https://elsewhere/\n", "--index-url"),
    ("requirements.txt", b"evil @ https://elsewhere/evil.whl\n", "https://elsewhere"),
    ("requirements.txt", b"git+https://elsewhere/evil\n", "git+https"),
    ("requirements.txt", b"./local\n", "./local"),
    ("requirements.txt", b"mlflow==3.17.2\nmlflow==2.0\n", "mlflow==2.0, beside mlflow==3.17.2"),
    ("conda.yaml", b"dependencies: [python=3.11, evil=1.0]\n", "asks conda for evil=1.0"),
    ("conda.yaml", b"dependencies: &a [*a]\n", "conda.yaml cannot be read"),
    ("MLmodel", b"", "MLmodel is empty"),
    ("MLmodel", b"flavors: 3\n", "names no flavours"),
    ("MLmodel", b"a: 1\na: 2\n", "cannot be read"),
    ("MLmodel", b"flavors: {python_function: {loader_module: evil}}\n", "has 'evil' load the model"),
    ("MLmodel", b"flavors: {python_function: {loader_module: mlflow.sklearn, model_path: ../x}}\n", "no path in"),
    ("MLmodel", b"flavors: {python_function: {loader_module: mlflow.sklearn, data: gone}}\n", "which is not there"),
    ("MLmodel", b"flavors: {python_function: {loader_module: mlflow.sklearn, data: 's3://x'}}\n", "no path in"),
]


def test_an_ordinary_model_passes(tmp_path: Path) -> None:
    said = judged(tmp_path, {})
    assert said.outcome is Outcome.PASSED, said.reasons
    assert found(said, "unsafe_files").value == 0
    assert found(said, "files").value == len(GOOD)


@pytest.mark.parametrize("path", LET_THROUGH)
def test_a_file_of_a_known_kind_is_let_through(tmp_path: Path, path: str) -> None:
    said = judged(tmp_path, {path: LET_THROUGH[path]})
    assert said.outcome is Outcome.PASSED, said.reasons


@pytest.mark.parametrize(("path", "content", "reason"), REFUSED, ids=[f"{one[0]}: {one[2]}" for one in REFUSED])
def test_a_file_that_could_act_is_refused_by_name(tmp_path: Path, path: str, content: bytes, reason: str) -> None:
    said = judged(tmp_path, {path: content})
    assert said.outcome is Outcome.FAILED
    assert any(reason in one for one in said.reasons), said.reasons
    assert found(said, "unsafe_files").value == 1


def test_what_comes_from_the_author_cannot_steer_a_terminal(tmp_path: Path) -> None:
    said = judged(tmp_path, {"model.pkl": b"cos\nsy\x1b[2Jstem\n."})
    assert all(one.isprintable() for one in said.reasons)


def test_code_is_counted_and_a_policy_may_refuse_it(tmp_path: Path) -> None:
    said = judged(tmp_path, {"code/model.py": b"x = 1\n"})
    assert found(said, "code_files").value == 1
    assert any("1 files of Python code" in one for one in said.unchecked)
    refused = judged(tmp_path, {}, python_code=False)
    assert refused.outcome is Outcome.FAILED


def test_a_policy_may_list_more_imports_and_loaders(tmp_path: Path) -> None:
    files = {
        "MLmodel": b"flavors: {python_function: {loader_module: ours}}\n",
        "model.pkl": b"cours.part\nModel\n.",
    }
    assert judged(tmp_path, dict(files)).outcome is Outcome.FAILED
    said = judged(tmp_path, dict(files), imports=["ours.part.*"], loaders=["ours"])
    assert said.outcome is Outcome.PASSED, said.reasons


def test_a_plain_folder_needs_no_model_file(tmp_path: Path) -> None:
    (tmp_path / "prompt.md").write_text("Answer {{question}}.")
    said = evidence(FileSafetyGate(), replace(inputs(tmp_path), manifest=manifest_of(tmp_path)), LIMIT)
    assert said.outcome is Outcome.PASSED, said.reasons


@pytest.mark.parametrize(
    ("node", "what"),
    [
        (
            {"__class__": "Pipeline", "__module__": "sklearn.pipeline", "__loader__": "MethodNode"},
            "the way 'MethodNode'",
        ),
        (
            {"__class__": "Pipeline", "__module__": "sklearn.pipeline", "__loader__": "ConstructorFromReduceNode"},
            "calls sklearn.pipeline.Pipeline with arguments",
        ),
        ({"__class__": "Popen", "__module__": "sklearn.base.np.f2py.subprocess"}, "subprocess.Popen"),
        ({"__class__": "np.f2py.subprocess.Popen", "__module__": "sklearn.base"}, "subprocess.Popen"),
        ({"__class__": 3, "__module__": "sklearn.base"}, "makes 'sklearn.base.3'"),
        (
            {
                "__class__": "partial",
                "__module__": "functools",
                "__loader__": "PartialNode",
                "content": {"func": {"__class__": "Pipeline", "__loader__": "ObjectNode"}},
            },
            "makes a function of what it put together itself",
        ),
        ({"__class__": "dict", "__module__": "builtins", "content": {"_build_f": {}}}, "gives a value to _build_f"),
    ],
)
def test_a_skops_file_that_would_call_or_reach_through_something_is_refused(
    tmp_path: Path, node: dict[str, object], what: str
) -> None:
    content = packed({"schema.json": json.dumps({**SKOPS, "content": [node]}).encode()})
    said = judged(tmp_path, {"model.skops": content})
    assert any(what in one for one in said.reasons), said.reasons
