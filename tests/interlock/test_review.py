from __future__ import annotations

from typing import Any

from interlock.review import LONGEST, Section, as_markdown, refused, steps_of


def step(operation: str, name: str, *, protect: bool = False, paths: tuple[str, ...] = ()) -> dict[str, Any]:
    state = {"type": "aws:s3/bucket:Bucket", "custom": True, "protect": protect}
    return {
        "op": operation,
        "urn": f"urn:pulumi:prod::interlock::aws:s3/bucket:Bucket::{name}",
        **({} if operation == "create" else {"oldState": state}),
        **({} if operation == "delete" else {"newState": state}),
        "detailedDiff": {path: {"kind": "update"} for path in paths},
    }


def test_losses_come_first_and_what_stays_as_it_is_is_left_out() -> None:
    document = {
        "steps": [step("same", "a"), step("create", "b"), step("update", "c", paths=("tags.x",)), step("replace", "d")]
    }
    assert [(one.name, one.loses, one.paths) for one in steps_of(document)] == [
        ("d", True, ()), ("b", False, ()), ("c", False, ("tags.x",)),
    ]  # fmt: skip


def test_components_and_providers_are_no_resources_that_change() -> None:
    component = {"op": "create", "urn": "a::b::c::d", "newState": {"type": "interlock:storage:Vault", "custom": False}}
    provider = {"op": "create", "urn": "a::b::c::d", "newState": {"type": "pulumi:providers:aws", "custom": True}}
    assert steps_of({"steps": [component, provider]}) == []


def test_losing_what_is_protected_or_a_section_that_does_not_pass_is_refused() -> None:
    kept, lost = steps_of({"steps": [step("delete", "vault", protect=True), step("delete", "log")]})[::-1]
    assert {kept.name, lost.name} == {"vault", "log"}
    sections = [Section("The duties' proof", False, ["ann reaches approver and deployer"]), Section("Cost", None, [])]
    assert refused([kept, lost], sections) == [
        "vault is protected and would be lost (delete)", "The duties' proof does not pass",
    ]  # fmt: skip
    text = as_markdown("prod", [kept, lost], sections)
    assert text.startswith("<!-- interlock review -->\n## Preview of prod\n\n**Refused.** vault is protected")
    assert "❌ delete (protected)" in text
    assert "⚠️ delete" in text


def test_what_a_programs_author_wrote_takes_no_effect_in_the_comment() -> None:
    text = as_markdown("prod", steps_of({"steps": [step("delete", "<img src=x>|`[a](b) @team")]}), [])
    row = next(line for line in text.splitlines() if "img" in line)
    assert "<img" not in row
    assert row.count("|") == 5
    assert not set("`[]()@") & set(row)


def test_a_comment_is_never_longer_than_github_takes() -> None:
    many = steps_of({"steps": [step("update", f"{number:04}" * 60, paths=("x" * 300,)) for number in range(400)]})
    text = as_markdown("prod", many, [Section("Proof", False, ["y" * 1000] * 100)])
    assert LONGEST < len(text) + 2_000 < 65_536 + 2_000
    assert "too long for a comment" in text
