from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from interlock.aws import ledger
from interlock.aws.ledger import S3LedgerStorage, S3Statements
from interlock.aws.vault import S3VaultReader, S3VaultWriter
from interlock.failures import OutsideFailure
from interlock.ledger import statements
from interlock.ledger.head import LogKey
from interlock.ledger.loading import open_ledger, open_log
from interlock.ledger.sequencing import Sequencer
from interlock.ledger.witnessing import Witness
from interlock.release.digests import sha256
from interlock.release.trust.document import KeyDuty
from rehearsal.cloud.server import LocalCloud
from tests.interlock.ledger.logs import KEYS, LOG, ORIGIN, root
from tests.interlock.ledger.memory import made_statement

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def storage(cloud: LocalCloud, bucket: str) -> S3LedgerStorage:
    return S3LedgerStorage(cloud.client("s3"), bucket)


def sequencer(cloud: LocalCloud, bucket: str) -> Sequencer:
    key = KEYS[KeyDuty.LOG]
    lying = S3Statements(cloud.client("s3"), bucket)
    return Sequencer(LOG, root(), storage(cloud, bucket), lying, LogKey(key, key.public_key.key_id))


def add(cloud: LocalCloud, bucket: str, number: int, subject: str = "release") -> str:
    key, content, payload = made_statement(number, subject)
    S3VaultWriter(cloud.client("s3"), bucket).put(key, content, sha256(content).hex())
    return payload


def test_an_object_is_written_once_and_whoever_comes_second_reads_the_first(
    cloud: LocalCloud, vault_bucket: str
) -> None:
    objects = storage(cloud, vault_bucket)
    assert objects.read("ledger/x") is None
    assert objects.create("ledger/x", b"first") == b"first"
    assert objects.create("ledger/x", b"second") == b"first"
    assert list(objects.read_all(["ledger/x", "ledger/y", "ledger/x"])) == [b"first", None, b"first"]
    assert len(list(S3VaultReader(cloud.client("s3"), vault_bucket).versions("ledger/"))) == 1


def test_of_many_writers_of_one_key_all_are_told_the_same(cloud: LocalCloud, vault_bucket: str) -> None:
    objects = storage(cloud, vault_bucket)
    with ThreadPoolExecutor(8) as pool:
        told = set(pool.map(lambda number: objects.create("ledger/x", b"%d" % number), range(16)))
    assert len(told) == 1


def test_names_are_those_right_below(cloud: LocalCloud, vault_bucket: str) -> None:
    objects = storage(cloud, vault_bucket)
    for key in ("ledger/a/1", "ledger/a/2", "ledger/b", "elsewhere/c"):
        objects.create(key, b"")
    assert objects.names("ledger/") == ["a/", "b"]
    assert objects.names("ledger/a/") == ["1", "2"]
    assert objects.names("nothing/") == []


def test_a_bucket_that_cannot_be_reached_is_an_outside_failure(cloud: LocalCloud) -> None:
    objects = storage(cloud, "interlock-no-such-bucket")
    for attempt in (lambda: objects.read("x"), lambda: objects.create("x", b""), lambda: objects.names("")):
        with pytest.raises(OutsideFailure):
            attempt()


def test_an_answer_that_was_lost_is_no_second_write(cloud: LocalCloud, vault_bucket: str) -> None:
    objects = storage(cloud, vault_bucket)
    s3 = cloud.client("s3")
    put = s3.put_object

    def lost(**arguments: object) -> object:
        put(**arguments)
        # What botocore does when an answer does not come.
        return put(**arguments)

    with patch.object(s3, "put_object", lost):
        assert S3LedgerStorage(s3, vault_bucket).create("ledger/x", b"mine") == b"mine"
    assert objects.read("ledger/x") == b"mine"


def test_writers_and_sequencers_at_once_lose_nothing_in_s3(cloud: LocalCloud, vault_bucket: str) -> None:
    def write(writer: int) -> list[str]:
        return [add(cloud, vault_bucket, number, f"release {writer}") for number in range(5)]

    def sequence(_: int) -> None:
        one = sequencer(cloud, vault_bucket)
        for _ in range(3):
            one.sequence(NOW)

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(sequence, number) for number in range(2)]
        written = [payload for made in pool.map(write, range(4)) for payload in made]
        for one in running:
            one.result()
    sequencer(cloud, vault_bucket).sequence(NOW + timedelta(minutes=1))
    view = open_ledger(S3VaultReader(cloud.client("s3"), vault_bucket), root(), ORIGIN)
    assert sorted(leaf.payload for leaf in view.leaves) == sorted(written)
    assert open_log(storage(cloud, vault_bucket), root(), LOG, history=True).root == view.root


def test_an_object_that_is_too_large_for_a_statement_is_named_and_not_read_to_its_end(
    cloud: LocalCloud, vault_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (statements, ledger):
        monkeypatch.setattr(module, "LARGEST_STATEMENT_BYTES", 1000)
    wanted = add(cloud, vault_bucket, 1)
    large = b" " * 5000
    S3VaultWriter(cloud.client("s3"), vault_bucket).put("approvals/x.dsse.json", large, sha256(large).hex())
    done = sequencer(cloud, vault_bucket).sequence(NOW)
    assert [leaf.payload for leaf in done.leaves] == [wanted]
    assert done.unfit == (("approvals/x.dsse.json", "the object has more than 1000 bytes"),)


def test_a_witness_co_signs_what_lies_in_s3(cloud: LocalCloud, vault_bucket: str) -> None:
    add(cloud, vault_bucket, 1)
    sequencer(cloud, vault_bucket).sequence(NOW)
    key = KEYS[KeyDuty.WITNESS]
    witness = Witness(LOG, root(), storage(cloud, vault_bucket), LogKey(key, key.public_key.key_id))
    assert witness.witness(NOW).is_new
    assert open_log(storage(cloud, vault_bucket), root(), LOG).witnessed
