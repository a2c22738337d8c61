"""Finds the objects of a store that belong to no commit: what attempts that were ended, or came second, have left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from experiment import keys
from experiment.ledger import Problem

LOST = "its cell's commit names none of this key: an attempt that was ended, or came second, left it; it may be removed"
UNDER_WAY = "its cell is not committed: of an attempt that is under way, or was ended; the next one judges it"
FOREIGN = "it is no object of this suite"


def find_orphans(
    objects: Iterable[str], *, named: Collection[str], judged: Collection[str], cells: Collection[str] | None = None
) -> Iterator[Problem]:
    """Yields the objects that belong to no commit, each with what is known of it.

    Args:
        objects: all keys below ``keys.RESULTS`` and ``keys.MODELS``.
        named: the keys of the artifacts that belong to commits.
        judged: ids of the committed cells whose commit could be read; nothing is said of what other committed cells have.
        cells: ids of the cells that are asked about, if not all.
    """
    objects = set(objects)
    committed = keys.committed(objects)
    for key in sorted(objects - set(named)):
        cell, _, _ = keys.artifact_of(key) or ("", "", "")
        if keys.committed([key]) or (cells is not None and cell not in cells):
            continue
        if not cell:
            yield Problem(key=key, reason=FOREIGN)
        elif cell not in committed:
            yield Problem(key=key, cell=cell, reason=UNDER_WAY)
        elif cell in judged:
            yield Problem(key=key, cell=cell, reason=LOST)
