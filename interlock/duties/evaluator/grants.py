"""Grants of KMS keys: further permissions on one key, beside its policy.

Source: KMS Developer Guide, "Grants in AWS KMS", https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from typing import Final

from interlock.duties.evaluator.matching import Naming, named
from interlock.duties.evaluator.policy import NamedPrincipal, PrincipalType
from interlock.duties.evaluator.request import Grant, Request

_CONTEXT: Final = "kms:encryptioncontext:"


def granting(grants: tuple[Grant, ...], request: Request) -> tuple[Grant | None, Naming]:
    """Return a grant that allows a request, and how closely it names who asks; None without one.

    Constraints hold for operations with an encryption context, which a request states as
    kms:EncryptionContext:<key>. No grant gives the right to make a grant with operations that it does not list: a
    request must state kms:GrantOperations for that.
    """
    best: tuple[Grant | None, Naming] = (None, Naming.NOT)
    for grant in grants:
        naming = named(NamedPrincipal(_type(grant.grantee), grant.grantee), request.principal)
        if naming > best[1] and _covers(grant, request):
            best = (grant, naming)
    return best


def _type(grantee: str) -> PrincipalType:
    return PrincipalType.AWS if grantee.startswith("arn:") else PrincipalType.SERVICE


def _covers(grant: Grant, request: Request) -> bool:
    operation = request.action.partition(":")[2]
    allowed = {one.lower() for one in grant.operations}
    if grant.key_arn != request.resource or operation.lower() not in allowed:
        return False
    if operation.lower() == "creategrant":
        asked = request.values.get("kms:grantoperations", ())
        return bool(asked) and {one.lower() for one in asked} <= allowed
    context = _encryption_context(request)
    equals, subset = dict(grant.encryption_context_equals), dict(grant.encryption_context_subset)
    return (not equals or context == equals) and all(context.get(key) == value for key, value in subset.items())


def _encryption_context(request: Request) -> dict[str, str]:
    """Return the pairs as the request writes them: a grant, other than a policy, minds the case of their keys."""
    pairs = {key[len(_CONTEXT) :]: value for key, value in request.context.items() if key.lower().startswith(_CONTEXT)}
    return {key: value if isinstance(value, str) else next(iter(value), "") for key, value in pairs.items()}
