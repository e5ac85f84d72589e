"""Steps about the models and MLflow: train, log and register, be refused."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import importlib.metadata
import io
import logging
import os
import ssl
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from interlock.duties.duty import Role
from interlock.mlflow.registry import Credentials
from rehearsal.story.candidates import CHALLENGER, TrainedModel, train_candidates
from rehearsal.story.context import REGISTERED_MODEL, Context
from rehearsal.story.loans import FEATURES, PROTECTED, LoanData, load_loans
from rehearsal.story.policy import data_source
from rehearsal.story.step import Seen, Unexpected

DATASET = "loanapp"
CONTRACT = Path(__file__).with_name("contract.yaml")
TRUSTED_TYPES = ("numpy.dtype",)
"""What the pipelines hold beyond the types that skops, the format without pickle, trusts by itself."""

HEALTHY_SECONDS = 120.0
"""A load balancer answers 503 until its targets have passed their first check."""

PREPARED = ("mlflow.sklearn", "skops.io", "pandera.pandas", "presidio_analyzer")
"""What takes seconds to load and is needed when there is no time."""

_VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


def train(context: Context) -> Seen:
    """Train the candidates, and load what the gates need while there is nothing to wait for."""
    context.give_way()
    context.data = load_loans()
    context.models = train_candidates(context.data)
    for module in PREPARED:
        importlib.import_module(module)
    _ = context.installed
    inputs = set(FEATURES) & set(PROTECTED)
    if inputs:
        raise Unexpected("no protected attribute among the inputs", ", ".join(sorted(inputs)))
    scores = "; ".join(f"{model.title}: AUC {model.area_under_curve:.3f}" for model in context.models)
    count = len(context.data.train) + len(context.data.held_out)
    return Seen(
        f"{scores} on {len(context.data.held_out)} held-out of {count} loan applications",
        {
            "applications": count,
            "held_out": len(context.data.held_out),
            "features": list(FEATURES),
            "models": [
                {"title": one.title, "area_under_curve": one.area_under_curve, "log_loss": one.log_loss}
                for one in context.models
            ],
        },
    )


def register(context: Context) -> Seen:
    """Log and register the candidates but the challenger with MLflow's own client, as the creator's user."""
    assert context.manifest is not None
    assert context.data is not None
    uri = context.manifest.tracking.uri
    with as_user_of(context, Role.CREATOR):
        import mlflow

        waited = _wait_until_healthy(context, uri)
        os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        context.busy("make an experiment")
        mlflow.set_experiment("loan-approval")
        for model in context.models[:CHALLENGER]:
            context.busy(f"log {model.title}")
            context.versions.append(_log(mlflow, model, context.data))
        client = mlflow.MlflowClient()
        found = sorted(one.version for one in client.search_model_versions(f"name = '{REGISTERED_MODEL}'"))
        client.set_registered_model_alias(REGISTERED_MODEL, "candidate", context.versions[-1])
        alias = client.get_model_version_by_alias(REGISTERED_MODEL, "candidate").version
    if [str(one) for one in found] != sorted(context.versions) or str(alias) != context.versions[-1]:
        raise Unexpected(f"the versions {context.versions} and an alias on the last", f"{found}, alias on {alias}")
    return Seen(
        f"{REGISTERED_MODEL}/{', '.join(context.versions)} at {uri}, over HTTPS",
        {"uri": uri, "versions": context.versions, "seconds_until_healthy": waited},
    )


def register_challenger(context: Context) -> None:
    """Log and register the challenger as the creator's user, after `register`."""
    assert context.data is not None
    with as_user_of(context, Role.CREATOR):
        import mlflow

        context.versions.append(_log(mlflow, context.models[CHALLENGER], context.data))


def _wait_until_healthy(context: Context, uri: str) -> float:
    """Wait for the first healthy answer, and return the seconds that took: MLflow's own retries are far apart."""
    begun = time.monotonic()
    trusted = ssl.create_default_context(cafile=context.session.environment["MLFLOW_TRACKING_SERVER_CERT_PATH"])
    while True:
        context.busy(f"waiting for {uri}/health")
        with contextlib.closing(
            http.client.HTTPSConnection(urlsplit(uri).netloc, context=trusted, timeout=30)
        ) as server:
            server.request("GET", "/health")
            status = server.getresponse().status
        waited = time.monotonic() - begun
        if status == http.HTTPStatus.OK:
            return waited
        if waited > HEALTHY_SECONDS:
            raise Unexpected(f"{uri}/health to answer 200", f"{status} for {waited:.0f} s")
        time.sleep(0.5)


def _log(mlflow: Any, model: TrainedModel, data: LoanData) -> str:
    # MLflow's client tells its successes on standard error.
    quiet = contextlib.redirect_stderr(io.StringIO())
    with quiet, warnings.catch_warnings(), mlflow.start_run(run_name=model.title):
        warnings.simplefilter("ignore")
        mlflow.log_params({"kind": model.title, "rows": len(data.train)})
        mlflow.log_metrics({"area_under_curve": model.area_under_curve, "log_loss": model.log_loss})
        # MLflow has no kind of source for a package; what is told is where the file lies, and that is in one.
        source = importlib.import_module("mlflow.data.sources").LocalArtifactDatasetSource(data_source())
        mlflow.log_input(mlflow.data.from_pandas(data.train.inputs, source=source, name=DATASET), context="training")
        signature = mlflow.models.infer_signature(data.train.inputs, model.predict(data.train.inputs))
        info = mlflow.sklearn.log_model(
            model.pipeline,
            name="model",
            signature=signature,
            registered_model_name=REGISTERED_MODEL,
            pyfunc_predict_fn="predict_proba",
            skops_trusted_types=list(TRUSTED_TYPES),
            # Named, because otherwise MLflow loads the model once more to find them out.
            pip_requirements=[_pinned(name) for name in ("mlflow", "scikit-learn", "skops", "numpy", "pandas")],
        )
        # Beside the model, where every gate finds it; before anybody asks for a release.
        mlflow.MlflowClient().log_model_artifact(info.model_id, str(CONTRACT))
    return str(info.registered_model_version)


def _pinned(package: str) -> str:
    return f"{package}=={importlib.metadata.version(package)}"


def refused(context: Context) -> Seen:
    """Ask the server for its models without credentials, and with wrong ones."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    assert context.manifest is not None
    uri = context.manifest.tracking.uri
    answers = {}
    for who, credentials in (("nobody", None), ("a wrong password", Credentials("admin", "not-the-password"))):
        with _credentials(credentials):
            try:
                models = MlflowClient(uri, uri).search_registered_models()
            except MlflowException as error:
                answers[who] = error.message
            else:
                raise Unexpected(f"MLflow to refuse {who}", f"it listed {len(models)} models")
    wrong = {who: said for who, said in answers.items() if "401" not in said and "authenticat" not in said.lower()}
    if wrong:
        raise Unexpected("401, not authenticated", str(wrong))
    return Seen("MLflow answers 401 without credentials and with a wrong password", {"answers": answers})


@contextlib.contextmanager
def as_user_of(context: Context, role: Role) -> Iterator[None]:
    """Let MLflow's client be a duty's user, whose password its role reads."""
    with _credentials(tracking_credentials(context, role)):
        yield


def tracking_credentials(context: Context, role: Role) -> Credentials:
    """Return a duty's credentials at MLflow, as its role reads them."""
    assert context.manifest is not None
    return context.clients_of(role).tracking_credentials(context.manifest.tracking.user_secret_arns[role.value])


@contextlib.contextmanager
def _credentials(credentials: Credentials | None) -> Iterator[None]:
    given = (credentials.username, credentials.password) if credentials is not None else ("", "")
    before = {name: os.environ[name] for name in _VARIABLES}
    os.environ.update(dict(zip(_VARIABLES, given, strict=True)))
    try:
        yield
    finally:
        os.environ.update(before)
