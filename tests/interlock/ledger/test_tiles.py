from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.ledger.layout import (
    InvalidName,
    bundle_key,
    epoch_of,
    log_of,
    numbered,
    origin_of,
    region_of,
    tile_key,
    witness_name,
)
from interlock.ledger.merkle import Tree
from interlock.ledger.tiles import Edge, InvalidTile, bundle, bundle_keys, edge_keys, entries_of, hashes_of
from tests.interlock.ledger.logs import LOG

entries = st.lists(st.binary(max_size=40), max_size=20)


@given(entries)
def test_a_bundle_is_read_as_it_was_written(given: list[bytes]) -> None:
    assert entries_of(bundle(given), len(given)) == given


@given(entries.filter(bool), st.data())
def test_a_bundle_that_was_cut_or_has_another_width_is_refused(given: list[bytes], data: st.DataObject) -> None:
    content = bundle(given)
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(InvalidTile):
        entries_of(content[:cut], len(given))
    with pytest.raises(InvalidTile):
        entries_of(content, len(given) + 1)


def test_an_entry_that_is_too_long_for_a_bundle_is_refused() -> None:
    assert entries_of(bundle([b"x" * 65535]), 1) == [b"x" * 65535]
    with pytest.raises(ValueError, match="65535"):
        bundle([b"x" * 65536])


def test_a_tile_of_another_width_is_refused() -> None:
    with pytest.raises(InvalidTile):
        hashes_of(b"\0" * 63, 2)


def test_paths_are_those_of_the_specification() -> None:
    # The examples of https://c2sp.org/tlog-tiles: an index, and the partial tiles of a log of 70,000 entries.
    assert tile_key(LOG, 0, 1234067) == f"ledger/{LOG}/tile/0/x001/x234/067"
    partial = [f"ledger/{LOG}/tile/{one}" for one in ("0/273.p/112", "1/001.p/17", "2/000.p/1")]
    assert [one[0] for one in edge_keys(LOG, 70_000).tiles if one] == partial
    assert edge_keys(LOG, 70_000).bundle == (f"ledger/{LOG}/tile/entries/273.p/112", 112)
    assert bundle_key(LOG, 5) == f"ledger/{LOG}/tile/entries/005"
    assert numbered("n/", 1234) == "n/000/001/234"


@pytest.mark.parametrize(
    ("size", "start", "widths"), [(0, 0, []), (256, 0, [256]), (600, 256, [256, 88]), (600, 600, [88])]
)
def test_the_bundles_of_a_range_are_named(size: int, start: int, widths: list[int]) -> None:
    assert [width for _, width in bundle_keys(LOG, size, start)] == widths


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 65535, 65536, 65537, 65792])
def test_an_edge_is_read_again_from_its_last_tiles(size: int) -> None:
    tree, edge, stored = Tree(), Edge(), {}
    for number in range(size):
        entry = b"%d" % number
        tree.append(entry)
        stored.update({one.key: one.content for one in edge.append(LOG, [entry])})
    stored.update({one.key: one.content for one in edge.partial(LOG)})
    keys = edge_keys(LOG, size)
    last = entries_of(stored[keys.bundle[0]], keys.bundle[1]) if keys.bundle else []
    levels = [hashes_of(stored[one[0]], one[1]) if one else [] for one in keys.tiles]
    assert Edge(size, last, levels).root() == edge.root() == tree.root()


def test_an_edge_whose_parts_contradict_one_another_is_refused() -> None:
    edge = Edge()
    list(edge.append(LOG, [b"a", b"b"]))
    leaf = Tree([b"a"]).leaf(0)
    with pytest.raises(InvalidTile, match="other entries"):
        Edge(1, [b"b"], [[leaf]])
    with pytest.raises(InvalidTile, match="not those of a log of 2"):
        Edge(2, [b"a"], [[leaf]])


def test_names_say_region_epoch_and_root() -> None:
    assert (region_of("us-gov-west-1-12"), epoch_of("us-gov-west-1-12")) == ("us-gov-west-1", 12)
    assert origin_of("My  Bank+Co", LOG) == f"My-Bank-Co/{LOG}"
    assert witness_name("My Bank") == "My-Bank/witness"
    assert log_of(origin_of("a/b", LOG)) == LOG


@pytest.mark.parametrize(
    "name", ["", "eu-west-1", "eu-west-1-0", "eu-west-1-01", "EU-WEST-1-1", "../x-1-1", "eu-west-1-1/"]
)
def test_a_name_that_no_log_has_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        epoch_of(name)
    with pytest.raises(InvalidName):
        numbered("n/", 10**9)
