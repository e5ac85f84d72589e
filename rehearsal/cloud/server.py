"""One local cloud: its services started and corrected, its HTTP port, and everything taken back at the end."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import moto.iam.models
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.responses import BaseResponse

from rehearsal.cloud.accounts import (
    ACCESS_KEY_ID,
    RECOVERY_REGION,
    REGION,
    SECRET_ACCESS_KEY,
    WORKLOAD,
    accounts,
    credentials,
    organization_role,
)
from rehearsal.cloud.addresses import Addresses
from rehearsal.cloud.authorization.authorizer import Authorizer
from rehearsal.cloud.callers import access_key_of
from rehearsal.cloud.certificates import CertificateAuthority
from rehearsal.cloud.containers import IMAGES, Containers
from rehearsal.cloud.context import CloudContext
from rehearsal.cloud.credentials import RoleNotFound, assume_as_service
from rehearsal.cloud.dispatch import Dispatcher
from rehearsal.cloud.listener import HttpServer
from rehearsal.cloud.network.fabric import Network
from rehearsal.cloud.processes import Processes
from rehearsal.cloud.service import Correction, Patches, Service
from rehearsal.cloud.services import discover
from rehearsal.cloud.services.acm import PROVIDED

LOOPBACK = "127.0.0.1"
DESCRIPTION = "cloud.json"
_log = logging.getLogger(__name__)


@dataclass
class LocalCloud:
    """A local AWS. One at a time in a process, because moto keeps its state in its modules.

    As a context manager it is started on entry and stopped on exit; `context.endpoint_url` is where it answers.
    """

    directory: Path
    account_id: str = WORKLOAD
    region: str = REGION
    context: CloudContext = field(init=False)
    _applied: list[Patches] = field(default_factory=list, init=False)
    _clients: dict[tuple[str, str | None, str], Any] = field(default_factory=dict, init=False)
    _started: list[Service] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """Where every service answers."""
        return self.context.endpoint_url

    @property
    def services(self) -> Sequence[Service]:
        """Every service of this cloud, in the order they start."""
        return list(self.context.services.values())

    def corrections(self) -> Mapping[str, Correction]:
        """Return all corrections by name, in the order they are applied."""
        return {known.name: known for service in self.services for known in service.corrections()}

    def start(self) -> None:
        """Make, correct and start every service, then listen; `cloud.json` is written last."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        BackendDict.reset()
        self.context = self._context()
        self._own_account = Patches()
        self._own_account.replace(moto.iam.models, "DEFAULT_ACCOUNT_ID", self.account_id)
        # Moto looks for keys of 20 characters only.
        self._own_account.replace(BaseResponse, "get_access_key", access_key_of)
        for kind in discover():
            self.context.services[kind] = kind(self.context)
        self._correct()
        concurrent = frozenset[str]().union(*(service.concurrent for service in self.services))
        pages: dict[str, Callable[..., Any]] = {
            "health": self.health,
            "inventory": self.inventory,
            "certificate": self.certificate,
            "token": self.token,
            "decisions": self.context.authorizer.decisions.page,
            "service-session": self.service_session,
        }
        self._dispatcher = Dispatcher(
            self.region, concurrent, pages, {service.name: service for service in self.services}
        )
        self.context.turn = self._dispatcher.turn
        self._server = HttpServer(LOOPBACK, self._dispatcher)
        self.context.endpoint_url = self._server.url
        self.context.network.offer(self._dispatcher, self._server.server_port)
        self.context.containers.client_environment = self.context.client_environment()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()
        try:
            for service in self.services:
                self._started.append(service)
                service.start()
        except BaseException:
            self.stop()
            raise
        self._describe()

    def stop(self) -> None:
        """Stop listening, the services side by side, all processes, and undo the corrections."""
        (self.directory / DESCRIPTION).unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with ThreadPoolExecutor(max_workers=len(self._started) or 1) as pool:
            for service, stopped in [(one, pool.submit(one.stop)) for one in reversed(self._started)]:
                try:
                    stopped.result()
                except Exception:
                    _log.exception("%s did not stop cleanly", service.name)
        self._started.clear()
        self.context.network.close()
        self.context.processes.close()
        self.context.addresses.close()
        self._uncorrect()
        self._own_account.undo()
        BackendDict.reset()

    def certificate(self, domain: str) -> Mapping[str, str]:
        """Issue a certificate for `domain` on this cloud's load balancers, import it into ACM in each of the regions.

        Return its ARN there, by region.
        """
        issued = self.context.authority.issue(domain, [domain], self.context.addresses.load_balancer_addresses)
        return {
            region: self.client("acm", region_name=region).import_certificate(
                Certificate=issued.certificate,
                PrivateKey=issued.private_key,
                CertificateChain=issued.chain,
                Tags=[{"Key": name, "Value": value} for name, value in PROVIDED.items()],
            )["CertificateArn"]
            for region in self.context.regions
        }

    def token(self, issuer: str, audience: str, subject: str) -> Mapping[str, str]:
        """Return a token of the identity provider `issuer` (a URL), as it gives one to a job of its own."""
        return {"token": self.context.issuer.token(issuer, audience, subject, self.context.now())}

    def service_session(self, role: str, service: str, name: str) -> Mapping[str, str]:
        """Begin a session of `role` for a service of AWS, and return its credentials, or why there are none."""
        try:
            session = assume_as_service(self.context, service, role, name)
        except RoleNotFound:
            return {"refused": f"{service} may not assume {role}"}
        return {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": session.expiration.replace(tzinfo=UTC).isoformat(),
        }

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Answer as moto does where the correction `name` is concerned, with all others in force."""
        assert name in self.corrections(), f"no service declares a correction {name!r}"
        self._correct(leaving_out=name)
        try:
            yield
        finally:
            self._correct()

    def _correct(self, leaving_out: str | None = None) -> None:
        # All are taken back first: two may replace the same attribute, and only in order do they stack.
        self._uncorrect()
        for known in self.corrections().values():
            if known.name != leaving_out:
                patches = Patches()
                self._applied.append(patches)
                known.apply(patches)

    def _uncorrect(self) -> None:
        while self._applied:
            self._applied.pop().undo()

    def health(self) -> Mapping[str, Any]:
        """Return what runs here."""
        return {"status": "ok", **self._places(), "services": self._names()}

    def inventory(self) -> Mapping[str, Sequence[str]]:
        """Return, for each service, the sorted ARNs of what callers made and have not deleted."""
        return {service.name: sorted(service.inventory()) for service in self.services}

    def client(self, service: str, *, account: str | None = None, **options: Any) -> Any:
        """Return a boto3 client of this cloud that shows each error at once instead of trying again.

        `account` is what one of the organization's other accounts is for; its administrator's role is assumed.
        """
        place = (service, account, str(options.get("region_name", self.region)))
        shared = not options.keys() - {"region_name"}
        if shared and place in self._clients:
            return self._clients[place]
        if account is not None and self.context.accounts[account] != self.account_id:
            role = organization_role(self.context.accounts[account])
            options |= credentials(self.client("sts").assume_role(RoleArn=role, RoleSessionName="administrator"))
        options.setdefault("region_name", self.region)
        options.setdefault("aws_access_key_id", ACCESS_KEY_ID)
        options.setdefault("aws_secret_access_key", SECRET_ACCESS_KEY)
        options.setdefault("config", Config(retries={"total_max_attempts": 1}))
        made = boto3.client(service, endpoint_url=self.endpoint_url, **options)  # type: ignore[call-overload]
        if shared:
            self._clients[place] = made
        return made

    def _places(self) -> Mapping[str, Any]:
        return {
            "account_id": self.account_id,
            "region": self.region,
            "accounts": self.context.accounts,
            "regions": self.context.regions,
        }

    def _names(self) -> Sequence[str]:
        return [service.name for service in self.services]

    def _context(self) -> CloudContext:
        processes = Processes()
        addresses = Addresses()

        context = CloudContext(
            directory=self.directory,
            account_id=self.account_id,
            region=self.region,
            accounts=accounts(self.account_id),
            regions=list(dict.fromkeys([self.region, RECOVERY_REGION])),
            now=_now,
            processes=processes,
            addresses=addresses,
            containers=Containers(processes, addresses, images=self._images()),
            authority=CertificateAuthority(self.directory / "authority", _now),
        )
        context.network = context.containers.network = Network(context)
        context.authorizer = Authorizer(context)
        return context

    def _images(self) -> Path:
        """Return this cloud's own copy of what images are built from, which a rehearsal may build differently."""
        own = self.directory / "images"
        if not own.exists():
            shutil.copytree(IMAGES, own, ignore=shutil.ignore_patterns("__pycache__"))
        return own

    def _describe(self) -> None:
        """Write `cloud.json` whole or not at all: its appearance means that the cloud is ready."""
        description = {
            "endpoint_url": self.endpoint_url,
            **self._places(),
            "certificate_authority": str(self.context.authority.certificate_file),
            "pid": os.getpid(),
        }
        draft = self.directory / f"{DESCRIPTION}.draft"
        draft.write_text(json.dumps(description, indent=2))
        draft.replace(self.directory / DESCRIPTION)


def _now() -> datetime:
    return datetime.now(UTC)
