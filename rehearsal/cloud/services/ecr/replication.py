"""Replication between registries: which pushes go where, and what becomes of them.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from moto.ecr.models import ECRBackend, Image, ecr_backends

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import Request
from rehearsal.cloud.authorization.deciding import caller_values
from rehearsal.cloud.authorization.documents import read
from rehearsal.cloud.authorization.layers import layers_of
from rehearsal.cloud.callers import Caller, session_of
from rehearsal.cloud.places import Place
from rehearsal.cloud.services.ecr.images import error, is_fixed, untag

DELAY_SECONDS = 0.5
"""How long an image waits at least; ECR says that most images take less than 30 minutes."""
_MOST_RULES = 10
_ITS_OWN = (
    read(
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
                              "Resource": "*"},
            }
        ),
        PolicyKind.IDENTITY,
        "ECRReplicationServiceRolePolicy",
    ),
)  # fmt: skip
"""What AWS grants to the service-linked role."""
_MOST_DESTINATIONS = 25


@dataclass(frozen=True)
class Push:
    """An image that was pushed to a registry, under a tag or none, and the registries that it goes to."""

    source: Place
    repository_name: str
    digest: str
    tag: str | None
    destinations: Sequence[Place]


class Refused(Exception):
    """A destination does not take an image; the message is ECR's failure code."""


def check(configuration: Mapping[str, Any], own: Place) -> None:
    """Raise ECR's error for a configuration that it does not take."""
    rules = configuration.get("rules") or []
    destinations = [place for rule in rules for place in _destinations(rule)]
    if len(rules) > _MOST_RULES or len(set(destinations)) > _MOST_DESTINATIONS:
        raise _invalid(f"at most {_MOST_RULES} rules and {_MOST_DESTINATIONS} unique destinations")
    if own in destinations:
        raise _invalid("Replication destination cannot be the same as the source registry")


def destinations_of(configuration: Mapping[str, Any], repository_name: str) -> Sequence[Place]:
    """Return where the images of a repository go, each registry once."""
    found = [
        place
        for rule in configuration.get("rules") or []
        if _applies(rule, repository_name)
        for place in _destinations(rule)
    ]
    return list(dict.fromkeys(found))


def copy(push: Push, destination: Place, now: datetime) -> None:
    """Bring an image into a registry. Raises Refused."""
    source, target = push.source.backend(ecr_backends), destination.backend(ecr_backends)
    image = image_of(source, push.repository_name, push.digest)
    if image is None:
        raise Refused("ImageNotFound")
    _check_policy(push, destination, now)
    if push.repository_name not in target.repositories:
        target.create_repository(
            repository_name=push.repository_name,
            registry_id=destination.account_id,
            encryption_config=None,
            image_scan_config={"scanOnPush": False},
            image_tag_mutability="MUTABLE",
            tags=[],
        )
    repository = target.repositories[push.repository_name]
    replica = image_of(target, push.repository_name, push.digest)
    holder = next((one for one in repository.images if push.tag is not None and push.tag in one.image_tags), None)
    if holder is not None and holder is not replica:
        if is_fixed(repository, str(push.tag)):
            raise Refused("ImageTagAlreadyExists")
        untag(holder, str(push.tag))
    if replica is None:
        replica = Image(
            destination.account_id,
            push.tag,
            image.image_manifest,
            push.repository_name,
            image.image_manifest_media_type,
            push.digest,
        )
        if repository.image_scanning_configuration.get("scanOnPush"):
            replica.image_scan_status = {"status": "COMPLETE", "description": "The scan was completed successfully."}
        repository.images.append(replica)
    elif push.tag is not None:
        replica.update_tag(push.tag)
    repository.layers.update(source.repositories[push.repository_name].layers)


def image_of(backend: ECRBackend, repository_name: str, digest: str) -> Image | None:
    """Return an image of a registry by its digest."""
    repository = backend.repositories.get(repository_name)
    images = repository.images if repository is not None else []
    return next((image for image in images if image.get_image_digest() == digest), None)


def _check_policy(push: Push, destination: Place, now: datetime) -> None:
    """Across accounts the destination's registry policy must allow what is done."""
    if destination.account_id == push.source.account_id:
        return
    backend: ECRBackend = destination.backend(ecr_backends)
    needed = ["ecr:ReplicateImage"]
    if push.repository_name not in backend.repositories:
        needed.append("ecr:CreateRepository")
    resource = f"arn:aws:ecr:{destination.region}:{destination.account_id}:repository/{push.repository_name}"
    caller = _caller(push.source.account_id)
    document = backend.registry_policy
    policy = read(document, PolicyKind.RESOURCE, "the registry's policy") if document else None
    layers = layers_of(caller.principal, destination.account_id, policy)
    for action in needed:
        values = caller_values(caller, "ecr", destination.region, now)
        if not decide(Request(caller.principal, action, resource, values), replace(layers, identity=_ITS_OWN)).allowed:
            raise Refused("AccessDenied")


def _caller(account_id: str) -> Caller:
    """Return the service-linked role in whose name ECR replicates from an account.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/using-service-linked-roles.html
    """
    role = "aws-service-role/replication.ecr.amazonaws.com/AWSServiceRoleForECRReplication"
    return session_of(f"arn:aws:iam::{account_id}:role/{role}", "replication")


def _applies(rule: Mapping[str, Any], repository_name: str) -> bool:
    filters = rule.get("repositoryFilters") or []
    return not filters or any(repository_name.startswith(one["filter"]) for one in filters)


def _destinations(rule: Mapping[str, Any]) -> list[Place]:
    return [Place(place["registryId"], place["region"]) for place in rule.get("destinations") or []]


def _invalid(constraint: str) -> Exception:
    return error(
        "InvalidParameterException",
        f"Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: '{constraint}'",
    )
