"""An internal load balancer that speaks TLS alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked

TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-2021-06"


class InternalLoadBalancerArgs(TypedDict):
    vpc_id: pulumi.Input[str]
    cidr_block: pulumi.Input[str]
    """From where clients may connect: the network itself."""
    client_cidr_blocks: NotRequired[Sequence[str]]
    """From where else, in networks that are joined to this one; nowhere unless given."""
    subnet_ids: pulumi.Input[list[str]]
    certificate_arn: pulumi.Input[str]
    target_port: int
    health_path: str
    deletion_protection: NotRequired[pulumi.Input[bool]]
    """True unless given."""


class InternalLoadBalancer(pulumi.ComponentResource):
    """HTTPS on 443 from inside the network, to targets by their address."""

    listener: aws.lb.Listener
    arn: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    request_label: pulumi.Output[str]
    """What Application Auto Scaling calls the requests to the targets."""
    security_group_id: pulumi.Output[str]
    """Targets let it in on their port."""

    def __init__(self, name: str, args: InternalLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(InternalLoadBalancerArgs, f"InternalLoadBalancer {name}", args, _RULES)
        super().__init__("interlock:network:InternalLoadBalancer", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        group = aws.ec2.SecurityGroup(f"{name}-group", vpc_id=args["vpc_id"], description="Load balancer", opts=inside)
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
        for block in args.get("client_cidr_blocks", ()):
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-https-from-{block.replace('/', '-')}",
                security_group_id=group.id,
                description="HTTPS from a joined network",
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                cidr_ipv4=block,
                opts=inside,
            )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-targets",
            security_group_id=group.id,
            description="Requests and health checks to the targets",
            ip_protocol="tcp",
            from_port=args["target_port"],
            to_port=args["target_port"],
            cidr_ipv4=args["cidr_block"],
            opts=inside,
        )
        balancer = aws.lb.LoadBalancer(
            f"{name}-lb",
            internal=True,
            load_balancer_type="application",
            security_groups=[group.id],
            subnets=args["subnet_ids"],
            drop_invalid_header_fields=True,
            enable_deletion_protection=args.get("deletion_protection", True),
            idle_timeout=300,
            opts=inside,
        )
        targets = aws.lb.TargetGroup(
            f"{name}-to",
            vpc_id=args["vpc_id"],
            target_type="ip",
            port=args["target_port"],
            protocol="HTTP",
            deregistration_delay=30,
            health_check={
                "path": args["health_path"],
                "protocol": "HTTP",
                "matcher": "200",
                "interval": 10,
                "timeout": 5,
                "healthy_threshold": 2,
                "unhealthy_threshold": 3,
            },
            opts=inside,
        )
        self.listener = aws.lb.Listener(
            f"{name}-listener",
            load_balancer_arn=balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=args["certificate_arn"],
            default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
            opts=inside,
        )

        self.arn = balancer.arn
        self.dns_name = balancer.dns_name
        self.target_group_arn = targets.arn
        self.request_label = pulumi.Output.concat(balancer.arn_suffix, "/", targets.arn_suffix)
        self.security_group_id = group.id
        self.register_outputs(
            {
                "arn": self.arn,
                "dnsName": self.dns_name,
                "targetGroupArn": self.target_group_arn,
                "requestLabel": self.request_label,
                "securityGroupId": self.security_group_id,
            }
        )


_RULES: Final = {
    "vpc_id": validation.vpc_id,
    "cidr_block": validation.cidr_block,
    "client_cidr_blocks": validation.some(validation.client_cidr_block, at_least=0),
    "subnet_ids": validation.some(validation.subnet_id, at_least=2),
    "certificate_arn": validation.certificate_arn,
    "target_port": validation.integer(1, 65535),
    "health_path": validation.text(r"/[!-~]*", "a path such as /health"),
    "deletion_protection": validation.boolean,
}
