"""What the steps share: the session they run in, and what earlier ones left for later ones."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from interlock.admission import Anchor, trust_from
from interlock.clients import StackClients
from interlock.duties.duty import Role
from interlock.inventory import take_inventory
from interlock.manifest import StackManifest
from interlock.release.gates.supply.inventory import Inventory
from interlock.release.vault import StoredObject, VaultReader
from interlock.release.verification.trust import Trust
from rehearsal.boto_session import boto_session
from rehearsal.cloud.accounts import ADMINISTRATOR, WORKLOAD, organization_role
from rehearsal.coming import AnyEntrance
from rehearsal.people import People
from rehearsal.story.deploying import ROLES
from rehearsal.story.tally import Tally

if TYPE_CHECKING:
    from interlock.duties.usage.granted import Granted
    from rehearsal.infra import Infra
    from rehearsal.story.candidates import TrainedModel
    from rehearsal.story.loans import LoanData

DOMAIN_SETTING = "tracking.domain"
ENDPOINT = "credit"
REGISTERED_MODEL = "credit"
SET_FOR_CALLS = {
    "MLFLOW_TRACKING_USERNAME": "",
    "MLFLOW_TRACKING_PASSWORD": "",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""What calls of MLflow's client set for their time, with what they find without. Were one of them taken away, boto3
would break in whatever other step makes a client meanwhile: it copies the environment name by name."""


@dataclass(frozen=True)
class PinnedRelease:
    """A release in the vault: its files there, and the statement that opened it."""

    digest: str
    files: tuple[StoredObject, ...]
    statement: StoredObject


class StorySession(Protocol):
    """What the story needs of a session."""

    directory: Path
    backend_url: str

    @property
    def own_backend_url(self) -> str: ...

    @property
    def environment(self) -> dict[str, str]: ...

    def start(self) -> None: ...

    def provide_certificate(self, domain: str) -> str: ...

    def select_stack(self, name: str) -> None: ...

    def let_in(self, entrances: Mapping[str, AnyEntrance]) -> None: ...

    root_fingerprint: str
    manifest_uri: str

    def pulumi(
        self,
        *arguments: str,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = 900,
    ) -> subprocess.CompletedProcess[str]: ...

    def ask(self, page: str, **parameters: str) -> Mapping[str, Any]: ...


@dataclass
class Context:
    """The story so far. Each of the optional parts is set by one step, and read by those that follow it."""

    session: StorySession
    checkout: Path
    say: Callable[[str], None]
    data: LoanData | None = None
    models: list[TrainedModel] = field(default_factory=list)
    waits_for_database: threading.Event = field(default_factory=threading.Event)
    """Set once the engine has little to do but wait for the platform's databases."""
    infra: Infra | None = None
    """The copy of `infra/` that Terraform works on."""
    by_terraform: set[str] = field(default_factory=set)
    """ARNs of what Terraform made, which no stack takes away."""
    certificate: Path | None = None
    """Folder of the proof's certificate."""
    manifest: StackManifest | None = None
    fingerprint: str = ""
    """Of the trust root, as the people who signed it gave it to everybody."""
    versions: list[str] = field(default_factory=list)
    submissions: list[str] = field(default_factory=list)
    """What the creator asked for, in the order of the models: `<submitter>/<id>`."""
    pins: list[PinnedRelease] = field(default_factory=list)
    ledger_runs: dict[Role, int] = field(default_factory=dict)
    """How often the story itself had the ledger's functions run, and they did."""
    rights: Granted | None = None
    """What each role is granted."""
    tally: Tally = field(default_factory=Tally)
    tool_versions: dict[str, str] = field(default_factory=dict)
    _activities: dict[str, str] = field(default_factory=dict)
    _actors: dict[str, dict[str, None]] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        """Where this session's servers write what they do."""
        return self.session.directory / "logs"

    @property
    def project(self) -> Path:
        """The project that the layers are deployed from: the checkout's program, with settings of this session."""
        return self.session.directory / "project"

    def deployer(self, stack: str) -> dict[str, str]:
        """Return the environment of whoever deploys a stack: a person of its layer's duty, for an hour."""
        return self.people.environment(ROLES[stack])

    def pulumi(self, *arguments: str, stack: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the CLI on a stack as whoever deploys it. Raises SessionError if `check` fails."""
        return self.session.pulumi(
            *arguments, "--stack", stack, directory=self.project, environment=self.deployer(stack), check=check
        )

    @property
    def clients(self) -> StackClients:
        """The library's clients of the stack as the account's administrator has them.

        A set for each caller, because boto3's sessions are not for sharing.
        """
        assert self.manifest is not None
        self.administer(WORKLOAD)
        return StackClients(self.manifest, boto_session(region_name=self.manifest.region))

    def clients_of(self, role: Role, person: str | None = None) -> StackClients:
        """The library's clients of the stack as a role has them, borne by `person` or the first who may."""
        assert self.manifest is not None
        return StackClients(self.manifest, self.people.as_(role, person))

    @cached_property
    def installed(self) -> Inventory:
        """What is installed here, as of today: the same gates are measured once, so this is taken once."""
        return take_inventory(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))

    @property
    def anchor(self) -> Anchor:
        """From where everybody's trust starts."""
        return Anchor(self.fingerprint)

    def trust(self, role: Role, vault: VaultReader | None = None) -> Trust:
        """What a role believes of the trust root in the vault, or in another half of it."""
        return trust_from(self.anchor, vault or self.clients_of(role).vault_reader, now=datetime.now(UTC))

    @cached_property
    def people(self) -> People:
        """Everybody who has a duty."""
        return People(self.session, self.checkout, self.acts_as)

    def acts_as(self, arn: str) -> None:
        """Note as whom the step that calls this acts."""
        self._actors.setdefault(threading.current_thread().name, {})[arn] = None

    def actors(self, step: str) -> tuple[str, ...]:
        """Return the ARNs of the roles and users as whom a step has acted."""
        return tuple(self._actors.get(step, ()))

    def administer(self, *accounts: str) -> None:
        """Note that the step that calls this acts as the administrator of these accounts."""
        for account_id in accounts:
            own = f"arn:aws:iam::{account_id}:user/{ADMINISTRATOR}"
            self.acts_as(own if account_id == WORKLOAD else organization_role(account_id))

    def give_way(self) -> None:
        """Wait until the platform's update does little but wait for its databases."""
        while not self.waits_for_database.wait(0.5):
            self.busy("the platform has the processors")

    def busy(self, text: str) -> None:
        """Note what the step that calls this is at, for whoever waits."""
        self._activities[threading.current_thread().name] = text

    def busy_as(self, step: str, text: str) -> None:
        """Note what the step `step` is at, for whoever waits."""
        self._activities[step] = text

    def activity(self, step: str) -> str:
        """Return what a running step noted last."""
        return self._activities.get(step, "")

    def kept(self, name: str) -> Path:
        """Return where a file lies that the report shows."""
        self.kept_folder.mkdir(exist_ok=True)
        return self.kept_folder / name

    @property
    def kept_folder(self) -> Path:
        """Where files lie that the report shows, if there are any."""
        return self.session.directory / "kept"

    def keep(self, name: str, content: bytes) -> None:
        """Keep a file for the report."""
        self.kept(name).write_bytes(content)

    def keep_traceback(self, error: BaseException) -> str:
        """Write where an exception came from into a file, and return its path."""
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.logs / f"story-{datetime.now(UTC):%H%M%S%f}.log"
        path.write_text("".join(traceback.format_exception(error)))
        return str(path)

    def inventory(self) -> dict[str, list[str]]:
        """Return the ARNs of what there is in the local cloud, by service."""
        answer = self.session.ask("inventory")
        return {service: list(arns) for service, arns in answer.items() if isinstance(arns, list)}

    def enter_environment(self) -> None:
        """Put this process on the session's environment, as a user's shell would be."""
        replace_environment({**SET_FOR_CALLS, **self.session.environment})


@contextlib.contextmanager
def own_environment() -> Iterator[None]:
    """Give this process the environment back that it has now."""
    before = dict(os.environ)
    try:
        yield
    finally:
        replace_environment(before)


def replace_environment(variables: Mapping[str, str]) -> None:
    """Make `variables` all that this process's environment holds."""
    for name in [name for name in os.environ if name not in variables]:
        del os.environ[name]
    os.environ.update(variables)
