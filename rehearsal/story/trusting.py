"""The step in which two people of the foundation found the trust root, and one of them tries to change it alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from interlock.aws.vault import S3VaultReader, S3VaultWriter
from interlock.cli.keys import PASSPHRASE_VARIABLE
from interlock.duties.duty import Duty, Role
from interlock.ledger.layout import origin_of
from interlock.release.tiers import POLICY_NAME, parse_policy
from interlock.release.trust.published import publish
from interlock.root_files import RootFolder
from rehearsal.layers import FOUNDATION
from rehearsal.story.context import Context
from rehearsal.story.policy import FIRST_POLICY, write_policy
from rehearsal.story.step import Seen, Unexpected

TIMEOUT_SECONDS = 120
REFUSED = 1
NAME = "example"
SERVING_IMAGE = "cloud/images/serving"
LEDGER_IMAGE = "cloud/images/ledger"
"""What the session's cloud runs as these images, below its folder."""


def found(context: Context) -> Seen:
    """Have two people make and sign the first version, check it, and put it into the vault."""
    context.give_way()
    ceremony = Ceremony(context)
    first, second = [one.name for one in context.people.assignments.people_of(Duty.FOUNDATION)][:2]
    for person in (first, second):
        ceremony.make_key(person)
    outputs = json.loads(context.pulumi("stack", "output", "--json", stack=FOUNDATION).stdout)
    known = outputs["foundation"]
    policy = write_policy(context.checkout, context.session.directory / FIRST_POLICY, sources=())
    signed = ["--policy", f"{POLICY_NAME}={policy}", *_logs(context)]
    drafted = ceremony.done(first, "init", "--name", NAME, *ceremony.added(first, second), *_keys_of(known), *signed)
    ceremony.done(first, "sign", "--key", str(ceremony.key(first)))
    alone = ceremony.refused(first, "verify", "--fingerprint", drafted["fingerprint"])
    ceremony.done(second, "sign", "--key", str(ceremony.key(second)))
    verified = ceremony.done(second, "verify", "--fingerprint", drafted["fingerprint"])
    published = publish_root(context, ceremony.folder, policy, known["vault"]["bucket_name"])
    context.fingerprint = context.session.root_fingerprint = drafted["fingerprint"]
    _build_in(context)
    keys = [{"duty": one["duty"], "person": one["person"]} for one in verified["root"]["keys"].values()]
    return Seen(
        f"version 1 believes {len(keys)} keys, signed by {' and '.join(verified['signed_by'])}; "
        f"the policy {verified['root']['policies'][POLICY_NAME][:12]} and the logs "
        f"{', '.join(verified['root']['log_origins'])}; fingerprint {drafted['fingerprint'][:12]}",
        {
            "trust_root": {"fingerprint": drafted["fingerprint"], "signed_by": verified["signed_by"], "keys": keys},
            "published": published,
            "breaches": [
                _attempt(first, "have a first version believed that they alone signed", alone),
                _attempt(first, "change the trust root alone", _change_alone(context, ceremony, first, drafted)),
            ],
        },
    )


def _attempt(who: str, tried: str, answer: str) -> dict[str, str]:
    return {"duty": Duty.FOUNDATION.value, "who": who, "tried": tried, "answer": answer}


def _change_alone(context: Context, ceremony: Ceremony, person: str, drafted: dict[str, Any]) -> str:
    """Return how verifiers refuse a next version that only one person signed, made in a copy of the folder."""
    copy = Ceremony(context, "trust-alone")
    shutil.copytree(ceremony.folder, copy.folder)
    copy.done(person, "rotate", "--days", "30")
    copy.done(person, "sign", "--key", str(copy.key(person)))
    return copy.refused(person, "verify", "--fingerprint", drafted["fingerprint"])


def _keys_of(known: dict[str, Any]) -> list[str]:
    duties = {duty: key["key_arn"] for duty, key in known["signing_keys"].items()}
    people = {f"approver:{name}": key["key_arn"] for name, key in known["approver_keys"].items()}
    return [word for whose, arn in (duties | people).items() for word in ("--add", f"{whose}=kms:{arn}")]


def _logs(context: Context) -> list[str]:
    """Name the first log, and the one that goes on from it in the other region after a failover."""
    settings = context.people.settings
    regions = [settings.region, *([settings.recovery.region] if settings.recovery else [])]
    return [
        word
        for epoch, region in enumerate(regions, 1)
        for word in ("--log-origin", origin_of(NAME, f"{region}-{epoch}"))
    ]


def publish_root(context: Context, folder: Path, policy: Path, bucket: str) -> list[str]:
    """Put the versions of the root in `folder` and a policy into the vault as the foundation; return their keys."""
    s3 = context.people.as_(Role.FOUNDATION).client("s3")
    stored = publish(
        RootFolder(folder).signed(),
        [parse_policy(policy.read_bytes())],
        writer=S3VaultWriter(s3, bucket),
        reader=S3VaultReader(s3, bucket),
    )
    return [one.key for one in stored]


def _build_in(context: Context) -> None:
    """Build the root's fingerprint into the images that start from it, as whoever makes them does.

    The serving image says beside it for which environment it is.
    """
    for image in (SERVING_IMAGE, LEDGER_IMAGE):
        file = context.session.directory / image / "trust-root.fingerprint"
        file.write_text(f"{context.fingerprint}\n", encoding="utf-8")
    environment = context.session.directory / SERVING_IMAGE / "environment"
    environment.write_text(f"{context.people.settings.environment.value}\n", encoding="utf-8")


class Ceremony:
    """The folder of the root, and people's own keys beside it."""

    def __init__(self, context: Context, name: str = "trust") -> None:
        self._context = context
        self.folder = context.session.directory / name
        self._keys = context.session.directory / "keys"

    def key(self, person: str) -> Path:
        return self._keys / f"{person}.pem"

    def make_key(self, person: str) -> None:
        """Make a person's own key, encrypted, which no service of the company ever sees."""
        self._keys.mkdir(mode=0o700, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        encryption = serialization.BestAvailableEncryption(_passphrase(person).encode())
        self.key(person).touch(mode=0o600)
        self.key(person).write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key(person).with_suffix(".pub").write_bytes(public)

    def added(self, *people: str) -> list[str]:
        return [
            word
            for person in people
            for word in ("--add", f"{Duty.FOUNDATION}:{person}={self.key(person).with_suffix('.pub')}")
        ]

    def done(self, person: str, verb: str, *options: str) -> dict[str, Any]:
        """Run a command as a person, and return what it says. Raises Unexpected if it fails."""
        answer = self._run(person, verb, *options)
        if answer.returncode != 0:
            raise Unexpected(f"interlock root {verb} to end with 0", f"{answer.stdout}{answer.stderr}")
        document: dict[str, Any] = json.loads(answer.stdout)
        return document

    def refused(self, person: str, verb: str, *options: str) -> str:
        """Run a command that must refuse, and return its reasons. Raises Unexpected if it does not."""
        answer = self._run(person, verb, *options)
        if answer.returncode != REFUSED:
            raise Unexpected(f"interlock root {verb} to refuse", f"{answer.stdout}{answer.stderr}")
        document = json.loads(answer.stdout)
        return "; ".join([document["message"], *document["reasons"]])

    def _run(self, person: str, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        self._context.busy(f"{person}: interlock root {verb}")
        environment = self._context.people.environment(Role.FOUNDATION, person)
        return subprocess.run(
            ["interlock", "root", verb, str(self.folder), *options, "--output", "json"],
            env={**environment, PASSPHRASE_VARIABLE: _passphrase(person)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
        )  # fmt: skip


def _passphrase(person: str) -> str:
    return f"{person}'s own, known to nobody else"
