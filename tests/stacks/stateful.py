"""The identities of what holds data: where each such resource stands in the program's tree, and under which names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from policy.recording.monitor import Recording, Registration

STATEFUL: Final = (
    "aws:rds/instance:Instance", "aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey",
    "aws:secretsmanager/secret:Secret", "aws:dynamodb/table:Table", "aws:ecr/repository:Repository",
    "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:sagemaker/endpoint:Endpoint",
    "aws:cloudwatch/logGroup:LogGroup", "aws:ecs/cluster:Cluster", "aws:lb/loadBalancer:LoadBalancer",
    "aws:kms/alias:Alias", "aws:ssm/parameter:Parameter",
)  # fmt: skip
"""What holds data, or is known to others by a name or address that it would lose."""

RECORD: Final = Path(__file__).with_name("stateful.txt")


def recorded() -> set[str]:
    """Return the identities that some version of the program has given to what still exists somewhere."""
    return set(RECORD.read_text().split())


def identities(recording: Recording) -> set[str]:
    """Return the identity of every stateful resource: the types down to it, and its name."""
    return {one for resource in _stateful(recording) for one in _identities(recording, resource, former=False)}


def known_identities(recording: Recording) -> set[str]:
    """Return the identities under which the engine would recognise stateful resources, aliases included."""
    return {one for resource in _stateful(recording) for one in _identities(recording, resource, former=True)}


def _stateful(recording: Recording) -> list[Registration]:
    return [one for one in recording.resources if one.type in STATEFUL]


def _identities(recording: Recording, resource: Registration, *, former: bool) -> Iterator[str]:
    by_urn = {one.urn: one for one in recording.resources}
    for name, parent in ((resource.name, resource.parent), *(resource.former if former else ())):
        above = by_urn.get(parent)
        # A parent's own aliases are its children's.
        trees = _trees(recording, above, former=former) if above else [""]
        for tree in trees:
            yield f"{tree}{resource.type}::{name}"


def _trees(recording: Recording, component: Registration, *, former: bool) -> list[str]:
    by_urn = {one.urn: one for one in recording.resources}
    parents = [component.parent, *(parent for _, parent in component.former)] if former else [component.parent]
    found = []
    for parent in parents:
        above = by_urn.get(parent)
        found += [f"{tree}{component.type}$" for tree in (_trees(recording, above, former=former) if above else [""])]
    return found
