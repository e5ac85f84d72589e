from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

import policy.checkov
from policy.reasons import Finding, Reason, ReasonsError, judge, read_reasons

DAY = datetime.date(2026, 11, 21)
WORDS = "The pointer holds an address and a digest, which anyone in the account may know."


def finding(resource: str = "aws_s3_bucket.vault_bucket", check: str = "CKV_AWS_144") -> Finding:
    return Finding(check, resource, "Ensure something", "")


def reason(**changed: Any) -> dict[str, Any]:
    given = {
        "check": "CKV_AWS_144",
        "resources": ["aws_s3_bucket.vault_*"],
        "reason": WORDS,
        "date": DAY,
        "expires": DAY + datetime.timedelta(days=100),
    }
    return {key: value for key, value in {**given, **changed}.items() if value is not ...}


def reasons(*given: dict[str, Any]) -> list[Reason]:
    return read_reasons({"reasons": list(given)})


def test_a_finding_without_a_reason_fails() -> None:
    other_check, other_resource = finding(check="CKV_AWS_18"), finding("aws_s3_bucket.artifacts")
    verdict = judge([finding(), other_check, other_resource], reasons(reason()), DAY)
    assert verdict.unexplained == (other_check, other_resource)
    assert [one for one, _ in verdict.explained] == [finding()]
    assert not verdict.passes


def test_findings_that_all_have_a_reason_pass() -> None:
    assert judge([finding()], reasons(reason()), DAY).passes
    assert judge([], [], DAY).passes


def test_a_reason_ends_on_its_day() -> None:
    given = reasons(reason())
    last = given[0].expires
    assert judge([finding()], given, last).passes
    late = judge([finding()], given, last + datetime.timedelta(days=1))
    assert not late.passes
    assert late.expired == ((finding(), given[0]),)


def test_a_reason_that_nothing_needs_any_more_fails() -> None:
    given = reasons(reason(resources=["aws_s3_bucket.vault_*", "aws_s3_bucket.gone"]))
    verdict = judge([finding()], given, DAY)
    assert verdict.unused == ((given[0], "aws_s3_bucket.gone"),)
    assert not verdict.passes


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no date": ({"date": ...}, "reasons[0].date"),
    "no words": ({"reason": "accepted"}, "reasons[0].reason"),
    "for ever": ({"expires": DAY + datetime.timedelta(days=400)}, "reasons[0].expires"),
    "over before it began": ({"expires": DAY}, "reasons[0].expires"),
    "no check": ({"check": "everything"}, "reasons[0].check"),
    "no address": ({"resources": ["*"]}, "reasons[0].resources"),
    "no resources": ({"resources": []}, "reasons[0].resources"),
    "a slip of the pen": ({"expire": DAY}, "reasons[0].expire"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_reason_that_is_none_is_refused(case: str) -> None:
    changed, path = BAD[case]
    with pytest.raises(ReasonsError) as caught:
        reasons(reason(**changed))
    assert path in [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize("document", [None, [], "reasons"])
def test_what_is_no_list_of_reasons_is_refused(document: Any) -> None:
    with pytest.raises(ReasonsError):
        read_reasons(document)


def test_the_reasons_in_the_repository_can_be_read() -> None:
    read_reasons(yaml.safe_load((Path(policy.checkov.__file__).parent / "reasons.yaml").read_text()))
