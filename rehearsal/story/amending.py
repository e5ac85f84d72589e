"""The step in which two people of the foundation change the policy that releases are judged by."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from interlock.admission import trust_from
from interlock.aws.vault import S3VaultReader
from interlock.duties.duty import Duty, Role
from interlock.release.tiers import POLICY_NAME, parse_policy
from interlock.release.tiers_difference import differences
from rehearsal.layers import FOUNDATION
from rehearsal.story.context import Context
from rehearsal.story.policy import AMENDED_POLICY, FIRST_POLICY, data_source, write_policy
from rehearsal.story.step import Seen, Unexpected
from rehearsal.story.trusting import Ceremony, publish_root


def amend(context: Context) -> Seen:
    """Allow the source of the loan data: one person drafts and signs that, and it holds once another one has."""
    first, second = [one.name for one in context.people.assignments.people_of(Duty.FOUNDATION)][:2]
    before = parse_policy((context.session.directory / FIRST_POLICY).read_bytes())
    file = write_policy(context.checkout, context.session.directory / AMENDED_POLICY, sources=[data_source()])
    after = parse_policy(file.read_bytes())
    ceremony = Ceremony(context)
    ceremony.done(first, "rotate", "--policy", f"{POLICY_NAME}={file}")
    ceremony.done(first, "sign", "--key", str(ceremony.key(first)))
    alone = ceremony.refused(first, "verify", "--fingerprint", context.fingerprint)
    ceremony.done(second, "sign", "--key", str(ceremony.key(second)))
    verified = ceremony.done(second, "verify", "--fingerprint", context.fingerprint)
    bucket = _vault(context)
    published = publish_root(context, ceremony.folder, file, bucket)
    _expect_in_force(context, bucket, after.digest)
    changes = [str(one) for one in differences(before, after)]
    return Seen(
        f"version {verified['root']['version']} of the trust root, signed by {' and '.join(verified['signed_by'])}: "
        f"policy {before.digest[:12]} became {after.digest[:12]}; {'; '.join(changes)}",
        {
            "policy_change": {
                "version": verified["root"]["version"],
                "before": before.digest,
                "after": after.digest,
                "signed_by": verified["signed_by"],
                "changes": changes,
            },
            "published": published,
            "breaches": [
                {"duty": Duty.FOUNDATION.value, "who": first, "tried": "change the policy alone", "answer": alone}
            ],
        },
    )


def _expect_in_force(context: Context, bucket: str, policy: str) -> None:
    reader = S3VaultReader(context.people.as_(Role.FOUNDATION).client("s3"), bucket)
    trust = trust_from(context.anchor, reader, now=datetime.now(UTC))
    if trust.policy_in_force != policy:
        raise Unexpected(f"the policy {policy} to be in force", str(trust.policy_in_force))


def _vault(context: Context) -> str:
    outputs = json.loads(context.pulumi("stack", "output", "--json", stack=FOUNDATION).stdout)
    return str(outputs["foundation"]["vault"]["bucket_name"])
