"""What the table of duties says of a world: who comes in, what each role must do, and what it must never."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from interlock.duties.boundaries import BOUNDED_BY, DEPLOYING, Boundary, boundary_arn, boundary_policy
from interlock.duties.bucket_policy import vault_policy
from interlock.duties.deploying import documents_of
from interlock.duties.duty import Duty, Role, SigningDuty
from interlock.duties.duty_policy import identity_policy
from interlock.duties.guarded_world import guarded
from interlock.duties.key_policy import approver_key_policy, data_key_policy, signing_key_policy
from interlock.duties.landscape import DUTY_TAG, ROLE_PATH, Landscape
from interlock.duties.matrix import EXCLUDES, MATRIX
from interlock.duties.people import Assignments
from interlock.duties.people import Person as Assigned
from interlock.duties.prefixes import LOCKERS, STAGED_WRITERS, WRITERS
from interlock.duties.rights import Account as Home
from interlock.duties.staging_policy import staging_policy
from interlock.duties.state_rights import state_name, state_policy
from interlock.duties.table_world import arns_of, with_table
from interlock.duties.trust import DUTY_SECONDS, deploying_trust_policy, role_trust_policy
from interlock.duties.world import (
    Account,
    NamedDocument,
    Person,
    Principal,
    Resource,
    ResourceKind,
    Way,
    World,
)

_SESSION_OF_SSO = "AROAEXAMPLEEXAMPLE123"
"""The part of aws:userid before the colon, which a role's id is and no policy of ours names."""


def duty_world(
    land: Landscape, assignments: Assignments, administrators: Sequence[str] = (), *, retention_days: int = 30
) -> World:
    """Return the world of one stack's duties as its generators write it, before anything of it exists."""
    accounts = tuple(Account(id=one) for one in dict.fromkeys((land.workload, land.evidence, land.audit)))
    admins = (*administrators, *arns_of(Role.FOUNDATION, land))
    resources = (
        *_keys(land, assignments, admins), *_vaults(land, admins, retention_days), *_staging(land, admins),
        *guarded(land, administrators),
    )  # fmt: skip
    world = World(
        stack=land.stack,
        accounts=accounts,
        principals=tuple(_principals(land, assignments)),
        resources=resources,
        people=people_of(land, assignments),
        boundaries=tuple(_boundaries(land)),
        exclusions=exclusions(),
        administrators=tuple(administrators),
        minimum_retention_days=retention_days,
    )
    return with_table(world, land)


def exclusions() -> tuple[tuple[str, str], ...]:
    """Return the pairs of duties that exclude each other, in order."""
    return tuple(sorted((min(pair), max(pair)) for pair in (tuple(one.value for one in both) for both in EXCLUDES)))


def people_of(land: Landscape, assignments: Assignments) -> tuple[Person, ...]:
    """Return who comes in: people by what they are to AWS, pipelines by their tokens."""
    people = [
        Person(
            name=one.name,
            duties=tuple(duty.value for duty in one.duties),
            source_identity=one.source_identity,
            ways=(_way(one),),
        )
        for one in assignments.people
    ]
    pipelines = [
        Person(
            name=one.name,
            kind="pipeline",
            duties=(one.duty.value,),
            ways=tuple(
                Way(
                    kind="federated",
                    principal=f"arn:aws:iam::{account}:oidc-provider/{one.issuer}",
                    context={f"{one.issuer}:sub": (subject,), f"{one.issuer}:aud": (one.audience,)},
                )
                for subject in one.subjects
                for account in dict.fromkeys((land.workload, land.evidence))
            ),
        )
        for one in assignments.pipelines
    ]
    return (*people, *pipelines)


def _way(one: Assigned) -> Way:
    kind = "user" if ":user/" in one.principal else "aws"
    context = {"aws:userid": (f"{_SESSION_OF_SSO}:{one.user_name}",)} if one.user_name else {}
    return Way.model_validate({"kind": kind, "principal": one.principal, "context": context})


def _principals(land: Landscape, assignments: Assignments) -> Iterator[Principal]:
    yield from deploying_principals(land, assignments)
    for role, row in MATRIX.items():
        if role in DEPLOYING:
            continue
        for home in land.homes_of(role, row.home):
            bounded = BOUNDED_BY[role]
            yield Principal(
                arn=land.role_arn(role, home),
                duty=row.duty.value,
                trust=json.loads(role_trust_policy(row, land, assignments, home)),
                identity=(NamedDocument(name="duty", document=json.loads(identity_policy(row, land))),),
                boundary=NamedDocument(
                    name=bounded.value,
                    document=json.loads(boundary_policy(bounded, land)),
                    editable_arn=boundary_arn(bounded, land, home),
                ),
                tags={DUTY_TAG: row.duty.value},
                longest_session_seconds=DUTY_SECONDS,
                source="interlock.duties",
            )


def deploying_principals(land: Landscape, assignments: Assignments) -> Iterator[Principal]:
    """Yield the roles that `infra/bootstrap` makes, with the documents that it fills in for this stack."""
    for role in DEPLOYING:
        row, bounded = MATRIX[role], BOUNDED_BY[role]
        boundary, rights = documents_of(role, land)
        for home in land.homes_of(role, row.home):
            account = land.account_of(home)
            if account == land.workload:
                rights = {**rights, state_name(role, land): state_policy(role, land, account)}
            yield Principal(
                arn=land.role_arn(role, home),
                duty=row.duty.value,
                trust=json.loads(deploying_trust_policy(row, land, assignments, home)),
                identity=tuple(
                    NamedDocument(
                        name=name, document=document, editable_arn=f"arn:aws:iam::{account}:policy{ROLE_PATH}{name}"
                    )
                    for name, document in rights.items()
                ),
                boundary=NamedDocument(
                    name=bounded.value, document=boundary, editable_arn=boundary_arn(bounded, land, home)
                ),
                tags={DUTY_TAG: row.duty.value},
                source="infra/bootstrap",
            )


def _boundaries(land: Landscape) -> Iterator[NamedDocument]:
    for boundary in (Boundary.DUTY, Boundary.SERVICE):
        for home in dict.fromkeys(land.account_of(one) for one in Home):
            yield NamedDocument(
                name=boundary.value,
                document=json.loads(boundary_policy(boundary, land)),
                editable_arn=boundary_arn(boundary, land, next(one for one in Home if land.account_of(one) == home)),
            )


def _keys(land: Landscape, assignments: Assignments, administrators: Sequence[str]) -> Iterator[Resource]:
    shared = [land.workload] if land.workload != land.evidence else []
    for region in land.regions:
        for key in SigningDuty:
            signing = [row for row in MATRIX.values() if row.signs_with == key.value]
            roles = [arn for row in signing for arn in arns_of(row.role, land)]
            policy = signing_key_policy(land.evidence, administrators, [], shared, roles)
            yield key_resource(land, region, key.value, policy, key.value)
        for person in assignments.people_of(Duty.APPROVER):
            roles = arns_of(Role.APPROVER, land)
            policy = approver_key_policy(land.evidence, administrators, person.source_identity, shared, roles)
            owner = f"approver:{person.source_identity}"
            yield key_resource(land, region, f"approver-{person.name}", policy, owner)
        policy = data_key_policy(land.evidence, region, administrators, for_logs=False, shared_with=shared)
        yield key_resource(land, region, "evidence", policy, None)


def key_resource(land: Landscape, region: str, name: str, policy: str, owner: str | None) -> Resource:
    """Return a key of the evidence account, by what its alias has after the stack's prefix."""
    return Resource(
        arn=f"arn:aws:kms:{region}:{land.evidence}:key/{name}",
        kind=ResourceKind.KEY,
        account_id=land.evidence,
        policy=json.loads(policy),
        owner=owner,
        attributes={"usage": "ENCRYPT_DECRYPT", "evidence": "true"} if owner is None else {"usage": "SIGN_VERIFY"},
        context={"kms:ResourceAliases": (land.key_alias(name),)},
        used_by=tuple(sorted({row.duty.value for row in MATRIX.values() if row.signs_with == name})),
    )


def _vaults(land: Landscape, administrators: Sequence[str], retention_days: int) -> Iterator[Resource]:
    writers = {prefix: [arn for role in roles for arn in arns_of(role, land)] for prefix, roles in WRITERS.items()}
    lockers = [arn for role in LOCKERS for arn in arns_of(role, land)]
    shared = [land.workload] if land.workload != land.evidence else []
    for bucket in land.vaults:
        arn = f"arn:aws:s3:::{bucket}"
        yield Resource(
            arn=arn,
            kind=ResourceKind.BUCKET,
            account_id=land.evidence,
            policy=json.loads(vault_policy(arn, retention_days, administrators, [], shared, writers, lockers)),
            attributes={
                "evidence": "true", "lock_mode": "COMPLIANCE", "retention_days": str(retention_days),
                "versioning": "Enabled",
            },
        )  # fmt: skip


def _staging(land: Landscape, administrators: Sequence[str]) -> Iterator[Resource]:
    writers = {
        prefix: [arn for role in roles for arn in arns_of(role, land)] for prefix, roles in STAGED_WRITERS.items()
    }
    shared = [land.workload] if land.workload != land.evidence else []
    for bucket in land.staging:
        arn = f"arn:aws:s3:::{bucket}"
        policy = json.loads(staging_policy(arn, shared, administrators, writers))
        yield Resource(arn=arn, kind=ResourceKind.BUCKET, account_id=land.evidence, policy=policy)
