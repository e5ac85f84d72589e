"""Who administers the keys of an account."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from interlock.settings.model import Settings
from stacks.places import Place


def key_administrators(settings: Settings, place: Place) -> pulumi.Output[list[str]]:
    """Return the ARNs of those who alone may take keys of `place` away: the settings', or whoever makes them there.

    A key that nobody administers could never go: AWS refuses such a policy.
    """
    if settings.administrators is not None:
        return pulumi.Output.from_input(settings.administrators)
    options = pulumi.InvokeOutputOptions(provider=place.provider)
    caller = aws.get_caller_identity_output(opts=options)
    # A session of a role counts as the role, whose ARN is what a policy's condition sees.
    context = aws.iam.get_session_context_output(arn=caller.arn, opts=options)
    return context.issuer_arn.apply(lambda arn: [arn])
