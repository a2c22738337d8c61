"""Which cells a Job covers: ``runs/RUN/jobs/JOB.json`` maps the Job's completion index to an index of the frozen grid.

A Job covers only the cells that were missing at its launch, so its own indexes are not the grid's. The map is written once,
before the Job, and never changes: pods, status and collection read it, none of them works it out again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from experiment import keys
from experiment.cell import refuse
from experiment.errors import InvalidInput
from experiment.store import Store

ASSIGNMENT_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The grid indexes that a Job trains, in the order of its completion indexes."""

    run: str
    job: str
    indexes: tuple[int, ...]

    def __post_init__(self) -> None:
        good = all(isinstance(i, int) and not isinstance(i, bool) and i >= 0 for i in self.indexes)
        if not self.indexes or not good or len(set(self.indexes)) < len(self.indexes):
            raise refuse(f"the cells of job {self.job}", list(self.indexes)[:9], "different grid indexes, at least one", "launch the run again")  # fmt: skip

    def grid_index(self, index: int) -> int:
        """The grid index of a completion index.

        Raises:
            InvalidInput: the Job has no such index.
        """
        if not 0 <= index < len(self.indexes):
            raise refuse(f"the index in job {self.job}", index, f"0 to {len(self.indexes) - 1}", "correct --index")
        return self.indexes[index]

    def to_bytes(self) -> bytes:
        """The map as JSON. The digest makes damage visible."""
        body = {"schema_version": ASSIGNMENT_SCHEMA, "run": self.run, "job": self.job, "indexes": list(self.indexes)}
        return json.dumps({**body, "sha256": _digest(body)}, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Assignment:
        """The inverse of ``to_bytes``; ``source`` names the object in errors.

        Raises:
            InvalidInput: damaged, or of another schema version.
        """
        try:
            body = json.loads(data)
            digest = body.pop("sha256")
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise InvalidInput(f"{source} is not a job's list of cells ({error}); allowed: what a launch wrote; launch the run again") from error  # fmt: skip
        if digest != _digest(body) or body["schema_version"] != ASSIGNMENT_SCHEMA:
            raise InvalidInput(f"{source} is damaged or of another version than {ASSIGNMENT_SCHEMA}; remove it and launch the run again")  # fmt: skip
        return cls(run=body["run"], job=body["job"], indexes=tuple(body["indexes"]))


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_assignment(store: Store, run: str, job: str) -> Assignment:
    """The cells of a Job as launched.

    Raises:
        NotFound: the store knows no such Job of the run.
        InvalidInput: its list is damaged, or belongs to another Job.
    """
    key = keys.assignment(run, job)
    source = f"{store.url}/{key}"
    found = Assignment.from_bytes(store.read(key), source)
    if (found.run, found.job) != (run, job):
        raise InvalidInput(
            f"{source} belongs to job {found.job} of run {found.run}; remove it and launch the run again"
        )
    return found
