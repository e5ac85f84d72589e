"""A stack in memory: two buckets, a builder's key, a registry in folders, a trust root, and a way to be killed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from cryptography.hazmat.primitives.asymmetric import ec

from interlock.building.checking import Check, Checked
from interlock.building.inputs import CheckInputs
from interlock.building.pinning import Pinned, pin_submission
from interlock.building.submitting import Subject, submit
from interlock.building.workshop import Confined
from interlock.clients import StackClients
from interlock.failures import BadInput
from interlock.mlflow.registry import ModelReference
from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs
from interlock.release.gates.measuring import measure
from interlock.release.gates.tables import TableForm, read_table
from interlock.release.pin_statement import Code, Origin, Source
from interlock.release.pinning import ModelSource
from interlock.release.signing import PrivateKeySigner
from interlock.release.submitting import Submission
from interlock.release.tiers import POLICY_NAME, TiersPolicy
from interlock.release.trust.document import KeyDuty
from interlock.release.trust.drafting import Change, NewKey, first_root
from interlock.release.vault import StoredObject
from interlock.release.verification.trust import Trust
from tests.interlock.release.memory import MemoryVault
from tests.interlock.release.policies import example_policy
from tests.interlock.release.trust.people import new_key

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


class Killed(BaseException):
    """The process is no more."""


class MortalVault(MemoryVault):
    """A bucket whose writer dies at the n-th write of all buckets, before it or right after it."""

    def __init__(self, life: Life) -> None:
        super().__init__()
        self.life = life

    def put(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        self.life.before_write()
        stored = super().put(key, content, sha256)
        self.life.after_write()
        return stored

    def put_again(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        self.life.before_write()
        stored = super().put_again(key, content, sha256)
        self.life.after_write()
        return stored

    def erase(self, prefix: str) -> None:
        for key in [key for key in self.objects if key.startswith(prefix)]:
            self.life.before_write()
            del self.objects[key]
            self.life.after_write()


@dataclass
class Life:
    """How many writes are left, and whether the last one still arrives."""

    left: int | None = None
    arrives: bool = False
    written: int = 0

    def before_write(self) -> None:
        if self.left is not None and self.left <= 0:
            raise Killed
        if self.left == 1 and not self.arrives:
            self.left = 0
            raise Killed

    def after_write(self) -> None:
        self.written += 1
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                raise Killed


class _Looking:
    """A gate that looks for a word in every file of a release."""

    version = OUR_VERSION
    Parameters = GateParameters
    name = ""
    measured = ""
    word = b""

    def needs(self, parameters: Any) -> Needs:
        return Needs()

    def measure(self, inputs: GateInputs) -> Measured:
        found = sum(self.word in (inputs.folder / file.path).read_bytes() for file in inputs.manifest.files)
        return Measured([measure(self.measured, found)])


class Privacy(_Looking):
    name, measured, word = "privacy", "findings", b"123-45-6789"


class FileSafety(_Looking):
    name, measured, word = "file-safety", "unsafe_files", b"os.system"


class Predicting(_Looking):
    """A gate that asks the model of each row of the table `evaluation` whether it is positive."""

    name, measured = "performance", "area_under_curve"

    def needs(self, parameters: Any) -> Needs:
        return Needs(tables=("evaluation",), predictor=True, champion=True)

    def measure(self, inputs: GateInputs) -> Measured:
        rows = inputs.table("evaluation").frame
        return Measured([measure(self.measured, float(inputs.model().predict(rows).mean()))])


class Crashing(_Looking):
    name = "robustness"

    def measure(self, inputs: GateInputs) -> Measured:
        raise ZeroDivisionError("of all things")


class Testing(_Looking):
    """A gate of cases, all of which pass."""

    name = "contract-tests"

    def measure(self, inputs: GateInputs) -> Measured:
        cases = [{"group": "schema", "name": "score", "passed": True, "said": None}]
        return Measured([measure("failed_cases", 0)], details={"cases": cases})


GATES = {
    "contract-tests": f"{__name__}:Testing",
    "performance": f"{__name__}:Predicting",
    "robustness": f"{__name__}:Crashing",
    "privacy": f"{__name__}:Privacy",
    "file-safety": f"{__name__}:FileSafety",
}


EVIDENCE: dict[str, Any] = {
    "privacy": {"limits": {"findings": {"at_most": 0}}},
    "file-safety": {"limits": {"unsafe_files": {"at_most": 0}}},
    "performance": {"limits": {"area_under_curve": {"at_least": 0.7}}},
}
"""What the low tier demands in tests of checking."""


class FirstColumn:
    """A model that answers with its first column; it counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        self.calls += 1
        return np.asarray(rows.iloc[:, 0])


@dataclass
class Registry:
    """Models in folders, by name and version."""

    models: dict[tuple[str, str], tuple[str, Path]] = field(default_factory=dict)
    downloads: int = 0

    def resolve(self, reference: ModelReference) -> ModelSource:
        found = self.models.get((reference.name, str(reference.version)))
        if found is None:
            raise BadInput(f"could not look up {reference}: there is none")
        return ModelSource("mlflow", reference.name, str(reference.version), found[0], "run-1")

    def origin(self, source: ModelSource) -> Origin:
        named = Source(
            registry="mlflow", name=source.name, version=source.version, logged_model_id=source.logged_model_id
        )
        return Origin(source=named, code=Code(revision="4f2a"))

    def download(self, source: ModelSource, into: Path) -> Path:
        self.downloads += 1
        shutil.copytree(self.models[source.name, source.version][1], into)
        return into


class Bench:
    """Everything that submitting, pinning and checking need, without a network."""

    def __init__(self, directory: Path, policy: TiersPolicy | None = None) -> None:
        self.life = Life()
        self.model = FirstColumn()
        self.vault, self.staging = MortalVault(self.life), MortalVault(self.life)
        self.vault_reader = self.vault_writer = self.vault
        self.staging_reader = self.staging_writer = self.staging_eraser = self.staging
        self.key = PrivateKeySigner(ec.generate_private_key(ec.SECP256R1()))
        self.known = Registry()
        self.directory = directory
        self.person = "creator-1"
        self.ticks = 0
        self.others: tuple[NewKey, ...] = ()
        self.follow(policy or example_policy())

    def follow(self, policy: TiersPolicy) -> None:
        """Have `policy` in force."""
        keys = [new_key("ann"), new_key("ben"), NewKey(KeyDuty.BUILDER, None, self.key.public_key()), *self.others]
        change = Change(keys, policies={POLICY_NAME: policy.digest})
        root = first_root("acme", change, now=NOW - DAY, life=365 * DAY, key_life=365 * DAY)
        self.trust = Trust(root, frozenset({policy.digest}), {policy.digest: policy})

    def register(self, version: str = "1", logged_model: str = "m-1", **files: str) -> Path:
        """Register a version with files, by their names with _ for the dot."""
        folder = self.directory / f"{logged_model}-{version}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (files or {"MLmodel": "flavors: {}\n", "weights_bin": "0110", "notes_txt": ""}).items():
            (folder / name.replace("_", ".")).write_text(text)
        self.known.models["credit", version] = (logged_model, folder)
        return folder

    def session_name(self) -> str:
        return self.person

    def signer(self, duty: Any) -> PrivateKeySigner:
        return self.key

    def registry(self, credentials: Any = None) -> Registry:
        return self.known

    @property
    def clients(self) -> StackClients:
        return cast(StackClients, self)

    def clock(self) -> datetime:
        """Return a later moment at each call, as clocks do."""
        self.ticks += 1
        return NOW + timedelta(seconds=self.ticks)

    def submit(self, subject: str = "credit/1", **asked: Any) -> Submission:
        self.person = "creator-1"
        fields = {"tier": "low", "ticket": "CHG-1", "environment": "prod", **asked}
        return submit(
            self.clients, Subject.parse(subject), lambda: None, now=self.clock(), progress=print, **fields
        )  # fmt: skip

    def pin(self, wanted: str = "credit/1") -> Pinned:
        self.person = "pipeline-1"
        return pin_submission(self.clients, wanted, self.trust, lambda: None, clock=self.clock, progress=print)

    def check(
        self, digest: str, table: pd.DataFrame | None = None, *only: str, target: str | None = None, **given: Any
    ) -> Checked:
        """Check a release on a table `evaluation`."""
        self.person = "pipeline-1"
        content = (pd.DataFrame({"score": [0.7, 0.9]}) if table is None else table).to_csv(index=False).encode()
        evaluation = read_table(content, TableForm(path="evaluation.csv", target=target))
        inputs = CheckInputs({"evaluation": evaluation}, **given)
        check = Check(self.clients, self.trust, inputs, self.clock, print, lambda *_: Confined(self.model))
        return check.run(digest, only)

    def with_keys(self, *others: NewKey) -> None:
        """Believe other keys besides."""
        self.others = others
        self.follow(next(iter(self.trust.policies.values())))

    @property
    def objects(self) -> set[str]:
        """The keys of both buckets."""
        return {*self.vault.objects, *self.staging.objects}


def killed_everywhere(make: Callable[[], Bench], act: Callable[[Bench], object]) -> list[str]:
    """Kill `act` at every write, before it and after it, run it again, and return what then is not as it should be.

    It should be as if nothing had happened: the same objects, apart from statements whose times differ as many, and
    each of them once.
    """
    unbroken = make()
    before = unbroken.life.written
    act(unbroken)
    expected, writes = _kinds(unbroken), unbroken.life.written - before
    assert writes > 0
    wrong = []
    for number in range(1, writes + 1):
        for arrives in (False, True):
            bench = make()
            bench.life.left, bench.life.arrives = number, arrives
            where = f"killed {'after' if arrives else 'before'} write {number} of {writes}"
            try:
                act(bench)
            except Killed:
                pass
            else:
                wrong.append(f"{where}: nothing was killed")
            bench.life.left = None
            act(bench)
            doubled = [key for one in (bench.vault, bench.staging) for key, v in one.objects.items() if len(v) > 1]
            if doubled:
                wrong.append(f"{where}: written twice: {doubled}")
            if _kinds(bench) != expected:
                wrong.append(f"{where}: {_kinds(bench)} instead of {expected}")
    return wrong


def _kinds(bench: Bench) -> list[str]:
    """Return what lies where; of statements, which hold times, only how many there are."""
    found = [key.rpartition("/")[0] if key.endswith(".dsse.json") else key for key in bench.objects]
    return sorted(found)
