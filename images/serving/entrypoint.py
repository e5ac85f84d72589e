"""Serve the MLflow model of a directory over HTTP.

`GET /ping` answers 200 once the model is loaded, `POST /invocations` speaks MLflow's scoring protocol
(https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally), `GET /version` names MLflow's version. Without
model data the server *holds*: it is healthy and answers every invocation with 503. A model that does not load ends
the process with status 1 and one line.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

# A pooled client may reuse a connection a minute later; it must not find it closed by us at that very moment.
KEEP_ALIVE_SECONDS = 90


# Requests are answered side by side, so one needs but one core. Where OpenMP's threads outnumber the cores that are
# free, each waits for the others in a busy loop: a small tree model took ten times as long.
ONE_CORE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ModelDoesNotLoad(Exception):
    """What lies in the model directory is not a model that MLflow can load."""


def drop_credentials() -> None:
    """Take everything of AWS out of the environment: model code is its creator's and runs next to no credential."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]


def keep_to_one_core() -> None:
    """Let numeric libraries, when they are loaded, start no threads of their own."""
    os.environ.update(dict.fromkeys(ONE_CORE, "1"))


def application(model_directory: Path) -> FastAPI:
    """Return the web application for what lies in `model_directory`. Raises ModelDoesNotLoad."""
    if not model_directory.is_dir() or not any(model_directory.iterdir()):
        return holding_application()
    if not (model_directory / "MLmodel").is_file():
        found = ", ".join(sorted(entry.name for entry in model_directory.iterdir())[:5])
        raise ModelDoesNotLoad(f"{model_directory} holds no file MLmodel, only {found}")
    import mlflow.pyfunc
    from mlflow.pyfunc import scoring_server

    try:
        model = mlflow.pyfunc.load_model(str(model_directory))
    # Model code may raise anything while it is unpickled; whatever it is, the container cannot serve.
    except Exception as error:
        raise ModelDoesNotLoad(f"{type(error).__name__}: {' '.join(str(error).split())}") from error
    app: FastAPI = scoring_server.init(model)
    return app


def holding_application() -> FastAPI:
    """Return the application of a server that has no model: healthy, and serving nothing.

    MLflow is not imported for it, which would take longer than all the rest.
    """
    from fastapi import FastAPI, Response

    app = FastAPI()

    @app.get("/ping")
    def ping() -> Response:
        return Response("\n", media_type="application/json")

    @app.get("/version")
    def version() -> Response:
        return Response(metadata.version("mlflow"), media_type="application/json")

    @app.post("/invocations")
    def invocations() -> Response:
        refusal = '{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "no release is deployed here yet"}'
        return Response(refusal, status_code=503, media_type="application/json")

    return app


def main() -> int:
    """Read the arguments, load, serve; return the exit status."""
    parser = argparse.ArgumentParser(description="Serve the MLflow model of a directory.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--model-dir", type=Path, default=Path("/opt/ml/model"))
    parser.add_argument("command", nargs="?", choices=["serve"], default="serve", help="what SageMaker passes")
    arguments = parser.parse_args()
    drop_credentials()
    keep_to_one_core()
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    try:
        app = application(arguments.model_dir)
    except ModelDoesNotLoad as error:
        print(f"the model does not load: {error}", file=sys.stderr)
        return 1
    import uvicorn

    uvicorn.run(
        app,
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
