"""Claims about keys and evidence: who signs, and that nothing is deleted, hidden, shortened or left unreplicated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from interlock.duties.bucket_policy import LONGEST_RETENTION_DAYS
from interlock.duties.evaluator.operators import number
from interlock.duties.proof.beside import beside
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.lines import on_unsafe_lines
from interlock.duties.proof.property import OWNERS, Context, Property, Violation
from interlock.duties.world import Resource, ResourceKind

APPROVER: Final = "approver:"
PLATFORM: Final = "platform"
BECOMING_A_SIGNER: Final = ("kms:CreateGrant", "kms:PutKeyPolicy", "kms:ReplicateKey")
TAKING_KEYS: Final = (
    "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:DeleteImportedKeyMaterial", "kms:UpdatePrimaryRegion",
)  # fmt: skip
CHANGING_KEYS: Final = (
    "kms:DisableKeyRotation", "kms:ImportKeyMaterial", "kms:ReplicateKey", "kms:CreateAlias", "kms:UpdateAlias",
    "kms:DeleteAlias", "kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription",
)  # fmt: skip
"""What changes a key or what it goes by: IAM policies may name keys by their aliases and tags."""
ENDING_GRANTS: Final = ("kms:RevokeGrant", "kms:RetireGrant")
REMOVING_OBJECTS: Final = (
    "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:ReplicateDelete",
    "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging",
)  # fmt: skip
REMOVING_IN_BUCKETS: Final = ("s3:PutLifecycleConfiguration", "s3:DeleteBucketPolicy")
CHANGING_GUARDS: Final = (
    "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration", "s3:DeleteBucket",
    "s3:PutReplicationConfiguration", "s3:PutEncryptionConfiguration", "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketAcl", "s3:PutBucketOwnershipControls", "s3:PutBucketNotification", "s3:PutBucketLogging",
)  # fmt: skip
TELLING_OF_OBJECTS: Final = (
    "s3:PutInventoryConfiguration", "s3:PutAnalyticsConfiguration", "s3:PutMetricsConfiguration",
    "s3:PutIntelligentTieringConfiguration", "s3:PutAccelerateConfiguration", "s3:PutBucketRequestPayment",
    "s3:PutBucketCORS", "s3:PutBucketWebsite", "s3:DeleteBucketWebsite", "s3:PutBucketTagging",
)  # fmt: skip
"""What tells of objects to others, moves them, or makes reading them cost or fail."""
MARKING: Final = ("s3:PutObjectLegalHold", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:PutObjectAcl")
REPLICATING: Final = ("s3:ReplicateObject", "s3:ReplicateTags")
"""What writes past the conditions of a PUT."""
REMAINING: Final = "s3:object-lock-remaining-retention-days"
FOR_EVER: Final = 36_500
SHORTEST_RECORD_DAYS: Final = 30
"""The least that `infra/audit` takes."""
UNFASTENING: Final = ("ecr:PutImageTagMutability", "ecr:DeleteRepository", "ecr:BatchDeleteImage")
WRITING: Final = {"s3:if-none-match": ("*",), "s3:objectcreationoperation": ("true",)}
"""What an ordinary PUT of evidence says."""


def _only_owners_sign(context: Context) -> Iterator[Violation]:
    for key in context.scene.world.of_kind(ResourceKind.KEY):
        if key.owner is None:
            continue
        for session in context.callers(key):
            if not context.administers(session) or context.scene.principal(session.arn).duty in OWNERS:
                yield from _signs_with_anothers(context, session, key)
            if not context.administers(session):
                yield from context.first([session], BECOMING_A_SIGNER, key.arn, f"come to sign as {key.owner}")


def _denials_suffice(context: Context) -> Iterator[Violation]:
    # What no policy of their own and no boundary denies them, nobody else could do either.
    strangers = [Session(arn, FREE) for arn in context.scene.strangers()]
    for key in context.scene.world.of_kind(ResourceKind.KEY):
        if key.owner is None and key.attributes.get("evidence") != "true" and not is_the_platforms(key):
            continue
        anybody = context.callers(key)
        others = [one for one in anybody if not context.administers(one)]
        if is_the_platforms(key):
            # The platform makes these keys and ends them: nothing that duties sign or keep is under them.
            others = [one for one in others if context.scene.principal(one.arn).duty != PLATFORM]
        yield from context.first(others, TAKING_KEYS, key.arn, "take a key away", loosened=True)
        yield from context.first(strangers, CHANGING_KEYS, key.arn, "change what a key goes by", loosened=True)
        # AWS's services end the grants that they were given, of volumes and the like.
        by_hand = {"kms:viaservice": None, "kms:grantisforawsresource": None}
        yield from context.first(
            others, ENDING_GRANTS, key.arn, "end what a key is used for", given=by_hand, loosened=True
        )
        if key.owner is None:
            continue
        yield from context.first(anybody, ("kms:CreateGrant",), key.arn, "give a key's use", loosened=True)
        for session in others:
            yield from _signs_with_anothers(context, session, key, loosened=True)
    for repository in context.scene.world.of_kind(ResourceKind.REPOSITORY):
        words = "let a tag mean another image"
        others = [one for one in context.named(repository) if not context.administers(one)]
        yield from context.first([*strangers, *others], UNFASTENING, repository.arn, words, loosened=True)


def is_the_platforms(key: Resource) -> bool:
    """Return whether a key is one that the layer platform encrypts with."""
    aliases = key.context.get("kms:ResourceAliases", ())
    return any(one.startswith("alias/interlock-") and one.endswith("-platform") for one in aliases)


def _only_writers_write(context: Context) -> Iterator[Violation]:
    writers = context.scene.world.writers
    for bucket in _evidence(context):
        anybody = context.callers(bucket)
        for prefix, arns in writers.items():
            others = [one for one in anybody if one.arn not in arns]
            yield from context.first(others, ("s3:PutObject",), f"{bucket.arn}/{prefix}*", f"write under {prefix}")
        if writers:
            for thing in beside(bucket.arn, writers, context.scene.resource_policy(bucket), "s3:PutObject"):
                yield from context.first(anybody, ("s3:PutObject",), thing, "write where nobody looks")
        if lockers := context.scene.world.lockers:
            others = [one for one in anybody if one.arn not in lockers]
            words = "lock for longer what lies in the vault"
            yield from context.first(others, ("s3:PutObjectRetention",), f"{bucket.arn}/*", words)


def _signs_with_anothers(
    context: Context, session: Session, key: Resource, *, loosened: bool = False
) -> Iterator[Violation]:
    assert key.owner is not None
    duty = context.scene.principal(session.arn).duty
    other_than: tuple[tuple[str, str], ...] = ()
    if key.owner.startswith(APPROVER) and duty == "approver":
        other_than = (("aws:sourceidentity", key.owner.removeprefix(APPROVER)),)
    elif duty in (key.used_by or (key.owner,)):
        return
    for action in ("kms:Sign", "kms:CreateGrant"):
        call = context.scene.can(session, action, key.arn, other_than=other_than, loosened=loosened)
        if call is not None:
            bears = call.context.get("aws:sourceidentity", ("no name",))[0]
            were = ", were its policy to allow everyone everything" if loosened else ""
            words = f"{session} bearing {bears} can {action} with the key of {key.owner}{were}"
            yield Violation(words, call=call)


def _keys_stay(context: Context) -> Iterator[Violation]:
    for key in context.scene.world.of_kind(ResourceKind.KEY):
        if key.owner is None and key.attributes.get("evidence") != "true":
            continue
        sessions = [one for one in context.callers(key) if not context.administers(one)]
        owners = [Session(one.arn, FREE) for one in context.scene.world.principals if one.duty in OWNERS]
        yield from context.first([*sessions, *owners], TAKING_KEYS, key.arn, "take a key away")
        if key.owner is None:
            yield from context.first(sessions, ("kms:PutKeyPolicy",), key.arn, "change who uses the key of evidence")


def _evidence(context: Context) -> Iterator[Resource]:
    return (one for one in context.scene.world.of_kind(ResourceKind.BUCKET) if one.attributes.get("evidence") == "true")


def records(context: Context) -> Iterator[Resource]:
    """Return the locked buckets that are no vaults: what the trails write."""
    return (one for one in context.scene.world.of_kind(ResourceKind.BUCKET) if one.attributes.get("record") == "true")


def _records_stay(context: Context) -> Iterator[Violation]:
    for bucket in records(context):
        anybody = context.callers(bucket)
        yield from context.first(anybody, REMOVING_OBJECTS, f"{bucket.arn}/*", "delete or hide a record")
        yield from context.first(anybody, REMOVING_IN_BUCKETS, bucket.arn, "let a record be deleted")
        others = [one for one in anybody if not context.administers(one)]
        yield from context.first(others, CHANGING_GUARDS, bucket.arn, "loosen what guards a record")
        days = bucket.attributes.get("retention_days", "0")
        is_long = days.isdigit() and int(days) >= SHORTEST_RECORD_DAYS
        is_locked = bucket.attributes.get("lock_mode") == "COMPLIANCE"
        if not (is_long and is_locked and bucket.attributes.get("versioning") == "Enabled"):
            words = f"for {SHORTEST_RECORD_DAYS} days or more in mode COMPLIANCE, with versioning"
            yield Violation(f"{bucket.arn} does not lock {words}")
        yield from on_unsafe_lines(context, bucket, "use a record")


def _evidence_stays(context: Context) -> Iterator[Violation]:
    for bucket in _evidence(context):
        anybody = context.callers(bucket)
        yield from context.first(anybody, REMOVING_OBJECTS, f"{bucket.arn}/*", "delete or hide evidence")
        yield from context.first(anybody, REMOVING_IN_BUCKETS, bucket.arn, "let evidence be deleted")
        others = [one for one in anybody if not context.administers(one)]
        yield from context.first(others, CHANGING_GUARDS, bucket.arn, "loosen what guards evidence")
        yield from context.first(others, TELLING_OF_OBJECTS, bucket.arn, "change how evidence is kept")
        own = [one for one in context.sessions() if not context.administers(one)]
        yield from context.first(own, MARKING, f"{bucket.arn}/*", "hold evidence for ever, or mark it")
        writing = [one for one in anybody if not _replicates(context, one)]
        yield from context.first(writing, REPLICATING, f"{bucket.arn}/*", "bring evidence in without its conditions")
        yield from _overwrites(context, bucket, anybody)


def _evidence_is_read(context: Context) -> Iterator[Violation]:
    for key in context.scene.world.of_kind(ResourceKind.KEY):
        if key.attributes.get("evidence") == "true":
            yield from _read_from_elsewhere(context, key, {"kms:Decrypt": key.arn})
    for bucket in _evidence(context):
        reading = {"s3:GetObject": f"{bucket.arn}/*", "s3:ListBucket": bucket.arn}
        yield from _read_from_elsewhere(context, bucket, reading)
        yield from on_unsafe_lines(context, bucket, "use evidence")


def _read_from_elsewhere(context: Context, resource: Resource, reading: Mapping[str, str]) -> Iterator[Violation]:
    """Yield who reads evidence and is of no account of the world, nor of the organisation's."""
    accounts = context.scene.world.accounts
    ours = {one.organization_id for one in accounts if one.organization_id}
    other_than = tuple(("aws:principalorgid", one) for one in sorted(ours))
    for session in context.invited(resource):
        if context.scene.principal(session.arn).account_id in {one.id for one in accounts}:
            continue
        for action, of in reading.items():
            if call := context.scene.can(session, action, of, other_than=other_than):
                yield Violation(f"{session}, of an account that is none of ours, reads evidence by {action}", call=call)


def _replicates(context: Context, session: Session) -> bool:
    """Return whether a session's role is one that S3 replicates with."""
    trust = context.scene.trust(session.arn)
    names = {one.name for statement in trust.statements for one in statement.principal} if trust else set()
    return names == {"s3.amazonaws.com"}


def _overwrites(context: Context, bucket: Resource, sessions: list[Session]) -> Iterator[Violation]:
    for session in sessions:
        given = {"s3:if-none-match": None, "s3:objectcreationoperation": ("true",)}
        if call := context.scene.can(session, "s3:PutObject", f"{bucket.arn}/*", given=given):
            yield Violation(f"{session} can write over what {bucket.arn} holds", call=call)
            return


def _retention(context: Context) -> Iterator[Violation]:
    minimum = context.scene.world.minimum_retention_days
    weak = {REMAINING: (str(minimum),), "s3:object-lock-mode": ("GOVERNANCE",)}
    for bucket in _evidence(context):
        ways: list[tuple[str, Mapping[str, tuple[str, ...]]]] = [("in a mode that can be lifted", weak)]
        for days in _told_apart(context, bucket, (1, minimum - 1, LONGEST_RETENTION_DAYS + 1, FOR_EVER)):
            locked = {REMAINING: (str(days),), "s3:object-lock-mode": ("COMPLIANCE",)}
            if 0 < days < minimum:
                ways.append((f"for {days} days, fewer than the minimum", locked))
            if days > LONGEST_RETENTION_DAYS and context.scene.world.lockers:
                ways.append((f"for {days} days, more than {LONGEST_RETENTION_DAYS}", locked))
        for words, given in ways:
            for action in ("s3:PutObject", "s3:PutObjectRetention"):
                for session in context.callers(bucket):
                    call = context.scene.can(session, action, f"{bucket.arn}/*", given={**WRITING, **given})
                    if call is not None:
                        yield Violation(f"{session} can lock evidence {words} by {action}", call=call)
                        break
        yield from _unlocked_writing(context, bucket, minimum)


def _told_apart(context: Context, bucket: Resource, beside: Sequence[int]) -> list[int]:
    """Return numbers of days: those given, and those at which a condition of a bucket's policy begins or ends."""
    policy = context.scene.resource_policy(bucket)
    conditions = (one for each in (policy.statements if policy else ()) for one in each.condition)
    written = [number(value.written) for one in conditions if one.key == REMAINING for value in one.values]
    return sorted({*beside, *(int(one) + near for one in written for near in (-1, 0, 1))})


def _unlocked_writing(context: Context, bucket: Resource, minimum: int) -> Iterator[Violation]:
    days, mode = bucket.attributes.get("retention_days", "0"), bucket.attributes.get("lock_mode", "none")
    versioning = bucket.attributes.get("versioning", "Disabled")
    if mode == "COMPLIANCE" and days.isdigit() and int(days) >= minimum and versioning == "Enabled":
        return
    words = (
        f"{bucket.arn} locks for {days} days in mode {mode} with versioning {versioning}, not {minimum} in COMPLIANCE"
    )
    plain = {**WRITING, "s3:object-lock-remaining-retention-days": None, "s3:object-lock-mode": None}
    for session in context.anybody():
        if call := context.scene.can(session, "s3:PutObject", f"{bucket.arn}/*", given=plain):
            yield Violation(f"{words}: {session} writes there", call=call)
            return
    yield Violation(words)


PROPERTIES: Final = (
    Property(
        "only-owners-sign",
        "Nobody but its owner uses a signing key, nor can give its use to anyone; an approver's only under that "
        "person's own source identity.",
        _only_owners_sign,
    ),
    Property("keys-stay", "Nobody can delete or disable a key that signs or that evidence is under.", _keys_stay),
    Property(
        "evidence-stays",
        "Nobody can delete, hide or write over evidence, and only administrators change what guards it.",
        _evidence_stays,
    ),
    Property(
        "records-stay",
        "Nobody can delete or hide what the trails have written where it is locked, nobody uses it without TLS of at "
        "least 1.2, and only administrators change what guards it.",
        _records_stay,
    ),
    Property(
        "evidence-is-read",
        "Nobody of an account that is none of ours reads evidence, and nobody uses it without TLS of at least 1.2, "
        "even were its policy to allow everyone everything beside what it denies.",
        _evidence_is_read,
    ),
    Property(
        "denials-suffice",
        "Even were the policy of a key or repository to allow everyone everything beside what it denies, nobody but a "
        "key's owner would sign, nobody would give one away or end it, and no tag would come to mean another image.",
        _denials_suffice,
    ),
    Property(
        "only-writers-write",
        "Under each prefix of the vault only the roles whose prefix it is write, and beside the prefixes nobody; only "
        "approvers lock anything there for longer.",
        _only_writers_write,
    ),
    Property(
        "evidence-is-kept-long-enough",
        "Everything in the vault is locked in COMPLIANCE mode for at least the minimum of days, and by nobody for "
        "longer than the most that a vault allows.",
        _retention,
    ),
)
