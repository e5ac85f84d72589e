"""The web application of one MLflow model, or of none.

`GET /ping` answers 200 once the model is loaded, `POST /invocations` speaks MLflow's scoring protocol
(https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally), `GET /version` names MLflow's version. Without
model data the server *holds*: it is healthy and answers every invocation with 503.
"""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

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


def is_empty(directory: Path) -> bool:
    """Say whether there is nothing to load in `directory`."""
    return not directory.is_dir() or not any(directory.iterdir())


def application(model_directory: Path) -> FastAPI:
    """Return the web application for what lies in `model_directory`. Raises ModelDoesNotLoad."""
    if is_empty(model_directory):
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
