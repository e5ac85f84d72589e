"""Endpoints: how what runs in the network reaches AWS's services without the internet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.duties.service_roles import endpoint_policy, storage_endpoint_policy

INTERFACE_SERVICES: Final = (
    "ecr.api", "ecr.dkr", "logs", "monitoring", "kms", "secretsmanager", "ssm", "sts", "sagemaker.runtime",
)  # fmt: skip
"""What the containers of the platform call, by the last part of the service's name."""


class ServiceEndpointsArgs(TypedDict):
    account_id: pulumi.Input[str]
    region: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    cidr_block: pulumi.Input[str]
    subnet_ids: pulumi.Input[list[str]]
    route_table_ids: pulumi.Input[list[str]]
    storage_account_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Ids of the accounts whose buckets can be reached; `account_id` alone unless given."""
    interface_services: NotRequired[Sequence[str]]
    """The last parts of the services' names; `INTERFACE_SERVICES` unless given."""


class ServiceEndpoints(pulumi.ComponentResource):
    """One interface endpoint a service, and a gateway endpoint to S3; this account's principals alone pass."""

    storage_prefix_list_id: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceEndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(ServiceEndpointsArgs, f"ServiceEndpoints {name}", args, _RULES)
        super().__init__("interlock:network:ServiceEndpoints", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        storage = aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=args["vpc_id"],
            service_name=_service(args["region"], "s3"),
            vpc_endpoint_type="Gateway",
            route_table_ids=args["route_table_ids"],
            policy=pulumi.Output.all(args.get("storage_account_ids", [args["account_id"]]), args["region"]).apply(
                lambda known: storage_endpoint_policy(known[0], known[1])
            ),
            opts=inside,
        )
        group = aws.ec2.SecurityGroup(
            f"{name}-group", vpc_id=args["vpc_id"], description="Interface endpoints of AWS services", opts=inside
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-https",
            security_group_id=group.id,
            description="HTTPS from inside the network",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=args["cidr_block"],
            opts=inside,
        )
        for service in args.get("interface_services", INTERFACE_SERVICES):
            aws.ec2.VpcEndpoint(
                f"{name}-{service.replace('.', '-')}",
                vpc_id=args["vpc_id"],
                service_name=_service(args["region"], service),
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=args["subnet_ids"],
                security_group_ids=[group.id],
                policy=pulumi.Output.from_input(args["account_id"]).apply(endpoint_policy),
                opts=inside,
            )

        self.storage_prefix_list_id = storage.prefix_list_id
        self.register_outputs({"storagePrefixListId": self.storage_prefix_list_id})


def _service(region: pulumi.Input[str], service: str) -> pulumi.Output[str]:
    return pulumi.Output.concat("com.amazonaws.", region, f".{service}")


_RULES = {
    "account_id": validation.account_id,
    "region": validation.region,
    "vpc_id": validation.vpc_id,
    "cidr_block": validation.cidr_block,
    "subnet_ids": validation.some(validation.subnet_id),
    "route_table_ids": validation.some(validation.route_table_id),
    "storage_account_ids": validation.some(validation.account_id),
    "interface_services": validation.some(validation.service),
}
