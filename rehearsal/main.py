"""The main job of `scripts/rehearse`, once the machine is prepared: the story, and what is left of it."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from interlock.failures import Failure
from rehearsal import kept, story
from rehearsal.layers import FOUNDATION
from rehearsal.owner import CHECKOUT
from rehearsal.session import Session, SessionError
from rehearsal.setup.progress import Progress
from rehearsal.setup.runs import VARIABLE as RUN
from rehearsal.setup.tools import Tools, prepare
from rehearsal.warden import keep_running

OUTSIDE_FAILED = 3
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Tell the story below a warden; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/rehearse")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--destroy", action="store_true")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    tools = Tools.from_environment() or prepare(Progress(), Path(sys.executable))
    session = Session(Path(os.environ[RUN]) / "session", tools)
    try:
        code = story.tell(session, options.report, destroy=options.destroy)
        if code == 0 and options.keep:
            return keep(session)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Failure as failure:
        print("\n".join(filter(None, [str(failure), failure.next_step])), file=sys.stderr)
        return failure.exit_code
    except SessionError as error:
        print(error, file=sys.stderr)
        return OUTSIDE_FAILED
    finally:
        session.close()
    return code


def keep(session: Session) -> int:
    """Let the session outlive this process, and say how to use it; 1 if another is kept already."""
    running = kept.find(CHECKOUT)
    if running:
        print(f"Another rehearsal was kept meanwhile ({running.run}); this one ends.", file=sys.stderr)
        return 1
    warden = int(os.environ["INTERLOCK_WARDEN"])
    additions = {**session.additions, "INTERLOCK_ROOT_FINGERPRINT": session.root_fingerprint}
    kept.note(CHECKOUT, kept.Kept(Path(os.environ[RUN]), warden, additions, session.places))
    session.keep()
    keep_running()
    print(how_to_use(session))
    return 0


def how_to_use(session: Session) -> str:
    """What the user reads when the rehearsal is kept."""
    cloud = session.cloud
    names = ", ".join([*cloud.accounts, *session.people])
    return f"""
The local cloud goes on running at {cloud.endpoint_url}
  in the accounts {", ".join(f"{name} {account_id}" for name, account_id in cloud.accounts.items())}
  and the regions {", ".join(cloud.regions)}.

  eval "$(scripts/rehearse --env)"     puts this shell on it
  pulumi preview                       works on the stack `{session.stack}`; so do up, stack output, refresh, destroy
  env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_PROFILE=foundation-1 pulumi preview --stack {FOUNDATION}
                                       the foundation that it stands on, which only its own people enter
  interlock --help                     the platform's own commands; `mlflow` and any AWS client are on it too
  aws --profile evidence …             acts in another account, or as a person, pipeline or service in their role
                                       (profiles: {names})
{as_somebody(session)}  scripts/rehearse --down              ends it
"""


def as_somebody(session: Session) -> str:
    """How the platform's own commands are used by those who have duties, who enter no Pulumi backend."""
    return f"""  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; export INTERLOCK_STACK={session.manifest_uri}
  AWS_PROFILE=auditor-1 interlock …    the platform's own commands as somebody who has a duty
"""


def _interrupt(*_: object) -> None:
    # Once is enough: what follows is the taking down, which a second signal must not break off.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
