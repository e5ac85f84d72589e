"""What KMS's operations need: which keys and aliases they are on, and the condition keys of KMS.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from moto.kms.models import Key, KmsBackend, kms_backends
from moto.kms.utils import RESERVED_ALIASES, _deserialize_ciphertext_blob

from rehearsal.cloud.authorization.calls import Call
from rehearsal.cloud.authorization.guards import UNMADE, key_of

Values = Mapping[str, str | Sequence[str]]

_ON_NOTHING: Final = {
    "CreateCustomKeyStore", "CreateKey", "DescribeCustomKeyStores", "GenerateRandom", "ListAliases", "ListKeys",
}  # fmt: skip
_VALUES: Final = {
    "EncryptionAlgorithm": "kms:encryptionalgorithm",
    "KeySpec": "kms:keyspec",
    "KeyUsage": "kms:keyusage",
    "MacAlgorithm": "kms:macalgorithm",
    "MessageType": "kms:messagetype",
    "MultiRegion": "kms:multiregion",
    "PendingWindowInDays": "kms:schedulekeydeletionpendingwindowindays",
    "ReplicaRegion": "kms:replicaregion",
    "PrimaryRegion": "kms:primaryregion",
    "SigningAlgorithm": "kms:signingalgorithm",
    "WrappingAlgorithm": "kms:wrappingalgorithm",
}
_ARN_COLONS: Final = 5
_OF_CIPHERTEXT: Final = {"Decrypt", "ReEncrypt"}


def needs_of(call: Call, account_id: str) -> Iterator[tuple[str, str, Values]]:
    """Yield each action that a KMS request needs, on which ARN, under which of KMS's condition keys."""
    asked, said = call.parameters, _said(call)
    if call.operation in _ON_NOTHING:
        yield call.action, "*", said
        if call.operation == "CreateKey" and asked.get("Tags"):
            # Of the account's keys in general, because this one has no id yet. Source:
            # https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html
            yield "kms:TagResource", f"arn:aws:kms:{call.region}:{account_id}:key/{UNMADE}", said
        return
    if call.operation == "ReEncrypt":
        source = key_arn(str(asked.get("SourceKeyId") or _of_ciphertext(asked)), call.region, account_id)
        yield "kms:ReEncryptFrom", source, {**said, **key_values(source)}
        target = key_arn(str(asked.get("DestinationKeyId", "")), call.region, account_id)
        yield "kms:ReEncryptTo", target, {**said, **key_values(target)}
        return
    if asked.get("AliasName"):
        yield call.action, _alias_arn(str(asked["AliasName"]), call.region, account_id), said
    for key in _keys(call, account_id):
        yield call.action, key, {**said, **key_values(key)}
    if call.operation == "ReplicateKey":
        yield "kms:CreateKey", "*", {**said, "aws:requestedregion": str(asked.get("ReplicaRegion", ""))}


def key_arn(identifier: str, region: str, account_id: str) -> str:
    """Return the ARN of a key by id, ARN, alias or alias ARN; `*` for one of the account's own that does not exist.

    Who asks for what is not there is told so and not refused. A ciphertext names its key by its id, in whichever
    account that is.
    """
    if identifier.startswith("arn:") and identifier.count(":") >= _ARN_COLONS:
        owner, where, identifier = identifier.split(":", _ARN_COLONS)[4], *identifier.split(":", _ARN_COLONS)[3::2]
    else:
        owner, where = account_id, region
    identifier = identifier.removeprefix("key/")
    known = _known(identifier, owner, where)
    if known is None and owner == account_id:
        others = (_known(identifier, other, where) for other in list(kms_backends))
        known = next((key for key in others if key is not None and not identifier.startswith("alias/")), None)
    if known is not None:
        return str(known.arn)
    return "*" if owner == account_id else f"arn:aws:kms:{where}:{owner}:key/{identifier.removeprefix('alias/')}"


def _known(identifier: str, account_id: str, region: str) -> Key | None:
    try:
        backend: KmsBackend = kms_backends[account_id][region]
    except KeyError:
        return None
    is_alias = identifier.startswith("alias/")
    key_id = backend.get_key_id_from_alias(identifier) if is_alias else identifier
    found: Key | None = backend.keys.get(key_id)
    return found


def key_values(arn: str) -> Values:
    """Return the condition keys that a key itself gives."""
    key = key_of(arn)
    if key is None:
        return {}
    return {
        "kms:resourcealiases": tuple(key.aliases),
        "kms:keyorigin": str(key.origin),
        "kms:keyspec": str(key.key_spec),
        "kms:keyusage": str(key.key_usage),
    }


def is_managed_by_aws(key: Key) -> bool:
    """Return whether a key is one that a service keeps for the account, which who may use the service may use."""
    return any(alias in RESERVED_ALIASES for alias in key.aliases)


def _keys(call: Call, account_id: str) -> list[str]:
    asked = call.parameters
    named = [str(asked[name]) for name in ("KeyId", "TargetKeyId") if asked.get(name)]
    if not named and call.operation in _OF_CIPHERTEXT:
        named = [_of_ciphertext(asked)]
    found = [key_arn(name, call.region, account_id) for name in named]
    if call.operation in ("UpdateAlias", "DeleteAlias"):
        # The key that the alias is taken from has its say, too.
        found.append(key_arn(str(asked.get("AliasName", "")), call.region, account_id))
    return list(dict.fromkeys(found))


def _of_ciphertext(asked: Mapping[str, Any]) -> str:
    blob = asked.get("CiphertextBlob") or b""
    try:
        return str(_deserialize_ciphertext_blob(bytes(blob)).key_id)
    except (ValueError, struct.error):
        return ""


def _alias_arn(name: str, region: str, account_id: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:kms:{region}:{account_id}:{name}"


def _said(call: Call) -> dict[str, str | Sequence[str]]:
    asked = call.parameters
    values: dict[str, str | Sequence[str]] = {
        key: str(asked[name]).lower() if isinstance(asked[name], bool) else str(asked[name])
        for name, key in _VALUES.items()
        if asked.get(name) is not None
    }
    context = asked.get("EncryptionContext") or {}
    # A grant minds the case of a context's keys, so they keep it.
    values |= {f"kms:EncryptionContext:{key}": str(value) for key, value in context.items()}
    if context:
        values["kms:encryptioncontextkeys"] = tuple(context)
    if call.operation == "CreateGrant":
        values["kms:grantoperations"] = tuple(asked.get("Operations") or ())
        values["kms:granteeprincipal"] = str(asked.get("GranteePrincipal", ""))
    return values
