"""The messages of Terraform's plugin protocol 5, built from a table instead of generated code.

Only what this client sends or reads is declared: unknown fields are skipped by protobuf, so a provider of a later
minor version is understood too. Source: hashicorp/terraform, docs/plugin-protocol/tfplugin5.proto.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "tfplugin5"

# One line a message; a field is `name:number:type`, with `*` repeated, with `map<Type>` a map of strings to it.
_TABLE = """
DynamicValue                        msgpack:1:bytes json:2:bytes
Step                                attribute_name:1:string/selector element_key_string:2:string/selector element_key_int:3:int64/selector
AttributePath                       steps:1:Step*
Diagnostic                          severity:1:int32 summary:2:string detail:3:string attribute:4:AttributePath
RawState                            json:1:bytes
Attribute                           name:1:string type:2:bytes description:3:string required:4:bool optional:5:bool computed:6:bool sensitive:7:bool deprecated:9:bool write_only:10:bool
NestedBlock                         type_name:1:string block:2:Block nesting:3:int32 min_items:4:int64 max_items:5:int64
Block                               version:1:int64 attributes:2:Attribute* block_types:3:NestedBlock* deprecated:6:bool
Schema                              version:1:int64 block:2:Block
ClientCapabilities                  deferral_allowed:1:bool write_only_attributes_allowed:2:bool
Empty
StopResponse                        error:1:string
GetProviderSchemaResponse           provider:1:Schema resource_schemas:2:map<Schema> data_source_schemas:3:map<Schema> diagnostics:4:Diagnostic*
PrepareProviderConfigRequest        config:1:DynamicValue
PrepareProviderConfigResponse       prepared_config:1:DynamicValue diagnostics:2:Diagnostic*
UpgradeResourceStateRequest         type_name:1:string version:2:int64 raw_state:3:RawState
UpgradeResourceStateResponse        upgraded_state:1:DynamicValue diagnostics:2:Diagnostic*
ValidateRequest                     type_name:1:string config:2:DynamicValue client_capabilities:3:ClientCapabilities
ValidateResponse                    diagnostics:1:Diagnostic*
ConfigureRequest                    terraform_version:1:string config:2:DynamicValue
ConfigureResponse                   diagnostics:1:Diagnostic*
ReadResourceRequest                 type_name:1:string current_state:2:DynamicValue private:3:bytes
ReadResourceResponse                new_state:1:DynamicValue diagnostics:2:Diagnostic* private:3:bytes
PlanResourceChangeRequest           type_name:1:string prior_state:2:DynamicValue proposed_new_state:3:DynamicValue config:4:DynamicValue prior_private:5:bytes
PlanResourceChangeResponse          planned_state:1:DynamicValue requires_replace:2:AttributePath* planned_private:3:bytes diagnostics:4:Diagnostic* legacy_type_system:5:bool
ApplyResourceChangeRequest          type_name:1:string prior_state:2:DynamicValue planned_state:3:DynamicValue config:4:DynamicValue planned_private:5:bytes
ApplyResourceChangeResponse         new_state:1:DynamicValue private:2:bytes diagnostics:3:Diagnostic* legacy_type_system:4:bool
ImportResourceStateRequest          type_name:1:string id:2:string
ImportedResource                    type_name:1:string state:2:DynamicValue private:3:bytes
ImportResourceStateResponse         imported_resources:1:ImportedResource* diagnostics:2:Diagnostic*
ReadDataSourceRequest               type_name:1:string config:2:DynamicValue
ReadDataSourceResponse              state:1:DynamicValue diagnostics:2:Diagnostic*
"""  # noqa: E501

_SCALARS = {
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}


def _declare_map(message: descriptor_pb2.DescriptorProto, field_name: str, value_type: str) -> str:
    entry = message.nested_type.add(name="".join(part.title() for part in field_name.split("_")) + "Entry")
    entry.options.map_entry = True
    _declare_field(entry, "key:1:string")
    _declare_field(entry, f"value:2:{value_type}")
    return f"{message.name}.{entry.name}"


def _declare_field(message: descriptor_pb2.DescriptorProto, text: str) -> None:
    name, number, kind = text.split(":")
    kind, _, choice = kind.partition("/")
    repeated = kind.endswith("*")
    kind = kind.rstrip("*")
    if kind.startswith("map<"):
        kind, repeated = _declare_map(message, name, kind[4:-1]), True
    field = message.field.add(name=name, number=int(number))
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"
    if choice:
        if not message.oneof_decl:
            message.oneof_decl.add(name=choice)
        field.oneof_index = 0


def _build() -> dict[str, type[Any]]:
    file = descriptor_pb2.FileDescriptorProto(name=f"{PACKAGE}.proto", package=PACKAGE, syntax="proto3")
    for line in _TABLE.strip().splitlines():
        name, *fields = line.split()
        message = file.message_type.add(name=name)
        for text in fields:
            _declare_field(message, text)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{message.name}"))
        for message in file.message_type
    }


_CLASSES = _build()


def message(name: str) -> type[Any]:
    """Return the protobuf class of the message `name` of the table above."""
    return _CLASSES[name]
