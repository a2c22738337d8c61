"""The cells of a Job: ``runs/RUN/jobs/JOB.json`` maps the Job's completion indexes to indexes of the run's grid.

A Job covers only the cells that were missing at its launch, so its indexes differ from the grid's. The launcher
writes the map once, before the Job. Pods, status and collection read it and never compute it again.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiment import keys
from experiment.errors import InvalidInput, refuse
from experiment.run import Run
from experiment.sealed import SealedForm
from experiment.store import Store

ASSIGNMENT_FORM = SealedForm(what="a Job's list of cells", schema=1, advice="remove it and launch the run again")


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The grid indexes that a Job trains, in the order of its completion indexes."""

    run: str
    job: str
    indexes: tuple[int, ...]

    def __post_init__(self) -> None:
        whole = all(isinstance(i, int) and not isinstance(i, bool) and i >= 0 for i in self.indexes)
        different = len(set(self.indexes)) == len(self.indexes)
        if not (self.indexes and whole and different):
            given, allowed = list(self.indexes)[:9], "different grid indexes, at least one"
            raise refuse(f"the cells of job {self.job}", given, allowed, "launch the run again")

    def grid_index(self, index: int) -> int:
        """Returns the grid index of a completion index.

        Raises:
            InvalidInput: the Job has no such index.
        """
        if not 0 <= index < len(self.indexes):
            raise refuse(f"the index in job {self.job}", index, f"0 to {len(self.indexes) - 1}", "correct --index")
        return self.indexes[index]

    def to_bytes(self) -> bytes:
        """Returns the map as sealed JSON."""
        return ASSIGNMENT_FORM.to_bytes({"run": self.run, "job": self.job, "indexes": list(self.indexes)})

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Assignment:
        """Returns the map that ``to_bytes`` wrote; ``source`` names the object in errors.

        Raises:
            InvalidInput: the map is damaged or of another schema version.
        """
        body = ASSIGNMENT_FORM.from_bytes(data, source)
        return cls(run=body["run"], job=body["job"], indexes=tuple(body["indexes"]))


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


def resolve_index(store: Store, run: Run, index: int, job: str | None) -> int:
    """Returns the grid index that a Job's completion index stands for; without a Job they are the same.

    Raises:
        InvalidInput: the grid or the Job has no such index.
    """
    if job:
        index = read_assignment(store, run.name, job).grid_index(index)
    count = len(run.grid.cells)
    if not 0 <= index < count:
        raise refuse(f"the index in run {run.name}", index, f"0 to {count - 1}", "correct --index")
    return index
