"""Looks at a run, in cluster and store: the effects behind ``k8s.cluster.states``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from experiment import keys, records
from experiment.errors import InvalidInput, NotFound
from experiment.frozen import Frozen
from experiment.records import Failure, Progress
from experiment.store import Store
from k8s.cluster import scene
from k8s.cluster.kube import Kube
from k8s.cluster.states import View
from k8s.manifests import names

READERS = 16
S = TypeVar("S")
T = TypeVar("T")


def look(store: Store, frozen: Frozen, kube: Kube | None) -> View:
    """The run as it is now; the cluster first: what it calls completed is then in the store, if it ever will be."""
    selector = names.selector(frozen.run)
    jobs = kube.list("Job", selector) if kube else None
    pods = kube.list("Pod", selector) if kube else None
    done = committed(store, frozen)
    missing = [c.id for c in frozen.grid.cells if c.id not in done]
    return View(
        frozen=frozen,
        done=done,
        progress=progress(store, missing),
        failures=failures(store, missing),
        assignments=scene.assignments(store, frozen.run),
        jobs=jobs,
        pods=pods,
        time=datetime.now(UTC),
    )


def committed(store: Store, frozen: Frozen) -> set[str]:
    """The ids of the run's committed cells."""
    wanted = {c.id for c in frozen.grid.cells}
    places = sorted({keys.results(c).rsplit("/", 2)[0] + "/" for c in frozen.grid.cells})
    return keys.committed(k for place in places for k in store.list(place)) & wanted


def progress(store: Store, cells: Iterable[str]) -> dict[str, Progress]:
    """The last word of each of these cells that has said one."""
    there = set(store.list(keys.PROGRESS))
    wanted = [key for cell in cells if (key := keys.progress(cell)) in there]
    found = _each(lambda key: _record(store, key), wanted)
    return {p.cell: p for p in found if isinstance(p, Progress)}


def failures(store: Store, cells: Iterable[str]) -> dict[str, list[Failure]]:
    """The failure records of each of these cells that has any, oldest first."""
    wanted = set(cells)
    known = (
        [k for k in store.list(keys.FAILURES) if (named := keys.attempt_of(k)) and named[0] in wanted] if wanted else []
    )
    found: dict[str, list[Failure]] = {}
    for record in _each(lambda key: _record(store, key), known):
        if isinstance(record, Failure):
            found.setdefault(record.cell, []).append(record)
    return {cell: sorted(own, key=lambda f: f.time) for cell, own in found.items()}


def _record(store: Store, key: str) -> object:
    """A record; None if it is gone meanwhile, or is none: a look must not fail for one of them."""
    try:
        return records.parse(store.read(key), f"{store.url}/{key}")
    except (NotFound, InvalidInput, json.JSONDecodeError):
        return None


def _each(function: Callable[[S], T], items: Iterable[S]) -> list[T]:
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(function, items))
