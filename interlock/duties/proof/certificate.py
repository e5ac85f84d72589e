"""The certificate: which documents were proved, what of them, and on which assumptions, as one versioned document."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from interlock.duties.proof.calls import Call
from interlock.duties.proof.naming import texts
from interlock.duties.proof.property import Violation
from interlock.duties.proof.prove import Outcome
from interlock.duties.world import Principal, World, canonical

SCHEMA_VERSION: Final = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(_Part):
    """One request, with what makes it so."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]


class Counterexample(_Part):
    """What refutes a claim: the requests in order, each decided by the evaluator as `decided` says."""

    words: str
    steps: tuple[str, ...]
    requests: tuple[Request, ...]
    decided: Literal["allowed", "denied", "none"]


class Claim(_Part):
    name: str
    sentence: str
    holds: bool
    counterexamples: tuple[Counterexample, ...]


class Assumption(_Part):
    """What the claims rest on and no policy can say, and what would show that it is not so."""

    what: str
    detected_by: str


class Duties(_Part):
    """Who has which duty."""

    name: str
    kind: str
    duties: tuple[str, ...]


class Certificate(_Part):
    schema_version: Literal[1] = SCHEMA_VERSION
    stack: str
    made: datetime.datetime
    proved: bool
    source: str
    world_sha256: str
    documents: Mapping[str, str]
    """SHA-256 of each policy document's canonical JSON, by what it belongs to."""
    people: tuple[Duties, ...]
    exclusions: tuple[tuple[str, str], ...]
    claims: tuple[Claim, ...]
    assumptions: tuple[Assumption, ...]


ASSUMPTIONS: Final = (
    Assumption(
        what="Nobody uses an account's root user, which no IAM policy restrains but the organisation's.",
        detected_by="CloudTrail's record of every root call in the audit account; the guardrails' SCP denies root in "
        "member accounts.",
    ),
    Assumption(
        what="Nobody misuses the organisation's management account: it can change SCPs and RCPs, which do not bind it.",
        detected_by="CloudTrail of the organisation, which the workload and evidence accounts cannot stop.",
    ),
    Assumption(
        what="AWS's own service-linked roles do what AWS documents; SCPs and boundaries do not bind them.",
        detected_by="CloudTrail names them as the caller.",
    ),
    Assumption(
        what="The foundation's people act two together: whoever owns roles, boundaries and key policies could rewrite "
        "them. Their sessions are followed into every role they may assume, not into what they might edit.",
        detected_by="CloudTrail of every change of a role, key policy or vault policy, and the next proof.",
    ),
    Assumption(
        what="Principals and resources that are in no document do not exist: a proof from a preview knows the stack's "
        "own. Whoever people come as is taken to be able to assume roles, "
        "and nothing else.",
        detected_by="IAM Access Analyzer, in each account.",
    ),
    Assumption(
        what="IAM cannot say “deploy only what is approved”: the deployer could point an endpoint at any model.",
        detected_by="The serving container verifies the release before it loads it, with the trust root built in; the "
        "observer compares what serves with the ledger.",
    ),
    Assumption(
        what="The platform's people do not turn their rights over MLflow's secrets and live state's tables against "
        "them: whoever keeps a secret or a table could let others use it. Their own role reads none of the database's "
        "passwords, and what they say of a service's role lets no session in that bears a person's name; but they say "
        "what the services run, and without the guardrails' RCP a service's role could trust a user directly.",
        detected_by="CloudTrail of every PutResourcePolicy and UpdateAssumeRolePolicy, and the next proof with --live.",
    ),
    Assumption(
        what="The platform's and the foundation's people do not end the subscriptions by which the use of break-glass "
        "is told: IAM knows no resource for sns:Unsubscribe.",
        detected_by="CloudTrail of every Unsubscribe, and a preview of the stack, which misses the subscription.",
    ),
    Assumption(
        what="IAM cannot restrict one alias of a registered model in MLflow.",
        detected_by="Nothing trusts aliases: a release is pinned byte for byte.",
    ),
    Assumption(
        what="The identity providers sign in whom they say: their administrators could sign in anybody as anybody.",
        detected_by="The providers' own audit logs; each approver's key records the source identity it was used under.",
    ),
    Assumption(
        what="Objects are kept by S3's Object Lock in COMPLIANCE mode, and keys by KMS, as AWS documents them.",
        detected_by="The offline verifier: every leaf of the ledger is found again, byte for byte.",
    ),
)
_LEFT: Final = (
    "`interlock duties prove --live` once it is there; a task that a role cannot do although it is proved to."
)


def certify(
    world: World,
    outcomes: Sequence[Outcome],
    source: str,
    made: datetime.datetime,
    assumed: Sequence[str] = (),
    unread: Sequence[str] = (),
) -> Certificate:
    """Return the certificate of a proof.

    `assumed` names policies taken for all that their boundaries allow, `unread` what was left out of the world.
    """
    left = [Assumption(what=f"Not read: {one}.", detected_by=_LEFT) for one in unread]
    taken = [
        Assumption(
            what=f"{one}: not known before it is made, and taken for all that its role's boundary allows.",
            detected_by="Nothing need be: it cannot allow more.",
        )
        for one in assumed
    ]
    apart = [
        Assumption(
            what=f"{one.arn} administers its account, and was named as such: of what it does nothing is claimed, only "
            f"that nobody else becomes it{_let_in(one)}.",
            detected_by="CloudTrail names it as the caller; the guardrails hold it too.",
        )
        for one in world.trusted
    ]
    apart += [
        Assumption(
            what=f"{one} is of another account, and was named as one who administers these: nothing is known of it.",
            detected_by="CloudTrail of these accounts names it where it assumes a role.",
        )
        for one in world.trusted_elsewhere
    ]
    return Certificate(
        stack=world.stack,
        made=made,
        proved=all(one.holds for one in outcomes),
        source=source,
        world_sha256=hashlib.sha256(canonical(world.model_dump(mode="json")).encode()).hexdigest(),
        documents=world.digests(),
        people=tuple(Duties(name=one.name, kind=one.kind, duties=one.duties) for one in world.people),
        exclusions=world.exclusions,
        claims=tuple(_claim(one) for one in outcomes),
        assumptions=(*ASSUMPTIONS, *apart, *taken, *left),
    )


def _let_in(principal: Principal) -> str:
    """Return, in words, whom the trust policy of a role names."""
    if principal.trust is None:
        return ""
    written = principal.trust["Statement"]
    statements = written if isinstance(written, list) else [written]
    names = dict.fromkeys(name for one in statements for name in texts(one.get("Principal")))
    return f"; its trust policy names {', '.join(names)}" if names else ""


def _claim(outcome: Outcome) -> Claim:
    return Claim(
        name=outcome.claim.name,
        sentence=outcome.claim.sentence,
        holds=outcome.holds,
        counterexamples=tuple(_counterexample(one) for one in outcome.violations),
    )


def _counterexample(violation: Violation) -> Counterexample:
    requests = tuple(_request(one) for one in violation.calls)
    if violation.denied is not None and not requests:
        asked = violation.denied.request
        denied = Request(
            principal=asked.principal.name, action=asked.action, resource=asked.resource, context=asked.values
        )
        return Counterexample(words=violation.words, steps=(), requests=(denied,), decided="denied")
    return Counterexample(
        words=violation.words,
        steps=tuple(str(step) for step in violation.chain),
        requests=requests,
        decided="allowed" if requests else "none",
    )


def _request(call: Call) -> Request:
    asked = call.request()
    return Request(principal=asked.principal.name, action=asked.action, resource=asked.resource, context=asked.values)
