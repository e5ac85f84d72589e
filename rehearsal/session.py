"""One local cloud with the engine beside it, and the environment in which any tool finds both."""

import contextlib
import http.client
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import boto3

from rehearsal.cloud.accounts import ACCESS_KEY_ID, SECRET_ACCESS_KEY, credentials, organization_role
from rehearsal.coming import AnyEntrance, write_entrances
from rehearsal.profiles import add_people, write_profiles
from rehearsal.session_folder import lay_out, script
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import Tools, prepare
from rehearsal.shell_lines import MISLEADING, export_lines, on_path
from rehearsal.warden import Ward

STACK = "local"
PASSPHRASE = "rehearsal"  # noqa: S105 (it guards nothing: the state holds the secrets of a cloud that is thrown away)
START_SECONDS = 120.0
SOCKET_PATH_LIMIT = 100
"""A unix socket's path has at most 107 bytes (unix(7))."""


class SessionError(Exception):
    """A part of the session did not start; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Cloud:
    """What a running local cloud says of itself."""

    endpoint_url: str
    account_id: str
    region: str
    accounts: Mapping[str, str]
    """Account ids by what they are for: workload, evidence, audit."""
    regions: Sequence[str]
    """The primary region, then that of recovery."""
    certificate_authority: Path


class Session:
    """A local cloud and a provider host in one folder; as a context manager, started on entry and ended on exit."""

    cloud: Cloud

    def __init__(self, directory: Path, tools: Tools) -> None:
        self.directory = directory.resolve()
        self.tools = tools
        self.stack = STACK
        self.backend_url = self.own_backend_url
        self.people: tuple[str, ...] = ()
        """The profiles of people, pipelines and services who came in."""
        self.root_fingerprint = ""
        """Of the trust root, once it is founded."""
        self.manifest_uri = ""
        """Where those who enter no Pulumi backend find the stack manifest, once there is one."""
        self._wards: list[Ward] = []
        self._socket_folder = self.directory if len(str(self.directory)) < SOCKET_PATH_LIMIT - 12 else None
        self._kept = False

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start both and wait until they answer. Raises SessionError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        lay_out(self.directory, self.tools)
        if self._socket_folder is None:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="interlock-"))
        description = self.directory / "cloud" / "cloud.json"
        # Left by a session that was killed in this folder, they would look like an answer of this one.
        for answer in (self.socket, description):
            answer.unlink(missing_ok=True)
        self._start("engine", ["-m", "rehearsal.engine.host", *self._engine_arguments()], self.socket.exists)
        self._start("cloud", ["-m", "rehearsal.cloud", "--directory", str(description.parent)], description.exists)
        read = json.loads(description.read_text())
        self.cloud = Cloud(
            read["endpoint_url"],
            read["account_id"],
            read["region"],
            read["accounts"],
            read["regions"],
            Path(read["certificate_authority"]),
        )
        write_profiles(self.directory / "aws", self.cloud.endpoint_url, self.cloud.region, self.cloud.accounts)

    def close(self) -> None:
        """End everything that was started; returns when it is gone."""
        if self._kept:
            return
        while self._wards:
            self._wards.pop().stop()
        if self._socket_folder not in (None, self.directory):
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    def keep(self) -> None:
        """Let everything outlive this process."""
        self._kept = True
        for ward in self._wards:
            ward.keep()

    @property
    def socket(self) -> Path:
        """Where the provider host listens."""
        assert self._socket_folder is not None
        return self._socket_folder / "engine.sock"

    @property
    def bin(self) -> Path:
        """The folder of executables that a shell puts first on its PATH."""
        return self.directory / "bin"

    @property
    def places(self) -> list[str]:
        """The folders that come first on PATH: the session's executables, then the Python that has the packages."""
        return [str(self.bin), str(self.tools.python.parent)]

    @property
    def own_backend_url(self) -> str:
        """Where stacks' states lie unless `backend_url` says otherwise: in the session's folder."""
        # Without a file of checksums beside each state, which takes longer to make than the state.
        return f"file://{self.directory / 'state'}?metadata=skip"

    @property
    def additions(self) -> Mapping[str, str]:
        """The variables, PATH aside, that put a process on this session."""
        return {
            "PULUMI_HOME": str(self.directory / "pulumi"),
            "PULUMI_BACKEND_URL": self.backend_url,
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # Most of an operation is waiting for AWS to settle, so the processors say little about how many may run.
            "PULUMI_PARALLEL": "64",
            # What `pulumi import` prints by default is made by Pulumi's own Python language host, which this is not.
            "PULUMI_OPTION_GENERATE_CODE": "false",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # A pulumi-resource-aws or a language host that the user has on PATH must not take the place of ours.
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "INTERLOCK_ENGINE_SOCKET": str(self.socket),
            "INTERLOCK_STACK": f"pulumi:{self.stack}",
            "AWS_ENDPOINT_URL": self.cloud.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_REGION": self.cloud.region,
            "AWS_DEFAULT_REGION": self.cloud.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(self.directory / "aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.directory / "aws" / "credentials"),
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(self.cloud.certificate_authority),
            **{name: _with_loopback(os.environ.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
        }

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, put on the session."""
        inherited = {name: value for name, value in os.environ.items() if name not in MISLEADING}
        return {**inherited, **self.additions, "PATH": on_path(self.places, os.environ.get("PATH", ""))}

    def pulumi(
        self,
        *arguments: str,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = 900,
    ) -> subprocess.CompletedProcess[str]:
        """Run the CLI, in the checkout and as the administrator unless told otherwise.

        Raises SessionError with its output if `check` fails.
        """
        answer = subprocess.run(
            [str(self.bin / "pulumi"), *arguments, "--non-interactive", "--color", "never"],
            cwd=directory or self.tools.checkout,
            env=self.environment if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and answer.returncode != 0:
            raise SessionError(
                f"pulumi {shlex.join(arguments)} ended with {answer.returncode}\n{answer.stdout}{answer.stderr}"
            )
        return answer

    def client(self, service: str, account: str = "workload", region: str | None = None) -> Any:
        """A boto3 client as administrator of an account (by what it is for), in the primary region unless given.

        In another account than the workload's it is good for an hour.
        """
        given = {"aws_access_key_id": ACCESS_KEY_ID, "aws_secret_access_key": SECRET_ACCESS_KEY}
        if self.cloud.accounts[account] != self.cloud.account_id:
            role = organization_role(self.cloud.accounts[account])
            given = credentials(self.client("sts").assume_role(RoleArn=role, RoleSessionName="administrator"))
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.cloud.endpoint_url,
            region_name=region or self.cloud.region,
            **given,
        )

    def ask(self, page: str, **parameters: str) -> Mapping[str, Any]:
        """Ask for one of the cloud's own pages, `/_interlock/<page>`. Raises SessionError."""
        connection = http.client.HTTPConnection(urlsplit(self.cloud.endpoint_url).netloc, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", f"/_interlock/{page}?{urlencode(parameters)}")
            answer = connection.getresponse()
            text = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise SessionError(f"the cloud's page {page} answered {answer.status}: {text[:300]!r}")
        document: Mapping[str, Any] = json.loads(text)
        return document

    def provide_certificate(self, domain: str) -> str:
        """Put a certificate for `domain` and all load balancers into ACM in every region; return the primary's ARN."""
        return str(self.ask("certificate", domain=domain)[self.cloud.region])

    def let_in(self, entrances: Mapping[str, AnyEntrance]) -> None:
        """Give each entrance an AWS profile of its name."""
        self.people = tuple(entrances)
        file, command = self.directory / "people.json", self.bin / "come"
        write_entrances(file, entrances)
        # Whoever asks for credentials may have an environment of its own.
        found = {
            "PYTHONPATH": str(self.tools.checkout),
            "AWS_ENDPOINT_URL": self.cloud.endpoint_url,
            "AWS_DEFAULT_REGION": self.cloud.region,
        }
        variables = [f"{name}={value}" for name, value in found.items()]
        script(command, Path("env"), *variables, str(self.tools.python), "-P", "-m", "rehearsal.coming", str(file))
        add_people(self.directory / "aws", self.cloud.endpoint_url, self.cloud.region, entrances, (str(command),))

    def select_stack(self, name: str = STACK) -> None:
        """Make `name` what the CLI works on in the checkout; created if there is none."""
        self.pulumi("stack", "select", "--create", name)
        self.stack = name

    def _engine_arguments(self) -> list[str]:
        cache = self.tools.cache / "schemas"
        return ["--socket", str(self.socket), "--provider", str(self.tools.provider), "--cache", str(cache)]

    def _start(self, name: str, arguments: list[str], ready: Callable[[], bool]) -> None:
        log = self.directory / "logs" / f"{name}.log"
        environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
        with log.open("ab") as output:
            ward = Ward([self.tools.python, *arguments], environment=environment, output=output)
        self._wards.append(ward)
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if ward.process.poll() is not None:
                raise SessionError(f"the {name} ended while starting:\n{_tail(log)}")
            if time.monotonic() > deadline:
                raise SessionError(f"the {name} did not start within {START_SECONDS:.0f} s:\n{_tail(log)}")
            time.sleep(0.05)


def _with_loopback(no_proxy: str) -> str:
    return ",".join(filter(None, [no_proxy, "127.0.0.0/8,127.0.0.1,localhost"]))


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])


def main() -> None:
    """Start a session in the folder given, print how a shell gets onto it, and wait to be interrupted."""
    tools = Tools.from_environment() or prepare(Progress(), Path(sys.executable))
    with Session(Path(sys.argv[1]), tools) as session, contextlib.suppress(KeyboardInterrupt):
        print(export_lines(session.additions, on_path(session.places, os.environ.get("PATH", ""))), flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
