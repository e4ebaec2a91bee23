"""Partitions are shared evenly and stay where they are when they can."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xget_events.assignment import assign

TOPICS = ["pages", "results"]

members_st = st.dictionaries(st.sampled_from("ABCDE"), st.frozensets(st.sampled_from(TOPICS), min_size=1))
partitions_st = st.dictionaries(st.integers(1, 12), st.sampled_from(TOPICS))


def loads(wanted: dict[int, str], members: dict[str, frozenset[str]]) -> dict[str, int]:
    return {member: sum(owner == member for owner in wanted.values()) for member in members}


@given(members_st, partitions_st, st.dictionaries(st.integers(1, 12), st.sampled_from("ABCDEFG")))
def test_every_partition_that_somebody_reads_has_one_live_reader_who_subscribes(
    members: dict[str, frozenset[str]], partitions: dict[int, str], owners: dict[int, str]
) -> None:
    wanted = assign(members, partitions, owners)
    read = set().union(*members.values()) if members else set()
    assert wanted.keys() == {partition for partition, topic in partitions.items() if topic in read}
    assert all(partitions[partition] in members[owner] for partition, owner in wanted.items())


@given(st.sets(st.sampled_from("ABCDE"), min_size=1), partitions_st, st.dictionaries(st.integers(1, 12), st.just("A")))
def test_equal_members_differ_by_one_at_most(
    names: set[str], partitions: dict[int, str], owners: dict[int, str]
) -> None:
    members = {name: frozenset(TOPICS) for name in names}
    counts = loads(assign(members, partitions, owners), members).values()
    assert max(counts) - min(counts) <= 1


@given(members_st, partitions_st)
def test_an_assignment_is_stable(members: dict[str, frozenset[str]], partitions: dict[int, str]) -> None:
    wanted = assign(members, partitions, {})
    assert assign(members, partitions, wanted) == wanted


def test_a_newcomer_moves_only_what_it_gets() -> None:
    both = frozenset(TOPICS)
    partitions = dict.fromkeys(range(6), "pages")
    before = {partition: "AB"[partition % 2] for partition in partitions}
    wanted = assign({"A": both, "B": both, "C": both}, partitions, before)
    assert sum(wanted[partition] != before[partition] for partition in partitions) == 2
