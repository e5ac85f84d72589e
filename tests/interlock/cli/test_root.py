from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from interlock.cli.keys import PASSPHRASE_VARIABLE
from interlock.cli.main import app
from interlock.release.trust.document import parse_draft
from rehearsal.cloud.server import LocalCloud


class Ceremony:
    """People with keys in files, and a folder that a root lies in."""

    def __init__(self, folder: Path) -> None:
        self.keys, self.root = folder / "keys", folder / "trust"
        self.keys.mkdir()
        for person in ("ann", "ben", "cem"):
            key = ec.generate_private_key(ec.SECP256R1())
            encryption = serialization.BestAvailableEncryption(b"correct horse")
            pkcs8 = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
            (self.keys / person).write_bytes(pkcs8)
            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            (self.keys / f"{person}.pub").write_bytes(public)

    def run(self, verb: str, *options: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["root", verb, str(self.root), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    def done(self, verb: str, *options: str) -> Any:
        code, said = self.run(verb, *options, "--output", "json")
        assert code == 0, said
        return json.loads(said)

    def add(self, person: str, duty: str = "foundation") -> list[str]:
        return ["--add", f"{duty}:{person}={self.keys / person}.pub"]

    def sign(self, *people: str) -> None:
        for person in people:
            self.done("sign", "--key", str(self.keys / person))


@pytest.fixture
def ceremony(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ceremony:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "correct horse")
    return Ceremony(tmp_path)


def test_two_people_make_a_root_and_change_it(ceremony: Ceremony) -> None:
    made = ceremony.done("init", "--name", "acme", *ceremony.add("ann"), *ceremony.add("ben"))
    code, said = ceremony.run("verify", "--fingerprint", made["fingerprint"])
    assert (code, "a draft that nobody has signed" in said) == (1, True)
    ceremony.sign("ann")
    code, said = ceremony.run("verify", "--fingerprint", made["fingerprint"])
    assert code == 1
    assert "signed by 1 of 2 of its own foundation people (ann); could sign: ben" in said
    code, said = ceremony.run("rotate", *ceremony.add("cem"))
    assert (code, "not in force yet" in said) == (1, True)
    ceremony.sign("ann", "ben")
    assert ceremony.done("verify", "--fingerprint", made["fingerprint"])["signed_by"] == ["ann", "ben"]

    ceremony.done("rotate", *ceremony.add("cem", "approver"))
    ceremony.sign("ben", "ann")
    verified = ceremony.done("verify", "--fingerprint", made["fingerprint"])
    assert verified["root"]["version"] == 2
    code, said = ceremony.run("verify", "--fingerprint", made["fingerprint"])
    assert re.search(r"approver +cem", said), said
    assert sorted(one.name for one in ceremony.root.iterdir()) == ["1.root.json", "2.root.json"]


def test_a_compromised_key_is_distrusted_from_a_day_on(ceremony: Ceremony) -> None:
    made = ceremony.done("init", "--name", "acme", *[o for p in ("ann", "ben", "cem") for o in ceremony.add(p)])
    ceremony.sign("ann", "ben")
    key = next(
        name
        for name, key in ceremony.done("verify", "--fingerprint", made["fingerprint"])["root"]["keys"].items()
        if key["person"] == "cem"
    )
    assert ceremony.run("rotate", "--distrust", f"{key[:8]}@2026-11-01T00:00:00Z")[0] == 2, "no reason given"
    assert ceremony.run("rotate", "--distrust", "zz@2026-11-01T00:00:00Z", "--reason", "lost")[0] == 2
    assert ceremony.run("rotate", "--distrust", f"{key[:8]}@yesterday", "--reason", "lost")[0] == 2
    ceremony.done("rotate", "--distrust", f"{key[:8]}@2026-11-01", "--reason", "laptop stolen")
    assert ceremony.run("sign", "--key", str(ceremony.keys / "cem"))[0] == 1, "the version to sign distrusts it"
    ceremony.sign("ann", "ben")
    code, said = ceremony.run("verify", "--fingerprint", made["fingerprint"])
    assert code == 0
    assert "2026-11-01 00:00 (laptop stolen)" in said


def test_an_expired_root_is_refused_and_can_be_rotated(ceremony: Ceremony) -> None:
    ceremony.done("init", "--name", "acme", "--days", "1", *ceremony.add("ann"), *ceremony.add("ben"))
    file = ceremony.root / "1.draft.json"
    document = json.loads(file.read_text())
    for field in ("issued_at", "expires_at"):
        document[field] = (datetime.fromisoformat(document[field]) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for key in document["keys"].values():
        key["valid_from"] = document["issued_at"]
    file.write_text(json.dumps(document))
    fingerprint = parse_draft(file.read_text()).fingerprint
    ceremony.sign("ann", "ben")
    code, said = ceremony.run("verify", "--fingerprint", fingerprint)
    assert (code, "version 1 expired at " in said) == (1, True)
    ceremony.done("rotate")
    ceremony.sign("ann", "ben")
    assert ceremony.done("verify", "--fingerprint", fingerprint)["root"]["version"] == 2
    assert parse_draft(json.dumps(document)).expires_at < datetime.now(UTC)


@pytest.mark.parametrize(
    ("verb", "options", "said"),
    [
        ("verify", ["--fingerprint", "ab" * 32], "holds no N.root.json"),
        ("verify", ["--fingerprint", "xyz"], "accepted are 64 small hexadecimal digits"),
        ("sign", ["--key", "kms:alias/mine"], "accepted is kms:<ARN>"),
        ("init", ["--name", "acme", "--add", "king:ann=x"], "a duty of foundation, approver"),
        ("init", ["--name", "acme", "--add", "foundation:ann=nowhere.pub"], "a file that cannot be read"),
        ("init", ["--name", "acme", "--policy", "tiers"], "accepted is NAME=FILE"),
        ("init", ["--name", "acme"], "threshold: received 2, with the keys of 0 foundation people"),
    ],
)
def test_a_mistake_gets_one_message_and_changes_nothing(
    ceremony: Ceremony, verb: str, options: list[str], said: str
) -> None:
    code, output = ceremony.run(verb, *options)
    assert (code, said in output) == (2, True), output
    assert not ceremony.root.exists()


def test_a_wrong_passphrase_or_a_key_in_the_open_signs_nothing(
    ceremony: Ceremony, monkeypatch: pytest.MonkeyPatch
) -> None:
    ceremony.done("init", "--name", "acme", *ceremony.add("ann"), *ceremony.add("ben"))
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "wrong")
    assert ceremony.run("sign", "--key", str(ceremony.keys / "ann"))[0] == 2
    bare = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (ceremony.keys / "bare").write_bytes(bare)
    code, said = ceremony.run("sign", "--key", str(ceremony.keys / "bare"))
    assert (code, "in the open is not used" in said) == (2, True)
    assert [one.name for one in ceremony.root.iterdir()] == ["1.draft.json"]


def test_a_stranger_s_key_signs_nothing_and_a_tampered_version_is_not_believed(ceremony: Ceremony) -> None:
    made = ceremony.done("init", "--name", "acme", *ceremony.add("ann"), *ceremony.add("ben"))
    code, said = ceremony.run("sign", "--key", str(ceremony.keys / "cem"))
    assert (code, "no foundation person's" in said) == (1, True)
    ceremony.sign("ann", "ben")
    file = ceremony.root / "1.root.json"
    file.write_text(file.read_text().replace('"sig":"ME', '"sig":"MF', 1))
    code, said = ceremony.run("verify", "--fingerprint", made["fingerprint"])
    assert (code, "1 of 2" in said) == (1, True), said
    file.write_text("{}")
    assert ceremony.run("verify", "--fingerprint", made["fingerprint"])[0] == 2
    file.rename(ceremony.root / "3.root.json")
    (ceremony.root / "1.root.json").write_text("{}")
    assert ceremony.run("show")[0] == 2, "a version is missing"


def test_keys_in_kms_are_named_by_arn(ceremony: Ceremony, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    kms = cloud.client("kms")
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {"AWS_ENDPOINT_URL": cloud.endpoint_url, **credentials}.items():
        monkeypatch.setenv(name, value)
    arns = [kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"] for _ in "ab"]
    options = [
        option
        for person, arn in zip("ab", arns, strict=True)
        for option in ("--add", f"foundation:{person}x=kms:{arn}")
    ]
    made = ceremony.done("init", "--name", "acme", *options)
    for arn in arns:
        ceremony.done("sign", "--key", f"kms:{arn}")
    assert ceremony.done("verify", "--fingerprint", made["fingerprint"])["signed_by"] == ["ax", "bx"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"payload": 1}', b'{"payloadType": "x"}'])
@pytest.mark.parametrize("number", [1, 2])
def test_a_version_that_is_no_signed_document_is_bad_input_wherever_it_is_read(
    ceremony: Ceremony, content: bytes, number: int
) -> None:
    made = ceremony.done("init", "--name", "acme", *ceremony.add("ann"), *ceremony.add("ben"))
    ceremony.sign("ann", "ben")
    ceremony.done("rotate", *ceremony.add("cem", "approver"))
    ceremony.sign("ben", "ann")
    (ceremony.root / f"{number}.root.json").write_bytes(content)
    for verb, *options in (
        ("verify", "--fingerprint", made["fingerprint"]),
        ("rotate", *ceremony.add("cem", "builder")),
        *((("show",), ("sign", "--key", str(ceremony.keys / "ann"))) if number == 2 else ()),
    ):
        code, said = ceremony.run(verb, *options)
        assert (code, f"{number}.root.json is no" in said.replace("\n", "")) == (2, True), said
