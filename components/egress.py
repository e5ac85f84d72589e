"""What lets a group of containers out: AWS's services, and nothing else."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def allow_services(
    name: str,
    group_id: pulumi.Input[str],
    cidr_block: pulumi.Input[str],
    storage_prefix_list_id: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Register HTTPS from a security group to the interface endpoints in `cidr_block` and to S3's gateway endpoint."""
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-to-endpoints",
        security_group_id=group_id,
        description="HTTPS to the endpoints of AWS services",
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        cidr_ipv4=cidr_block,
        opts=opts,
    )
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-to-storage",
        security_group_id=group_id,
        description="HTTPS to S3",
        ip_protocol="tcp",
        from_port=443,
        to_port=443,
        prefix_list_id=storage_prefix_list_id,
        opts=opts,
    )
