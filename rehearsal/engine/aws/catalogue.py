"""Everything known about one resource type or function, put together once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.engine.aws import tokens
from rehearsal.engine.aws.descriptions import VERSION, Descriptions, SdkType
from rehearsal.engine.aws.shapes import Members, block_members
from rehearsal.engine.terraform.catalogue import Catalogue
from rehearsal.engine.terraform.schema import Block, Schema

PROVIDER_VERSION = "5.100.0"
VERSIONS = f"pulumi-aws {VERSION} over the Terraform AWS provider {PROVIDER_VERSION}"

# Properties that were named by hand. Source: the resource overrides of pulumi-aws 7.
_RENAMES: dict[str, dict[str, str]] = {
    "aws_api_gateway_authorizer": {"rest_api_id": "restApi"},
    "aws_api_gateway_base_path_mapping": {"api_id": "restApi"},
    "aws_api_gateway_deployment": {"rest_api_id": "restApi"},
    "aws_api_gateway_integration": {"rest_api_id": "restApi"},
    "aws_api_gateway_integration_response": {"rest_api_id": "restApi"},
    "aws_api_gateway_method": {"rest_api_id": "restApi"},
    "aws_api_gateway_method_response": {"rest_api_id": "restApi"},
    "aws_api_gateway_method_settings": {"rest_api_id": "restApi"},
    "aws_api_gateway_model": {"rest_api_id": "restApi"},
    "aws_api_gateway_request_validator": {"rest_api_id": "restApi"},
    "aws_api_gateway_resource": {"rest_api_id": "restApi"},
    "aws_api_gateway_stage": {"rest_api_id": "restApi", "deployment_id": "deployment"},
    "aws_api_gateway_vpc_link": {"target_arns": "targetArn"},
    "aws_autoscaling_group": {"tag": "tags"},
    "aws_batch_compute_environment": {
        "compute_environment_name": "name",
        "compute_environment_name_prefix": "namePrefix",
    },
    "aws_cloudwatch_log_subscription_filter": {"log_group_name": "logGroup"},
    "aws_cloudwatch_metric_alarm": {"alarm_name": "name"},
    "aws_dx_hosted_connection": {"region": "connectionRegion"},
    "aws_elastic_beanstalk_environment": {"version_label": "version"},
    "aws_lambda_function": {"function_name": "name", "filename": "code"},
    "aws_lambda_layer_version": {"filename": "code"},
    "aws_lambda_permission": {"function_name": "function"},
    "aws_s3_bucket": {"region": "bucketRegion"},
    "aws_s3_bucket_website_configuration": {"routing_rules": "routingRuleDetails", "routing_rule": "routingRules"},
    "aws_sns_topic_subscription": {"topic_arn": "topic"},
}

_DATA_RENAMES: dict[str, dict[str, str]] = {
    "aws_batch_compute_environment": {"compute_environment_name": "name"},
    "aws_s3_bucket": {"region": "bucketRegion"},
}


class UnknownTypeError(Exception):
    """A token that names nothing; the message says what is missing where."""


@dataclass(frozen=True)
class ResourceType:
    """A resource type: its token, its Terraform type and schema, and its properties from both sides.

    `regional`: it has the property `region`, which chooses where the resource lives.
    """

    token: str
    name: str
    schema: Schema
    members: Members
    regional: bool

    @property
    def block(self) -> Block:
        """The block without the timeouts, which Pulumi has as an option and not as a property."""
        return self.schema.block


@dataclass(frozen=True)
class FunctionType:
    """A function that looks something up, over a Terraform data source."""

    token: str
    name: str
    schema: Schema
    members: Members
    regional: bool


class Types:
    """The types of one provider binary, by token."""

    def __init__(self, catalogue: Catalogue, descriptions: Descriptions) -> None:
        self.catalogue = catalogue
        self.descriptions = descriptions
        self._resources: dict[str, ResourceType] = {}
        self._functions: dict[str, FunctionType] = {}
        # Putting a type together imports SDK modules, which is neither quick nor safe to do twice at once.
        self._lock = threading.RLock()

    def resource(self, token: str) -> ResourceType:
        """Return the resource type `token`; raises UnknownTypeError."""
        with self._lock:
            if token not in self._resources:
                self._resources[token] = self._make_resource(token)
            return self._resources[token]

    def function(self, token: str) -> FunctionType:
        """Return the function `token`; raises UnknownTypeError."""
        with self._lock:
            if token not in self._functions:
                self._functions[token] = self._make_function(token)
            return self._functions[token]

    def _make_resource(self, token: str) -> ResourceType:
        described = self.descriptions.resource(token)
        if described is None:
            raise UnknownTypeError(f"pulumi-aws {VERSION} has no resource {token}")
        name = tokens.resource_type(token, self.catalogue.names("resource"))
        if name is None:
            raise UnknownTypeError(
                f"{token} is known to pulumi-aws {VERSION} but not to the Terraform AWS provider {PROVIDER_VERSION}"
            )
        schema = self.catalogue.get("resource", name)
        regional = "region" in described.properties and not _is_argument(schema.block, "region")
        members = _members(schema.block, described.properties, _RENAMES.get(name, {}), described.inputs, regional)
        return ResourceType(token, name, schema, members, regional)

    def _make_function(self, token: str) -> FunctionType:
        described = self.descriptions.function(token)
        if described is None:
            raise UnknownTypeError(f"pulumi-aws {VERSION} has no function {token}")
        name = tokens.data_source_type(token, self.catalogue.names("data"))
        if name is None:
            raise UnknownTypeError(
                f"{token} is known to pulumi-aws {VERSION} but not to the Terraform AWS provider {PROVIDER_VERSION}"
            )
        schema = self.catalogue.get("data", name)
        regional = "region" in described.properties and not _is_argument(schema.block, "region")
        members = _members(schema.block, described.properties, _DATA_RENAMES.get(name, {}), None, regional)
        return FunctionType(token, name, schema, members, regional)


def _is_argument(block: Block, name: str) -> bool:
    return name in block.attributes and block.attributes[name].is_input


def _members(
    block: Block,
    described: Mapping[str, SdkType],
    renames: Mapping[str, str],
    settable: frozenset[str] | None,
    regional: bool,
) -> Members:
    """Return a top level's properties: `region` is the provider's business, `timeouts` the engine's, `id` no input."""
    visible = {name: item for name, item in described.items() if not (regional and name == "region")}
    if "id" in block.attributes:
        visible["id"] = SdkType("string")
        settable = None if settable is None else settable - {"id"}
    if "timeouts" in block.blocks or "timeouts" in block.attributes:
        visible.pop("timeouts", None)
    return block_members(block, visible, renames, settable)
