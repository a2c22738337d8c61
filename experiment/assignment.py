"""The cells of a Job: ``runs/RUN/jobs/JOB.json`` maps the Job's completion indexes to indexes of the run's grid.

A Job covers only the cells that were missing at its launch, so its indexes differ from the grid's. A completion index stands
for one cell or, with several cells a pod, for a group of them. The launcher writes the map once, before the Job. Pods, status
and collection read it and never compute it again.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from experiment import keys
from experiment.errors import InvalidInput, refuse
from experiment.fields import check_fields
from experiment.run import Run
from experiment.sealed import SealedForm
from experiment.store import Store

ASSIGNMENT_FORM = SealedForm(what="a Job's list of cells", schema=1, advice="remove it and launch the run again")


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The grid indexes that a Job trains, in the order of its completion indexes.

    Attributes:
        namespace: where the Job is; empty where an older version wrote the list.
        sizes: number of cells of each completion index; empty where each has one cell, and ends with that cell's exit code.
    """

    run: str
    job: str
    indexes: tuple[int, ...]
    namespace: str = ""
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        whole = all(isinstance(i, int) and not isinstance(i, bool) and i >= 0 for i in self.indexes)
        different = len(set(self.indexes)) == len(self.indexes)
        if not (self.indexes and whole and different):
            given, allowed = list(self.indexes)[:9], "different grid indexes, at least one"
            raise refuse(f"the cells of job {self.job}", given, allowed, "launch the run again")
        counts = all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in self.sizes)
        if self.sizes and not (counts and sum(self.sizes) == len(self.indexes)):
            given, allowed = list(self.sizes)[:9], f"counts above 0 of its {len(self.indexes)} cells"
            raise refuse(f"the groups of job {self.job}", given, allowed, "launch the run again")

    @functools.cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The grid indexes of each completion index: whatever maps a Job's index to cells does it by this."""
        ends = list(itertools.accumulate(self.sizes or (1,) * len(self.indexes)))
        return tuple(self.indexes[a:b] for a, b in itertools.pairwise([0, *ends]))

    def group_of(self, index: int) -> tuple[int, ...]:
        """Returns the grid indexes of a completion index.

        Raises:
            InvalidInput: the Job has no such index.
        """
        if not 0 <= index < len(self.groups):
            raise refuse(f"the index in job {self.job}", index, f"0 to {len(self.groups) - 1}", "correct --index")
        return self.groups[index]

    def groups_without(self, over: Collection[int]) -> list[tuple[int, ...]]:
        """Returns the groups of the completion indexes that are not among these."""
        return [group for index, group in enumerate(self.groups) if index not in over]

    def to_bytes(self) -> bytes:
        """Returns the map as sealed JSON."""
        place = {"namespace": self.namespace} if self.namespace else {}
        # Groups stand in place of the indexes: a version that knows of none refuses them, and does not misread them.
        cells = {"groups": [list(g) for g in self.groups]} if self.sizes else {"indexes": list(self.indexes)}
        return ASSIGNMENT_FORM.to_bytes({"run": self.run, "job": self.job, **cells, **place})

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Assignment:
        """Returns the map that ``to_bytes`` wrote; ``source`` names the object in errors.

        Raises:
            InvalidInput: the map is damaged or of another schema version.
        """

        def build(body: Mapping[str, Any]) -> Assignment:
            check_fields(cls, body, source)
            groups = [tuple(g) for g in body.get("groups", ())]
            indexes = tuple(itertools.chain(*groups)) if groups else tuple(body["indexes"])
            sizes, namespace = tuple(map(len, groups)), body.get("namespace", "")
            return cls(run=body["run"], job=body["job"], indexes=indexes, namespace=namespace, sizes=sizes)

        return ASSIGNMENT_FORM.parse(data, source, build)


def read_assignment(store: Store, run: str, job: str) -> Assignment:
    """Returns the cells of a Job as the launcher wrote them.

    Raises:
        NotFound: the store knows no such Job of the run.
        InvalidInput: its list is damaged, or belongs to another Job.
    """
    key = keys.assignment(run, job)
    source = f"{store.url}/{key}"
    found = Assignment.from_bytes(store.read(key), source)
    if (found.run, found.job) != (run, job):
        owner = f"job {found.job} of run {found.run}"
        raise InvalidInput(f"{source} belongs to {owner}; remove it and launch the run again")
    return found


def read_assignments(store: Store, run: str) -> dict[str, Assignment]:
    """Returns the cells of every Job of the run, past ones too, by the Job's name.

    Raises:
        InvalidInput: a list is damaged.
    """
    jobs = [job for key in store.list(keys.assignments(run)) if (job := keys.job_of(key))]
    return {job: read_assignment(store, run, job) for job in jobs}


def resolve_indexes(store: Store, run: Run, index: int, job: str | None) -> tuple[int, ...]:
    """Returns the grid indexes that a Job's completion index stands for; without a Job it is one of the grid itself.

    Raises:
        InvalidInput: the grid or the Job has no such index.
    """
    found = read_assignment(store, run.name, job).group_of(index) if job else (index,)
    count = len(run.grid.cells)
    for one in found:
        if not 0 <= one < count:
            raise refuse(f"the index in run {run.name}", one, f"0 to {count - 1}", "correct --index")
    return found
