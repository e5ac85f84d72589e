"""The parts of the report about duties: what was proved of them, and how each was held to its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlock.pages.markup import Markup, card, join, shortened, table, tag


def certificate_card(proof: Mapping[str, Any]) -> Markup:
    """Show what was proved, with the way to the certificate."""
    return card(
        "Duties are separate, by proof",
        tag(
            "p",
            f"Before anything of the platform was made, {len(proof['claims'])} claims were proved of the "
            f"{proof['documents']} IAM, KMS and S3 policies that the two stacks were about to deploy: for each, a "
            "solver found that no request breaks it. ",
            tag("a", "The certificate", href="certificate.html"),
            " names the documents by their digests, who has which duty, and what it all rests on.",
            class_="soft",
        ),
        table(("claim", "what it says"), ((tag("code", one["name"]), one["sentence"]) for one in proof["claims"])),
    )


FEW_ACTORS = 3


def actors_cell(actors: Sequence[str]) -> Markup:
    """Show as whom a step acted; the many of one that comes as everybody are only counted."""
    if len(actors) > FEW_ACTORS:
        return tag("span", f"{len(actors)} roles and users")
    return join(tag("div", tag("code", arn.removeprefix("arn:aws:iam::"))) for arn in actors)


def breaches_card(tried: Sequence[Mapping[str, Any]]) -> Markup:
    """Show what everybody tried beyond their duty, and what they were answered."""
    rows = ((one["duty"], one["who"], one["tried"], tag("code", shortened(one["answer"]))) for one in tried)
    return card(
        "What each duty tried beyond itself, all refused",
        tag(
            "p",
            "Real calls with the credentials that each duty gives: people come with their own key and second factor, "
            "services as AWS hands them their role.",
            class_="soft",
        ),
        tag("div", table(("under the role", "who", "tried to", "what was answered"), rows), class_="scroll"),
    )
