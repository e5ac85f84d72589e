"""What a foundation without a platform exports is what images are published with."""

from __future__ import annotations

from interlock.duties.duty import SigningDuty
from interlock.manifest import read_foundation
from policy.recording.monitor import record
from stacks.program import provision
from tests.stacks.configurations import local


def test_the_exported_foundation_tells_where_images_are_pushed_and_who_signs_for_them() -> None:
    alone = local(layers=["foundation"], network=..., tracking=..., endpoints=..., runner=..., budget=...)
    recording = record(lambda: provision(alone), preview=False, stack="local")
    (exported,) = [one for one in recording.outputs.values() if "foundation" in one]
    found = read_foundation(exported["foundation"])
    assert found.region == "eu-west-1"
    assert found.images["serving"].url.endswith(".dkr.ecr.eu-west-1.amazonaws.com/interlock/local/serving")
    assert (
        found.signing_keys[SigningDuty.BUILDER].key_arn == exported["foundation"]["signing_keys"]["builder"]["key_arn"]
    )
