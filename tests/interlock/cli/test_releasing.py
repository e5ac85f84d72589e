"""A model from its submission to its evidence, through the commands, the registry, the buckets and the real gates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.cloud.server import LocalCloud
from tests.interlock.cli.releasing import ReleaseShell, governed, released_on
from tests.interlock.mlflow_server import RunningServer
from tests.interlock.release.policies import varied

MODEL = "ability"
ASKED = ("--tier", "low", "--ticket", "CHG-1234")
EVIDENCE = {
    "privacy": {"limits": {"findings": {"at_most": 0}}},
    "file-safety": {"limits": {"unsafe_files": {"at_most": 0}}},
    "performance": {"limits": {"area_under_curve": {"at_least": 0.7}}},
}


@pytest.fixture(scope="module")
def trained(mlflow: RunningServer) -> pd.DataFrame:
    """A classifier in the registry that can tell; returned is what it is to be measured on."""
    import mlflow as client
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(1)
    table = pd.DataFrame({"amount": random.normal(size=200), "income": random.normal(size=200)})
    approved = (table["amount"] + table["income"] > 0).astype("int64")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", mlflow.admin.username)
        patch.setenv("MLFLOW_TRACKING_PASSWORD", mlflow.admin.password)
        client.set_tracking_uri(mlflow.uri)
        client.set_registry_uri(mlflow.uri)
        model = LogisticRegression().fit(table, approved)
        with client.start_run(tags={"mlflow.source.git.commit": "4f2a", "mlflow.source.git.repoURL": "https://git"}):
            client.log_input(client.data.from_pandas(table, source="s3://loans/2026", name="loans"), context="training")
            client.sklearn.log_model(
                model,
                name="model",
                registered_model_name=MODEL,
                signature=client.models.infer_signature(table, model.predict_proba(table)),
                pyfunc_predict_fn="predict_proba",
                serialization_format="skops",
                pip_requirements=["scikit-learn"],
            )
    return table.assign(approved=approved)


@pytest.fixture
def shell(cloud: LocalCloud, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseShell:
    made = ReleaseShell.on(cloud, released_on(cloud, manifest, tmp_path), monkeypatch)
    policy = varied("tiers.low.evidence", EVIDENCE, tiers__low__emergency=None)
    monkeypatch.setenv("INTERLOCK_ROOT_FINGERPRINT", governed(made, policy))
    return made


def test_a_version_is_submitted_pinned_and_checked_by_the_gates_that_its_tier_demands(
    shell: ReleaseShell, trained: pd.DataFrame, tmp_path: Path
) -> None:
    code, said = shell.run("pipeline-1", "release", "pin", f"{MODEL}/1")
    assert (code, "nobody has submitted" in said) == (2, True), said
    code, asked = shell.json("creator-1", "release", "submit", f"{MODEL}/1", *ASKED)
    assert code == 0, asked
    code, pinned = shell.json("pipeline-1", "release", "pin", asked["id"])
    assert code == 0, pinned
    predicate = pinned["predicate"]
    assert predicate["request"]["submitter"] == "creator-1"
    assert predicate["builder"] == "pipeline-1"
    assert predicate["code"] == {"repository": "https://git", "revision": "4f2a"}
    assert predicate["sources"] == ["s3://loans/2026"]
    assert [(one["name"], one["context"]) for one in predicate["data"]] == [("loans", "training")]
    assert [one["name"] for one in predicate["signature"]["inputs"]] == ["amount", "income"]
    assert pinned["gates"] == {"privacy": "passed", "file-safety": "passed"}
    assert shell.json("pipeline-1", "release", "pin", f"{MODEL}/1") == (0, pinned)

    digest = pinned["digest"]
    trained.to_csv(tmp_path / "evaluation.csv", index=False)
    inputs = tmp_path / "check.yaml"
    inputs.write_text("tables: {evaluation: {path: evaluation.csv, target: approved}}\n")
    code, said = shell.run("pipeline-1", "release", "check", digest)
    assert (code, "was not given the table 'evaluation'" in said) == (1, True), said

    trained.assign(approved=1 - trained["approved"]).to_csv(tmp_path / "evaluation.csv", index=False)
    code, failed = shell.json("pipeline-1", "release", "check", digest, "--inputs", str(inputs))
    assert code == 1, failed
    assert any("area_under_curve is 0" in one for one in failed["reasons"])
    code, shown = shell.json("auditor-1", "release", "show", digest)
    assert code == 0
    evidence = [one["predicate"] for one in shown["statements"] if "gate" in one["predicate"]]
    assert sorted(one["gate"] for one in evidence) == ["file-safety", "performance", "privacy"]
    assert {one["builder"] for one in evidence} == {"pipeline-1"}
    assert {one["columns"]["evaluation"]["target"] for one in evidence if one["columns"]} == {"approved"}
    assert shown["problems"] == []
    code, said = shell.run("auditor-1", "release", "show", digest)
    assert "submitted by creator-1 with CHG-1234: tier low" in said


def test_a_prompt_is_released_as_the_file_that_it_is(
    shell: ReleaseShell, mlflow: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow as client

    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", mlflow.admin.username)
        patch.setenv("MLFLOW_TRACKING_PASSWORD", mlflow.admin.password)
        client.set_tracking_uri(mlflow.uri)
        client.set_registry_uri(mlflow.uri)
        client.genai.register_prompt(name="greeting", template="Greet {{name}} \x1b[31mkindly")
    code, asked = shell.json("creator-1", "release", "submit", "prompt:greeting/1", *ASKED)
    assert code == 0, asked
    assert asked["request"]["produces"] == "text"
    code, pinned = shell.json("pipeline-1", "release", "pin", "greeting/1")
    assert code == 0, pinned
    assert [one["path"] for one in pinned["files"]] == ["prompt.json"]
    assert pinned["predicate"]["source"]["kind"] == "prompt"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tables: {evaluation: {path: none.csv, target: a}}", "tables.evaluation.path: received 'none.csv'"),
        ("tables: {evaluation: {path: here.csv, target: b}}", "target: received 'b'; accepted is one of its columns"),
        ("tabels: {}", "did you mean tables?"),
        ("documents: {osv: .}", "it is no regular file"),
        ("champion: abc", "champion: received 'abc'"),
        ("tables: {evaluation: {path: /dev/zero}}", "it is no regular file"),
        ("a: [", "names no inputs"),
    ],
)
def test_inputs_that_name_nothing_are_one_message(shell: ReleaseShell, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "here.csv").write_text("a\n1\n")
    file = tmp_path / "check.yaml"
    file.write_text(text)
    code, told = shell.run("pipeline-1", "release", "check", "0" * 64, "--inputs", str(file))
    assert (code, said in told) == (2, True), told


def test_a_release_that_is_none_is_neither_checked_nor_shown(shell: ReleaseShell) -> None:
    for verb in ("check", "show"):
        code, said = shell.run("pipeline-1", "release", verb, "0" * 64)
        assert (code, "the vault holds no release" in said) == (2, True), said
        code, said = shell.run("pipeline-1", "release", verb, "../x")
        assert (code, "64 hexadecimal digits" in said) == (2, True), said
