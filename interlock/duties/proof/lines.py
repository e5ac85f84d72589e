"""On which lines a bucket is used: whom its policy lets use it without TLS, or by an old one. Of which buckets it is
asked is for the claims about what these hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.property import Context, Violation
from interlock.duties.world import Resource

USING_BUCKETS: Final = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:AnyOther",
)
UNSAFE_LINES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "without TLS": {"aws:securetransport": ("false",)},
    "by an old TLS": {"aws:securetransport": ("true",), "s3:tlsversion": ("1.1",)},
    "by the oldest TLS": {"aws:securetransport": ("true",), "s3:tlsversion": ("1.0",)},
}


def on_unsafe_lines(context: Context, bucket: Resource, words: str) -> Iterator[Violation]:
    """Yield what could be done with a bucket without TLS or by an old one, were its policy to allow everything: by an
    action that nobody knows yet, and by each that the policy itself tells from others."""
    policy = context.scene.resource_policy(bucket)
    told = {one for each in policy.statements for one in (*each.action, *each.not_action)} if policy else set()
    actions = dict.fromkeys((*USING_BUCKETS, *sorted(one for one in told if not {"*", "?"} & set(one))))
    strangers = [Session(arn, FREE) for arn in context.scene.strangers()]
    # Of those whom the policy tells from strangers, somebody may be spared as a whole.
    told_apart = [one for one in context.callers(bucket) if one not in strangers]
    for line, given in UNSAFE_LINES.items():
        said = f"{words} {line}"
        for thing in (f"{bucket.arn}/*", bucket.arn):
            yield from context.first(strangers, actions, thing, said, given=given, loosened=True)
        yield from context.first(told_apart, USING_BUCKETS, f"{bucket.arn}/*", said, given=given, loosened=True)
