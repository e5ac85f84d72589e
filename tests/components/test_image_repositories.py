"""Repositories: tags stay, pushes are scanned and copied, other accounts pull and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.image_repositories import IMAGES
from interlock.duties.landscape import REPLICATION_CLAIM
from policy.recording.answers import ACCOUNT, RECOVERY_REGION, REGION
from policy.recording.monitor import Recording, record
from tests.components.programs import FOUNDATION_ROLE, make

REPOSITORY = "aws:ecr/repository:Repository"
REPLICATION = "aws:ecr/replicationConfiguration:ReplicationConfiguration"


@pytest.fixture(params=[True, False], ids=["preview", "up"])
def preview(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def made(preview: bool, **changed: Any) -> Recording:
    def program() -> None:
        make("ImageRepositories", **changed)

    return record(program, preview=preview)


def test_there_is_a_repository_an_image_whose_tags_stay_and_whose_pushes_are_scanned(preview: bool) -> None:
    found = {one.inputs["name"]: one.inputs for one in made(preview).of_type(REPOSITORY)}
    assert set(found) == {f"interlock/one/{image}" for image in IMAGES}
    for one in found.values():
        assert one["imageTagMutability"] == "IMMUTABLE"
        assert one["imageScanningConfiguration"] == {"scanOnPush": True}
        assert one["encryptionConfigurations"][0]["encryptionType"] == "KMS"
        assert one["forceDelete"] is False


def test_the_workload_account_pulls_and_only_administrators_delete(preview: bool) -> None:
    policy = made(preview).one("aws:ecr/repositoryPolicy:RepositoryPolicy", "one-serving-policy").inputs["policy"]
    found = {one["Sid"]: one for one in json.loads(policy)["Statement"]}
    assert found["ShareImages"]["Principal"] == {"AWS": "arn:aws:iam::444455556666:root"}
    assert found["DenyUnfastening"]["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": [FOUNDATION_ROLE]}}


def test_only_images_without_a_tag_go_by_themselves(preview: bool) -> None:
    recording = made(preview, untagged_days=3)
    policy = recording.one("aws:ecr/lifecyclePolicy:LifecyclePolicy", "one-mlflow-lifecycle").inputs["policy"]
    (rule,) = json.loads(policy)["rules"]
    assert rule["selection"] == {
        "tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 3,
    }  # fmt: skip


def test_every_push_under_the_prefix_is_copied_to_the_other_region(preview: bool) -> None:
    (rule,) = made(preview).one(REPLICATION).inputs["replicationConfiguration"]["rules"]
    assert rule["destinations"] == [{"region": RECOVERY_REGION, "registryId": ACCOUNT}]
    assert rule["repositoryFilters"] == [{"filter": "interlock/one/", "filterType": "PREFIX_MATCH"}]


def test_a_registry_is_claimed_before_what_it_copies_is_written(preview: bool) -> None:
    claim = made(preview).one("aws:ssm/parameter:Parameter", "one-replication-claim")
    assert (claim.inputs["name"], claim.inputs["value"]) == (REPLICATION_CLAIM, "interlock/one")
    # AWS refuses a parameter of a name that is there, and an overwrite would take the claim away from who has it.
    assert not claim.inputs.get("overwrite")


def test_what_other_stacks_and_existing_repositories_get_is_copied_too() -> None:
    changed = {"also_replicated": ["interlock/two"], "existing_repository_names": {"mlflow": "tools/mlflow"}}
    (rule,) = made(False, **changed).one(REPLICATION).inputs["replicationConfiguration"]["rules"]
    assert [one["filter"] for one in rule["repositoryFilters"]] == ["interlock/one/", "interlock/two/", "tools/mlflow"]


def test_without_another_region_nothing_is_copied() -> None:
    recording = made(True, replicate_to=...)
    assert recording.of_type(REPLICATION) == []
    assert recording.of_type("aws:ssm/parameter:Parameter") == []


def test_a_repository_that_there_is_already_is_used_as_it_is(preview: bool) -> None:
    recording = made(preview, existing_repository_names={"mlflow": "tools/mlflow"})
    assert "one-mlflow" not in {one.name for one in recording.of_type(REPOSITORY)}
    outputs = recording.outputs_of("interlock:images:ImageRepositories")
    assert (
        outputs["repositories"]
        if preview
        else outputs["repositories"]["mlflow"]
        == {
            "name": "tools/mlflow",
            "arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/tools/mlflow",
            "url": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/tools/mlflow",
        }
    )
