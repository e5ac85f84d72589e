"""Names that AWS would not take with what the program puts around them, or that say one thing of another."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.rules import Problem
from interlock.settings.reading import SettingsError, read_settings
from policy.recording.monitor import record
from stacks.program import provision
from tests.provisioned.projects import config_of
from tests.stacks.configurations import as_handed_over

MODEL_AND_ENDPOINT, BUCKET, ROLE = 63, 63, 64
PLATFORM = [f"interlock:{name}" for name in ("network", "tracking", "endpoints", "runner", "budget")]
RANDOM = len("-1234567")


def configured(endpoint: str, **changed: Any) -> dict[str, str]:
    config = config_of("prod")
    config["interlock:endpoints"] = [{**config["interlock:endpoints"][0], "name": endpoint, **changed}]
    return as_handed_over(config)


def told(stack: str, endpoint: str, **changed: Any) -> list[Problem]:
    try:
        read_settings(stack, configured(endpoint, **changed))
    except SettingsError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize(
    ("stack", "longest", "changed"),
    [("prod", 38, {}), ("s" * 30, 22, {}), ("prod", 30, {"data_capture_percent": 5})],
    ids=["the model", "the endpoint", "the bucket of what is captured"],
)
def test_an_endpoint_is_named_as_long_as_all_that_is_named_after_it_can_be(
    stack: str, longest: int, changed: dict[str, Any]
) -> None:
    assert told(stack, "e" * longest, **changed) == []
    (problem,) = told(stack, "e" * (longest + 1), **changed)
    assert problem.path == "interlock:endpoints[0].name"
    assert problem.accepted.startswith(f"up to {longest} characters, as ")

    config = configured("e" * longest, **changed)
    made = record(lambda: provision(config), preview=False, stack=stack)
    lengths = [len(one.inputs["name"]) for one in made.of_type("aws:sagemaker/endpoint:Endpoint")]
    lengths += [len(one.name) + RANDOM for one in made.of_type("aws:sagemaker/model:Model")]
    lengths += [len(one.name) + RANDOM for one in made.of_type("aws:s3/bucket:Bucket")]
    assert max(lengths) == MODEL_AND_ENDPOINT == BUCKET


def test_a_stack_is_named_as_long_as_its_roles_can_be() -> None:
    assert told("s" * 38, "credit") == []
    (problem,) = told("s" * 39, "credit")
    assert (problem.path, problem.accepted.split(",")[0]) == ("the stack's name", "up to 38 characters")

    made = record(lambda: provision(configured("credit")), preview=False, stack="s" * 38)
    assert max(len(one.inputs.get("name", "")) for one in made.of_type("aws:iam/role:Role")) == ROLE


def test_roles_are_named_after_the_platform_where_the_foundation_is_a_stack_of_its_own() -> None:
    config = {key: value for key, value in config_of("prod").items() if key not in PLATFORM}
    for platform, refused in (("p" * 38, []), ("p" * 39, ["interlock:duties.platform_stack"])):
        duties = {**config["interlock:duties"], "platform_stack": platform}
        settings = as_handed_over({**config, "interlock:layers": ["foundation"], "interlock:duties": duties})
        try:
            read_settings("f" * 40, settings)
            told = []
        except SettingsError as error:
            told = [one.path for one in error.problems]
        assert told == refused


@pytest.mark.parametrize("environment", ["dev", "local", "staging"])
def test_a_stack_that_is_named_prod_cannot_be_made_another_environment_to_get_around_its_demands(
    environment: str,
) -> None:
    config = {**configured("credit"), "interlock:environment": environment}
    with pytest.raises(SettingsError) as refused:
        read_settings("prod", config)
    (problem,) = [one for one in refused.value.problems if one.path == "interlock:environment"]
    assert problem.accepted.startswith("prod, as the stack is named")
