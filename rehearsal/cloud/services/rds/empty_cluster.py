"""What `initdb` makes, once for a cloud: every new server starts from a copy, which takes a tenth of the time."""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

from rehearsal.cloud import privileges
from rehearsal.cloud.certificates import write_private
from rehearsal.cloud.processes import Processes
from rehearsal.cloud.services.rds.postgres import (
    ADMINISTRATOR,
    INSTALLATION,
    REPLICATOR,
    ServerFailed,
    end_of,
    postgres_program,
)


class EmptyCluster:
    """A folder such as `PostgresServer.copy_to` makes, of a server without roles but the administrator's."""

    def __init__(self, processes: Processes, directory: Path) -> None:
        self._processes = processes
        self._directory = directory
        self._making = threading.Lock()
        self._is_made = False

    def folder(self) -> Path:
        """Return the folder, made when it is first asked for. Raises ServerFailed."""
        with self._making:
            if not self._is_made:
                self._make()
                self._is_made = True
        return self._directory

    def _make(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        password = self._directory / "administrator"
        write_private(password, secrets.token_urlsafe(24).encode())
        # In the form of libpq's password file, which a standby gives to its connection.
        write_private(self._directory / "replicator", f"*:*:*:{REPLICATOR}:{secrets.token_urlsafe(24)}".encode())
        privileges.give_away(self._directory)
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync", "--no-instructions"]
        user = [f"--username={ADMINISTRATOR}", f"--pwfile={password}"]
        arguments = [str(INSTALLATION / "bin" / "initdb"), f"--pgdata={self._directory / 'data'}", *options, *user]
        made = self._processes.start(postgres_program(arguments, self._directory, self._directory / "initdb.log"))
        if made.wait(120) != 0:
            made.kill()
            raise ServerFailed(f"initdb failed: {end_of(made.log)}")
