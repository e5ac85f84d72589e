"""Systems Manager: parameters with the sizes of their tiers, and secure ones that KMS encrypts."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from moto.kms.models import kms_backends
from moto.ssm.models import Parameter, SimpleSystemManagerBackend, ssm_backends

from rehearsal.cloud.errors import json_error
from rehearsal.cloud.service import Patches, Service, correction

_GUIDE = "https://docs.aws.amazon.com/systems-manager/latest/userguide"
_LONGEST = {"Standard": 4096, "Advanced": 8192}
_DEFAULT_KEY = "alias/aws/ssm"


class SystemsManager(Service):
    """AWS Systems Manager; its Parameter Store."""

    name: ClassVar[str] = "ssm"

    def inventory(self) -> Sequence[str]:
        """Return the callers' parameters; AWS's public ones do not count."""
        return [
            f"arn:aws:ssm:{region}:{account_id}:parameter/{name.removeprefix('/')}"
            for account_id, region, backend in ssm_backends.iter_backends()
            for name, versions in list(backend._parameters.items())
            if versions and not name.startswith("/aws/service/")
        ]

    @correction("ssm.tiers", f"{_GUIDE}/parameter-store-advanced-parameters.html")
    def hold_to_tiers(self, patches: Patches) -> None:
        """A standard parameter holds 4 KB, an advanced one 8 KB, and the way up is one way."""
        original = patches.replace(SimpleSystemManagerBackend, "put_parameter", None)

        def put(backend: SimpleSystemManagerBackend, **asked: Any) -> Parameter:
            before = (dict.get(backend._parameters, asked["name"]) or [None])[-1]
            return original(backend, **asked | {"tier": _tier(asked, before)})

        patches.replace(SimpleSystemManagerBackend, "put_parameter", _by_name(put))

    @correction(
        "ssm.allowed-pattern", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"
    )
    def hold_to_patterns(self, patches: Patches) -> None:
        """A value matches the pattern that it is put with."""
        original = patches.replace(SimpleSystemManagerBackend, "put_parameter", None)

        def put(backend: SimpleSystemManagerBackend, **asked: Any) -> Parameter:
            pattern = asked.get("allowed_pattern")
            if pattern and not re.fullmatch(pattern, asked["value"]):
                raise json_error(
                    "ParameterPatternMismatchException",
                    f"Parameter value, cannot be validated against allowedPattern: {pattern}",
                )
            return original(backend, **asked)

        patches.replace(SimpleSystemManagerBackend, "put_parameter", _by_name(put))

    @correction("ssm.secure-string", f"{_GUIDE}/secure-string-parameter-kms-encryption.html")
    def encrypt(self, patches: Patches) -> None:
        """A SecureString is a ciphertext of KMS, which a key that cannot be used does not open."""
        original = patches.replace(SimpleSystemManagerBackend, "put_parameter", None)

        def put(backend: SimpleSystemManagerBackend, **asked: Any) -> Parameter:
            if asked["parameter_type"] == "SecureString":
                _usable_key(backend.account_id, backend.region_name, asked.get("keyid") or _DEFAULT_KEY)
            parameter: Parameter = original(backend, **asked)
            if parameter.parameter_type == "SecureString":
                _seal(parameter, backend.region_name, asked["value"])
            return parameter

        patches.replace(SimpleSystemManagerBackend, "put_parameter", _by_name(put))
        patches.replace(Parameter, "decrypt", _open)


def _by_name(put: Any) -> Any:
    """Return `put` for moto's callers, some of whom give the arguments by position."""
    names = ("name", "description", "value", "parameter_type", "allowed_pattern", "keyid", "overwrite", "tags")

    def put_parameter(backend: SimpleSystemManagerBackend, *arguments: Any, **named: Any) -> Parameter:
        given = dict(zip((*names, "data_type", "tier", "policies"), arguments, strict=False))
        parameter: Parameter = put(backend, **given, **named)
        return parameter

    return put_parameter


def _tier(asked: dict[str, Any], before: Parameter | None) -> str:
    wished = asked.get("tier") or (before.tier if before else "Standard")
    length = len(asked["value"].encode())
    if wished == "Intelligent-Tiering":
        grown = length > _LONGEST["Standard"] or asked.get("policies") or (before and before.tier == "Advanced")
        wished = "Advanced" if grown else "Standard"
    if before is not None and before.tier == "Advanced" and wished == "Standard":
        raise json_error(
            "ValidationException",
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced "
            "parameter and recreate it as a standard parameter.",
        )
    longest = _LONGEST[wished]
    if length > longest:
        hint = "To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. "
        raise json_error(
            "ValidationException",
            f"{wished} tier parameters support a maximum parameter value of {longest} characters. "
            f"{hint if wished == 'Standard' else ''}"
            f"For more information, see {_GUIDE}/parameter-store-advanced-parameters.html",
        )
    return str(wished)


def _usable_key(account_id: str, region: str, identifier: str) -> str:
    backend = kms_backends[account_id][region]
    name = backend.get_alias_name(identifier)
    key_id = backend.get_key_id_from_alias(name) if name.startswith("alias/") else backend.get_key_id(name)
    if key_id not in backend.keys:
        raise json_error("InvalidKeyId", f"Invalid keyId {identifier}")
    if backend.keys[key_id].key_state != "Enabled":
        raise json_error("InvalidKeyId", f"{backend.keys[key_id].arn} is disabled.")
    return str(key_id)


def _seal(parameter: Parameter, region: str, value: str) -> None:
    key_id = _usable_key(parameter.account_id, region, parameter.keyid)
    arn = f"arn:aws:ssm:{region}:{parameter.account_id}:parameter/{parameter.name.removeprefix('/')}"
    vars(parameter)["sealed_in"] = (region, key_id, {"PARAMETER_ARN": arn})
    sealed, _ = kms_backends[parameter.account_id][region].encrypt(key_id, value.encode(), {"PARAMETER_ARN": arn})
    parameter.value = base64.b64encode(sealed).decode()


def _open(parameter: Parameter, value: str) -> str:
    if parameter.parameter_type != "SecureString":
        return value
    region, key_id, context = vars(parameter)["sealed_in"]
    _usable_key(parameter.account_id, region, key_id)
    plain, _ = kms_backends[parameter.account_id][region].decrypt(base64.b64decode(value), context, key_id)
    opened: str = plain.decode()
    return opened
