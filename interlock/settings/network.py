"""Settings of a region's network."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from interlock import rules
from interlock.settings.refusals import Must, contained, not_overlapping, refuse
from interlock.settings.section import CidrBlock, Means, Section


class ExistingNetworkSettings(Section):
    vpc_id: Annotated[str, Must(rules.vpc_id), Means("the VPC that is there already")]
    private_subnet_ids: Annotated[
        list[str], Must(rules.some(rules.subnet_id, at_least=2)), Means("the subnets that are there already")
    ]
    storage_prefix_list_id: Annotated[str, Must(rules.prefix_list_id), Means("how its route to S3 is named")]


class NetworkSettings(Section):
    cidr_block: Annotated[CidrBlock, Means("the network's addresses")]
    subnets: Annotated[
        dict[Annotated[str, Must(rules.zone)], CidrBlock], Means("a zone can fail while the others carry on")
    ] = Field(default_factory=dict)
    """By availability zone: the CIDR block of its private subnet."""
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
        if existing is not None and info.data.get("subnets"):
            refuse("either subnets or existing, not both")
        return existing
