"""A main job without a story, for tests of what owns it: `start` a session and end, `keep` it, or `stay`."""

import os
import sys
import time
from pathlib import Path

from rehearsal.main import keep
from rehearsal.session import Session
from rehearsal.setup.runs import VARIABLE
from rehearsal.setup.tools import Tools


def main() -> int:
    tools = Tools.from_environment()
    assert tools is not None
    session = Session(Path(os.environ[VARIABLE]) / "session", tools)
    session.start()
    session.select_stack()
    (session.directory / "started").touch()
    if sys.argv[1] == "keep":
        return keep(session)
    if sys.argv[1] == "stay":
        time.sleep(600)
    session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
