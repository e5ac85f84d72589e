from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rehearsal.layers import read_events


def event(kind: str, timestamp: int, name: str, *, custom: bool = True, type_: str = "aws:s3/bucket:Bucket") -> str:
    metadata: dict[str, Any] = {
        "op": "create",
        "urn": f"urn:pulumi:local::interlock::{type_}::{name}",
        "type": type_,
        "new": {"custom": custom},
    }
    return json.dumps({"timestamp": timestamp, kind: {"metadata": metadata}})


def test_an_event_log_tells_what_was_made_in_which_time_and_what_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "events"
    lines = [
        event("resourcePreEvent", 100, "a"),
        event("resourcePreEvent", 101, "b"),
        event("resourcePreEvent", 100, "component", custom=False),
        event("resourcePreEvent", 100, "provider", type_="pulumi:providers:aws"),
        event("resOutputsEvent", 107, "a"),
    ]
    log.write_text("\n".join(lines) + '\n{"timestamp": 1')
    assert [(one["name"], one["start"], one["seconds"]) for one in read_events(log)] == [
        ("a", 100, 7),
        ("b", 101, None),
    ]


def test_there_is_nothing_before_the_engine_has_written(tmp_path: Path) -> None:
    assert read_events(tmp_path / "missing") == []
