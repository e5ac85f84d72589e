"""What Lambda refuses of a function's settings, in its words.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from rehearsal.cloud.containers import ImageNotFound
from rehearsal.cloud.dockerfile import DockerfileError
from rehearsal.cloud.errors import constraint_error, json_error

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

# Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_RESERVED = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
}  # fmt: skip
_BOUNDS = {"MemorySize": ("memorySize", 128, 10240), "Timeout": ("timeout", 1, 900)}


def invalid(message: str) -> Exception:
    """Return Lambda's InvalidParameterValueException."""
    return json_error("InvalidParameterValueException", message)


def check(cloud: CloudContext, account_id: str, region: str, settings: Mapping[str, Any]) -> None:
    """Raise what Lambda answers to settings of a function that it does not take."""
    for parameter, (name, least, most) in _BOUNDS.items():
        value = settings.get(parameter)
        if value is not None and value < least:
            raise constraint_error(name, value, f"Member must have value greater than or equal to {least}")
        if value is not None and value > most:
            raise constraint_error(name, value, f"Member must have value less than or equal to {most}")
    reserved = sorted(_RESERVED & set((settings.get("Environment") or {}).get("Variables") or {}))
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used "
            f"in this request: {', '.join(reserved)}"
        )
    vpc_of(cloud, account_id, region, settings.get("VpcConfig") or {})


def check_image(cloud: CloudContext, image: str) -> None:
    """Raise what Lambda answers to an image that it cannot pull."""
    try:
        cloud.containers.image(image)
    except (ImageNotFound, DockerfileError) as missing:
        raise invalid(f"Source image {image} does not exist. Provide a valid source image.") from missing


def vpc_of(cloud: CloudContext, account_id: str, region: str, network: Mapping[str, Any]) -> str:
    """Return the VPC of a function's subnets, "" if it has none. Raises Lambda's errors for what does not exist."""
    subnets, groups = network.get("SubnetIds") or [], network.get("SecurityGroupIds") or []
    if bool(subnets) != bool(groups):
        raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    vpc = ""
    with cloud.turn("ec2"):
        backend = ec2_backends[account_id][region]
        for subnet_id in subnets:
            known = [one for zone in backend.subnets.values() for one in zone.values() if one.id == subnet_id]
            if not known:
                raise invalid(
                    "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "
                    f"Message: The subnet ID '{subnet_id}' does not exist"
                )
            vpc = str(known[0].vpc_id)
        for group_id in groups:
            if backend.get_security_group_from_id(group_id) is None:
                raise invalid(
                    "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error "
                    f"Message: The security group '{group_id}' does not exist"
                )
    return vpc
