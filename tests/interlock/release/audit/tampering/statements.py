"""Every statement of a release: edited, dropped, signed by others, put elsewhere, about something else."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from interlock.release.digests import canonical_json, sha256
from interlock.release.envelope import enclose, read_sealed, seal, sign_payload
from interlock.release.predicates import PLACES, Predicate
from interlock.release.statement import PAYLOAD_TYPE, parse_statement, statement_about
from interlock.release.trust.document import KeyDuty
from tests.interlock.release.audit.tampering.case import (
    PROMOTED,
    Case,
    case,
    content_of,
    drop,
    flipped,
    kind_of,
    on,
    put,
    recreated,
    renamed,
    swapped,
)
from tests.interlock.release.audit.world import (
    SIGNERS,
    World,
)


def statement_cases(world: World) -> Iterator[Case]:
    """Yield what is done to each statement of an admitted release."""
    for key in _statements(world):
        yield from _cases_of(world, key)


def served_cases(world: World) -> Iterator[Case]:
    """Yield what is done to those that a release has once it served elsewhere, and was tested."""
    for key in _statements(world):
        if _predicate(world, key) in (Predicate.SERVED, Predicate.TEST_RESULT):
            yield from (replace(one, base=PROMOTED) for one in _cases_of(world, key))


def _statements(world: World) -> list[str]:
    return sorted(key for key in world.vault.objects if key.endswith(".dsse.json"))


def _cases_of(world: World, key: str) -> Iterator[Case]:
    keys = _statements(world)
    what, other = kind_of(world, key), keys[keys.index(key) - 1]
    duty = next(place.duty for kind, place in PLACES.items() if kind == _predicate(world, key))
    wrong = "observer" if duty is not KeyDuty.OBSERVER else "builder"
    yield case(f"{what}: edit it", on(lambda w, k: _edit_in_place(w, k), key), "statement-altered")
    yield case(
        f"{what}: edit it and name it anew",
        on(lambda w, k: _edit_and_rename(w, k), key),
        "key-unknown",
        "statement-missing",
    )
    yield case(f"{what}: flip a bit of its signature", on(lambda w, k: _flip_signature(w, k), key), "key-unknown")
    yield case(f"{what}: drop its signature", on(lambda w, k: _unsign(w, k), key), "statement-malformed")
    yield case(f"{what}: drop it", on(lambda w, k: drop(w, k), key), "statement-missing")
    yield case(f"{what}: hide it", on(lambda w, k: w.vault.markers.add(k), key), "object-hidden")
    yield case(
        f"{what}: overwrite it",
        on(lambda w, k: w.vault.add_version(k, content_of(w, k)), key),
        "object-overwritten",
    )
    yield case(f"{what}: delete and recreate it", on(lambda w, k: recreated(w, k), key), "statement-replaced")
    yield case(
        f"{what}: sign it with a key of nobody's", on(lambda w, k: _resign(w, k, "stranger"), key), "key-unknown"
    )
    yield case(
        f"{what}: sign it with the wrong duty's key",
        on(lambda w, k, s: _resign(w, k, s), key, wrong),
        *_wrong_duty(what),
        program=("statement-replaced",) if what.startswith("evidence") else ("key-of-wrong-duty",),
    )
    yield case(
        f"{what}: sign it again with its own key",
        on(lambda w, k, d: _resign(w, k, _owner(w, k, d)), key, duty),
        "statement-replaced",
    )
    yield case(
        f"{what}: name it otherwise",
        on(lambda w, k: renamed(w, k, _other_name(k)), key),
        "statement-misnamed",
        "statement-missing",
    )
    yield case(
        f"{what}: put it where another kind belongs", on(lambda w, k: _misplace(w, k), key), "statement-misplaced"
    )
    yield case(f"{what}: swap it with another", on(lambda w, k, o: swapped(w, k, o), key, other), "statement-misnamed")
    yield case(
        f"{what}: about another release",
        on(lambda w, k, d: _of_another(w, k, d), key, duty),
        "statement-of-another-release",
    )
    yield case(
        f"{what}: garbage beside it",
        on(lambda w, k: w.vault.add_version(_other_name(k), b"{}"), key),
        "statement-malformed",
    )


def _wrong_duty(what: str) -> tuple[str, ...]:
    # Evidence may be another duty's to sign where the policy says so, so that the library looks at the policy first.
    return ("statement-replaced",) if what.startswith("evidence") else ("key-of-wrong-duty",)


def _predicate(world: World, key: str) -> str:
    return parse_statement(read_sealed(content_of(world, key)).payload).predicate_type


def _owner(world: World, key: str, duty: KeyDuty) -> str:
    person = parse_statement(read_sealed(content_of(world, key)).payload).predicate.get("person")
    return str(person) if person else duty.value


def _other_name(key: str) -> str:
    return f"{key.rpartition('/')[0]}/{'ab' * 32}.dsse.json"


def _edited(world: World, key: str) -> tuple[dict[str, Any], bytes]:
    """The envelope's document, and its payload with another digit somewhere that the signature covers."""
    document = json.loads(content_of(world, key))
    payload = json.loads(base64.b64decode(document["payload"]))
    payload["predicate"]["edited"] = True
    return document, canonical_json(payload)


def _edit_in_place(world: World, key: str) -> None:
    document, payload = _edited(world, key)
    put(world, key, canonical_json({**document, "payload": base64.b64encode(payload).decode()}))


def _edit_and_rename(world: World, key: str) -> None:
    document, payload = _edited(world, key)
    drop(world, key)
    other = f"{key.rpartition('/')[0]}/{sha256(payload).hex()}.dsse.json"
    world.vault.add_version(other, canonical_json({**document, "payload": base64.b64encode(payload).decode()}))


def _flip_signature(world: World, key: str) -> None:
    document = json.loads(content_of(world, key))
    signature = base64.b64decode(document["signatures"][0]["sig"])
    document["signatures"][0]["sig"] = base64.b64encode(flipped(signature, 20)).decode()
    put(world, key, canonical_json(document))


def _unsign(world: World, key: str) -> None:
    put(world, key, canonical_json({**json.loads(content_of(world, key)), "signatures": []}))


def _resign(world: World, key: str, signer: str) -> None:
    payload = read_sealed(content_of(world, key)).payload
    put(world, key, enclose(PAYLOAD_TYPE, payload, [sign_payload(PAYLOAD_TYPE, payload, SIGNERS[signer])]).content)


def _misplace(world: World, key: str) -> None:
    folder = "decisions" if not key.startswith("decisions/") else "findings"
    world.vault.add_version(f"{folder}/{world.digest}/{key.rpartition('/')[2]}", content_of(world, key))


def _of_another(world: World, key: str, duty: KeyDuty) -> None:
    statement = parse_statement(read_sealed(content_of(world, key)).payload)
    changed = statement_about("cd" * 32, statement.predicate_type, statement.predicate)
    envelope = seal(changed, SIGNERS[_owner(world, key, duty)]).content
    world.vault.add_version(f"{key.rpartition('/')[0]}/{sha256(changed.content).hex()}.dsse.json", envelope)
