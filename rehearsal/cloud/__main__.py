"""`python -m rehearsal.cloud --directory DIR`: a local cloud until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import logging
import re
import signal
import sys
import threading
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit code."""
    options = _parser().parse_args(arguments)
    options.directory.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=options.directory / "cloud.log",
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        level=logging.INFO,
    )
    # What moto's own dependencies tell is of no use to a reader of this log.
    for chatty in ("botocore", "urllib3", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    from rehearsal.cloud.server import LocalCloud
    from rehearsal.cycles import look_seldom

    with LocalCloud(options.directory, options.account_id, options.region) as cloud:
        look_seldom()
        print(cloud.endpoint_url, flush=True)
        stopping.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.cloud", description="Run a local AWS until SIGTERM.")
    parser.add_argument("--directory", type=lambda text: Path(text).resolve(), required=True, help="where it keeps all")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--account-id", type=_account_id, default="123456789012")
    return parser


def _account_id(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text):
        raise argparse.ArgumentTypeError(f"an account id is 12 digits, not {text!r}")
    return text


if __name__ == "__main__":
    sys.exit(main())
