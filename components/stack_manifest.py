"""The stack manifest: what is provisioned as one document, and the pointer by which a script finds it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, TypedDict

import pulumi
import pulumi_aws as aws

from components import validation
from components.validation import checked
from interlock.manifest import read_manifest


class StackManifestArgs(TypedDict):
    stack: pulumi.Input[str]
    bucket_name: pulumi.Input[str]
    document: pulumi.Input[Mapping[str, Any]]
    """As `interlock.manifest.StackManifest` has it."""


class StackManifest(pulumi.ComponentResource):
    """`stacks/<stack>/manifest.json` in a versioned bucket, and SSM parameter `/interlock/<stack>/manifest`.

    The parameter holds JSON {"uri", "version_id", "sha256"}: a parameter is too small for the document itself.
    """

    document: pulumi.Output[dict[str, Any]]
    uri: pulumi.Output[str]
    version_id: pulumi.Output[str]
    sha256: pulumi.Output[str]
    parameter_name: pulumi.Output[str]

    def __init__(self, name: str, args: StackManifestArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args = checked(StackManifestArgs, f"StackManifest {name}", args, _RULES)
        super().__init__("interlock:manifest:StackManifest", name, {}, opts)
        inside = pulumi.ResourceOptions(parent=self)

        content = pulumi.Output.from_input(args["document"]).apply(lambda known: read_manifest(known).to_json())
        stored = aws.s3.BucketObjectv2(
            f"{name}-document",
            bucket=args["bucket_name"],
            key=pulumi.Output.concat("stacks/", args["stack"], "/manifest.json"),
            content=content,
            content_type="application/json",
            opts=inside,
        )
        self.document = content.apply(json.loads)
        self.uri = pulumi.Output.concat("s3://", stored.bucket, "/", stored.key)
        self.version_id = stored.version_id
        self.sha256 = content.apply(lambda text: hashlib.sha256(text.encode()).hexdigest())
        parameter = aws.ssm.Parameter(
            f"{name}-pointer",
            name=pulumi.Output.concat("/interlock/", args["stack"], "/manifest"),
            type="String",
            description="Where the stack manifest lies",
            value=pulumi.Output.json_dumps({"uri": self.uri, "version_id": self.version_id, "sha256": self.sha256}),
            opts=inside,
        )
        self.parameter_name = parameter.name
        self.register_outputs(
            {
                "uri": self.uri,
                "versionId": self.version_id,
                "sha256": self.sha256,
                "parameterName": self.parameter_name,
            }
        )


_RULES: Final = {
    "stack": validation.stack,
    "bucket_name": validation.bucket_name,
    "document": validation.Rule("a stack manifest's parts by name", lambda value: isinstance(value, Mapping)),
}
