"""Settings of a region's network."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from interlock import rules
from interlock.settings.refusals import Must, contained, not_overlapping, refuse
from interlock.settings.section import CidrBlock, Means, Section


class ExistingNetworkSettings(Section):
    """What there is already; what is not named here is made in it."""

    vpc_id: Annotated[str, Must(rules.vpc_id), Means("the VPC that is there already")]
    private_subnet_ids: Annotated[
        Annotated[list[str], Must(rules.some(rules.subnet_id, at_least=2))] | None,
        Means("the subnets that are there already"),
    ] = None
    """Made after `subnets` unless given."""
    route_table_ids: Annotated[
        Annotated[list[str], Must(rules.some(rules.route_table_id))] | None, Means("the subnets' route tables")
    ] = None
    """Needed with `private_subnet_ids` when the services' endpoints are made."""
    storage_prefix_list_id: Annotated[
        Annotated[str, Must(rules.prefix_list_id)] | None, Means("how its route to S3 is named")
    ] = None
    """The services' endpoints are all there; made unless given."""

    @field_validator("storage_prefix_list_id")
    @classmethod
    def _reachable(cls, prefix_list_id: str | None, info: ValidationInfo) -> str | None:
        subnets, tables = info.data.get("private_subnet_ids"), info.data.get("route_table_ids")
        if prefix_list_id is None and subnets is not None and tables is None:
            refuse("the prefix list of the S3 endpoint, or route_table_ids for endpoints that are made")
        return prefix_list_id


class NetworkSettings(Section):
    cidr_block: Annotated[CidrBlock, Means("the network's addresses")]
    subnets: Annotated[dict[Annotated[str, Must(rules.zone)], CidrBlock], Means("zones that the network spans")] = (
        Field(default_factory=dict)
    )
    """By availability zone: the CIDR block of its private subnet."""
    internet_access: Annotated[
        dict[Annotated[str, Must(rules.zone)], CidrBlock], Means("what runs in a zone may be let out to the internet")
    ] = Field(default_factory=dict)
    """By availability zone: the CIDR block of the public subnet of its NAT gateway; no way out unless given."""
    existing: Annotated[ExistingNetworkSettings | None, Means("the network is one that was there already")] = None
    """A network to use in place of a new one."""

    @field_validator("subnets")
    @classmethod
    def _fit(cls, subnets: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        not_overlapping(subnets)
        if "cidr_block" in info.data:
            contained(subnets, info.data["cidr_block"])
        return subnets

    @field_validator("existing")
    @classmethod
    def _either(cls, existing: ExistingNetworkSettings | None, info: ValidationInfo) -> ExistingNetworkSettings | None:
        has_subnets = existing is not None and existing.private_subnet_ids is not None
        if has_subnets and info.data.get("subnets"):
            refuse("either subnets or existing.private_subnet_ids, not both")
        if existing is not None and not has_subnets and not info.data.get("subnets"):
            refuse("private_subnet_ids, or subnets beside existing")
        return existing

    @field_validator("internet_access")
    @classmethod
    def _zones_of_subnets(cls, blocks: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        subnets = info.data.get("subnets", {})
        if blocks and set(blocks) != set(subnets):
            refuse(f"one CIDR block for each of {', '.join(subnets) or 'the zones of subnets'}")
        not_overlapping({**{f"private {zone}": block for zone, block in subnets.items()}, **blocks})
        if blocks and "cidr_block" in info.data:
            contained(blocks, info.data["cidr_block"])
        return blocks
