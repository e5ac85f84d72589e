"""Names and addresses of which one thing may have one, and ARNs of things that are somewhere else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from interlock import rules
from interlock.rules import Problem
from interlock.settings.contradictions.written import Check, Written, text_at, value_at
from interlock.settings.section import PREFIX

BUCKETS: Final = (
    "vault.bucket_name", "vault.staging_bucket_name", "vault.recovery_bucket_name",
    "vault.recovery_staging_bucket_name", "artifacts.bucket_name", "artifacts.replica_bucket_name",
    "artifacts.existing_bucket_name",
)  # fmt: skip
"""Where the names of buckets stand; each has one purpose, and AWS has every name once."""

EVIDENCE, WORKLOAD = "accounts.evidence.account_id", "account_id"
PRIMARY, RECOVERY = "region", "recovery.region"

PLACES_OF_ARNS: Final = {
    "keys.existing_evidence_key_arn": (EVIDENCE, PRIMARY),
    "keys.existing_key_arns": (EVIDENCE, PRIMARY),
    "keys.existing_replica_arns": (EVIDENCE, RECOVERY),
    "keys.existing_data_key_arn": (WORKLOAD, PRIMARY),
    "keys.existing_recovery_data_key_arn": (WORKLOAD, RECOVERY),
    "tracking.existing_cluster_arn": (WORKLOAD, PRIMARY),
    "runner.existing_cluster_arn": (WORKLOAD, PRIMARY),
    "runner.existing_recovery_cluster_arn": (WORKLOAD, RECOVERY),
    "artifacts.encryption_key_arn": (WORKLOAD, PRIMARY),
    "live_state.primary.existing_table_arn": (WORKLOAD, PRIMARY),
    "live_state.recovery.existing_table_arn": (WORKLOAD, RECOVERY),
    "existing_tracking.admin_secret_arn": (WORKLOAD, PRIMARY),
}
"""By path of an ARN, or of a mapping to ARNs: where the account and the region stand that it has to be of."""


def _one_bucket_twice(written: Written) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for path in BUCKETS:
        name = text_at(written, path)
        if name is not None and first.setdefault(name, path) != path:
            yield Problem(f"{PREFIX}{path}", repr(name), f"a name of its own: {name} is {first[name]} already")


def _things_elsewhere(written: Written) -> Iterator[Problem]:
    for path, (account, region) in PLACES_OF_ARNS.items():
        expected = text_at(written, account) or text_at(written, WORKLOAD), text_at(written, region)
        for where, arn in _arns(written, path):
            parts = arn.split(":", 5)
            if len(parts) < 6 or expected[0] is None or expected[1] is None:
                continue
            if (parts[4], parts[3]) != expected:
                accepted = f"one of account {expected[0]} in {expected[1]}, where it is used"
                yield Problem(f"{PREFIX}{where}", repr(arn), accepted)


def _arns(written: Written, path: str) -> list[tuple[str, str]]:
    found = value_at(written, path)
    if isinstance(found, Mapping):
        return [(f"{path}.{name}", one) for name, one in found.items() if isinstance(one, str)]
    return [(path, found)] if isinstance(found, str) else []


def _clients_inside(written: Written) -> Iterator[Problem]:
    own, blocks = text_at(written, "network.cidr_block"), value_at(written, "tracking.client_cidr_blocks")
    if own is None or not rules.cidr_block.holds(own) or not isinstance(blocks, list):
        return
    inside = ipaddress.IPv4Network(own)
    for position, block in enumerate(blocks):
        # A block around the network is a company's whole range and admits others too; one inside admits nobody new,
        # and AWS refuses the same rule twice.
        if rules.client_cidr_block.holds(block) and ipaddress.IPv4Network(block).subnet_of(inside):
            accepted = f"blocks outside of the network's own {own}, which is admitted anyway"
            yield Problem(f"{PREFIX}tracking.client_cidr_blocks[{position}]", repr(block), accepted)


def _image_without_name(written: Written) -> Iterator[Problem]:
    image, chosen = text_at(written, "tracking.image"), value_at(written, "tracking.rotation.image")
    if image is None or chosen is not None or not rules.image.holds(image):
        return
    if "@" in image or image.rpartition(":")[2].startswith(rules.CONTENT_TAG):
        accepted = "an image of its own: the server's is named after its content, which the rotation's is not"
        yield Problem(f"{PREFIX}tracking.rotation.image", "nothing", accepted)


CHECKS: Final[Sequence[Check]] = (
    _one_bucket_twice,
    _things_elsewhere,
    _clients_inside,
    _image_without_name,
)
