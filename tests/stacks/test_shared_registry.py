"""Two stacks in one evidence account never undo what the other has its registry copy."""

from __future__ import annotations

from typing import Any

from interlock.settings.files import stack_files
from interlock.settings.model import Settings
from interlock.settings.reading import read_settings
from policy.recording.monitor import Recording, record
from stacks.program import provision
from tests.stacks.configurations import LOCAL, prod

REPLICATION = "aws:ecr/replicationConfiguration:ReplicationConfiguration"


def provisioned(images: dict[str, Any]) -> Recording:
    config = prod(images={"publishers": ["arn:aws:iam::123456789012:role/builder"], **images})
    return record(lambda: provision(config), preview=True, stack="one")


def test_the_owner_copies_for_those_who_name_it_and_they_write_nothing() -> None:
    owner, other = provisioned({"replicates": ["two"]}), provisioned({"replicated_by": "two"})
    (rule,) = owner.one(REPLICATION, "images-replication").inputs["replicationConfiguration"]["rules"]
    assert [one["filter"] for one in rule["repositoryFilters"]] == ["interlock/one/", "interlock/two/"]
    assert other.of_type(REPLICATION) == []
    assert not [one for one in other.resources if one.name.endswith("replication-claim")]


def test_the_stacks_of_this_repository_that_share_a_registry_agree_whose_it_is() -> None:
    files = stack_files(LOCAL.parent)
    settings: dict[str, Settings] = {one.stack: read_settings(one.stack, one.config) for one in files}
    for stack, own in settings.items():
        if own.images.replicated_by is not None:
            owner = settings[own.images.replicated_by]
            assert stack in owner.images.replicates
            assert owner.accounts.evidence == own.accounts.evidence
            assert (owner.region, owner.recovery and owner.recovery.region) == (
                own.region,
                own.recovery and own.recovery.region,
            )
    lasting = [stack for stack in ("staging", "prod") if settings[stack].images.replicated_by is None]
    assert lasting == ["prod"]
