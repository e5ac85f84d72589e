"""What an instance of the tracking database and its standby share: parameters, and who may connect."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

ENGINE_VERSION: Final = "18"
PORT: Final = 5432
EXPORTED_LOGS: Final = ("postgresql", "upgrade")
PARAMETERS: Final = {
    "rds.force_ssl": "1",
    "log_connections": "1",
    "log_disconnections": "1",
    "log_statement": "ddl",
    "log_min_duration_statement": "5000",
}


def parameter_group(
    name: str, engine_version: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.rds.ParameterGroup:
    """Register the parameters of an instance."""
    return aws.rds.ParameterGroup(
        f"{name}-parameters",
        family=pulumi.Output.from_input(engine_version).apply(lambda known: f"postgres{known.partition('.')[0]}"),
        parameters=[
            {"name": key, "value": value, "apply_method": "immediate"} for key, value in sorted(PARAMETERS.items())
        ],
        # It holds nothing, and another major version has one of its own.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=False)),
    )


class ClientAdmission:
    """An instance's security group, and the group whose members alone it admits."""

    group_id: pulumi.Output[str]
    client_group_id: pulumi.Output[str]

    def __init__(self, name: str, vpc_id: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
        group = aws.ec2.SecurityGroup(f"{name}-group", vpc_id=vpc_id, description="The tracking database", opts=opts)
        clients = aws.ec2.SecurityGroup(
            f"{name}-clients", vpc_id=vpc_id, description="Clients of the tracking database", opts=opts
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-from-clients",
            security_group_id=group.id,
            description="PostgreSQL from its clients",
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            referenced_security_group_id=clients.id,
            opts=opts,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-database",
            security_group_id=clients.id,
            description="PostgreSQL to the database",
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            referenced_security_group_id=group.id,
            opts=opts,
        )
        self.group_id = group.id
        self.client_group_id = clients.id
