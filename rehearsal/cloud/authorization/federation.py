"""Taking on a role with a token of an identity provider, instead of credentials of AWS.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moto.iam.models import IAMBackend, OpenIDConnectProvider, Role, iam_backends

from interlock.duties.evaluator.assuming import Assumption
from interlock.duties.evaluator.request import Principal, PrincipalKind
from rehearsal.cloud.authorization.assuming import Asked, AssumptionRefused, check_session_policies, decide_with
from rehearsal.cloud.authorization.layers import managed_policy
from rehearsal.cloud.authorization.sessions import NOTHING_CARRIED, SessionFacts
from rehearsal.cloud.authorization.tokens import Claims, InvalidToken
from rehearsal.cloud.callers import Caller

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_PARTITION: Final = "aws"
_REFUSED: Final = "Not authorized to perform sts:AssumeRoleWithWebIdentity"


def authorize(cloud: CloudContext, asked: Asked, role: Role | None, token: str) -> SessionFacts:
    """Return what the session carries. Raises AssumptionRefused unless the token's bearer may take on the role."""
    account_id = asked.role_arn.split(":")[4]
    claims = _claims(cloud, token)
    provider = _provider(account_id, claims)
    if role is None:
        raise AssumptionRefused(_REFUSED)
    said = {f"{claims.provider}:aud": claims.audience, f"{claims.provider}:sub": claims.subject}
    context = {**said, "aws:federatedprovider": provider.arn, "aws:securetransport": "true"}
    # Whoever bears the token is nobody of AWS's; the audience is what the provider is registered for.
    bearer = Principal(PrincipalKind.IDENTITY_PROVIDER, provider.arn)
    assumption = Assumption(bearer, asked.role_arn, asked.session_name, context=context)
    need, decision = decide_with(assumption, role, NOTHING_CARRIED)
    if cloud.authorizer.noted(need, Caller(bearer), decision) is not None:
        raise AssumptionRefused(_REFUSED)
    check_session_policies(asked)
    policies = {"session policy": asked.policy} if asked.policy else {}
    policies |= {arn: managed_policy(account_id, arn) for arn in asked.policy_arns}
    carried = {**said, "aws:federatedprovider": provider.arn}
    return SessionFacts({key: (value,) for key, value in carried.items()}, policies)


def _claims(cloud: CloudContext, token: str) -> Claims:
    try:
        return cloud.issuer.read(token, cloud.now())
    except InvalidToken as problem:
        code = "ExpiredTokenException" if problem.expired else "InvalidIdentityToken"
        raise AssumptionRefused(str(problem), code, 400) from problem


def _provider(account_id: str, claims: Claims) -> OpenIDConnectProvider:
    backend: IAMBackend = iam_backends[account_id][_PARTITION]
    providers = list(backend.open_id_providers.values())
    found = next((one for one in providers if one.url == claims.provider), None)
    if found is None:
        message = f"No OpenIDConnect provider found in your account for {claims.issuer}"
        raise AssumptionRefused(message, "InvalidIdentityToken", 400)
    if claims.audience not in found.client_id_list:
        raise AssumptionRefused("Incorrect token audience", "InvalidIdentityToken", 400)
    return found
