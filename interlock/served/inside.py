"""Serves a model over HTTP inside its confinement: the application and the protocol of the serving container.

The connection was made outside and is handed in; there is no call left to open or to accept another.
"""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any, Final

from interlock.sandbox import view
from interlock.sandbox.plan import Plan
from interlock.sandbox.wire import message
from interlock.serving.application import application

_LONGEST_REASON: Final = 1000


def serve(plan: Plan) -> int:
    """Load the model and answer requests until this process is ended; return the exit status if there is no model."""
    os.write(plan.answers, message({"confined": True}))
    try:
        app = application(Path(view.MODEL))
        asyncio.run(_answer(app, plan))
    # Whatever it is, an exit included: it is the model that raised it, and the other side is to hear of it.
    except BaseException as error:
        os.write(plan.answers, message({"failed": _reason(error)}))
    return 1


async def _answer(app: Any, plan: Plan) -> None:
    import uvicorn
    from uvicorn.server import ServerState

    config = uvicorn.Config(app, log_level="critical", access_log=False)
    config.load()
    lifespan = config.lifespan_class(config)
    await lifespan.startup()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=plan.requests)
    connection.setblocking(False)
    state = ServerState()

    def protocol() -> Any:
        made: Any = config.http_protocol_class
        return made(config=config, server_state=state, app_state=lifespan.state)

    await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
    os.write(plan.answers, message({"loaded": True}))
    await asyncio.Event().wait()


def _reason(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:_LONGEST_REASON].encode("utf-8", "replace").decode()
    except BaseException:
        return "an exception that cannot be told"
