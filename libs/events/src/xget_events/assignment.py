"""Who of a group's members reads which partition: balanced, and moving as little as it can. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def assign(
    members: Mapping[str, frozenset[str]], partitions: Mapping[int, str], owners: Mapping[int, str]
) -> dict[int, str]:
    """Map each partition id to a member, so that loads differ by one at most among those who may read a topic.

    `members` are the live ones with the topics they subscribe to, `partitions` the topic of each partition id,
    `owners` who holds a partition now (absent: nobody alive). Partitions of topics that nobody reads are left out.
    The answer depends on the arguments only, so that every member comes to the same one.
    """
    wanted = _keep(members, partitions, owners)
    load = dict.fromkeys(sorted(members), 0)
    for owner in wanted.values():
        load[owner] += 1
    for partition in sorted(partitions.keys() - wanted.keys()):
        readers = _readers(members, load, partitions[partition])
        if readers:
            wanted[partition] = readers[0]
            load[readers[0]] += 1
    _level(members, partitions, wanted, load)
    return wanted


def _keep(
    members: Mapping[str, frozenset[str]], partitions: Mapping[int, str], owners: Mapping[int, str]
) -> dict[int, str]:
    """Partitions whose holder lives and still subscribes to them."""
    kept = {}
    for partition, topic in partitions.items():
        owner = owners.get(partition)
        if owner is not None and topic in members.get(owner, frozenset()):
            kept[partition] = owner
    return kept


def _readers(members: Mapping[str, frozenset[str]], load: Mapping[str, int], topic: str) -> list[str]:
    """Members that read a topic, least loaded first."""
    return sorted((member for member in load if topic in members[member]), key=lambda m: (load[m], m))


def _level(
    members: Mapping[str, frozenset[str]],
    partitions: Mapping[int, str],
    wanted: dict[int, str],
    load: dict[str, int],
) -> None:
    """Move partitions from the fullest to the emptiest until nobody holds two more than a co-reader."""
    moved = True
    while moved:
        moved = False
        for partition in sorted(wanted, reverse=True):
            owner, lightest = wanted[partition], _readers(members, load, partitions[partition])[0]
            if load[owner] - load[lightest] > 1:
                wanted[partition] = lightest
                load[owner] -= 1
                load[lightest] += 1
                moved = True
