"""A run half done on a real S3 server and an API server, among the results of other runs; every request is counted."""

from __future__ import annotations

from collections import Counter

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from experiment import keys, records, results
from experiment.assignment import Assignment
from experiment.grid import parse_grid
from experiment.records import Failure, Progress
from experiment.run import Run
from experiment.s3 import S3Store
from k8s.manifests import names
from tests.counting import CountingProxy
from tests.factories import epochs_table
from tests.k8s.api_server import ApiServer

JOB = "r-digits-1"
BASE = {
    "dataset": "digits",
    "method": "single",
    "epochs": 2,
    "batch_size": 32,
    "train_examples": 64,
    "test_examples": 10,
}


class CountedRun:
    """A run of ``cells`` cells: the first half is done, the rest trains, and one in ten of these has failed once.

    Args:
        proxy: the counting way to the S3 server, a moto server of this process.
        store: a store whose requests go through it.
        others: results of other runs that the store holds as well.
    """

    def __init__(self, proxy: CountingProxy, store: S3Store, api: ApiServer, *, cells: int, others: int = 0) -> None:
        self.proxy, self.store, self.api, self.cells = proxy, store, api, cells
        grid = parse_grid("r", {"base": BASE, "product": [{"seed": list(range(cells))}]})
        self.run = Run(name="r", grid=grid, provenance={})
        self.done, self.undone = grid.cells[: cells // 2], grid.cells[cells // 2 :]
        self._put(keys.grid("r"), self.run.to_bytes())
        self._put(keys.assignment("r", JOB), Assignment(run="r", job=JOB, indexes=tuple(range(cells))).to_bytes())
        self._fill_store(others)
        self._fill_cluster()
        self.take()

    def take(self) -> tuple[Counter[str], int]:
        """The requests since the last call: to the store by operation, and how many to the API server."""
        asked, self.api.requests = len(self.api.requests), []
        return self.proxy.take(), asked

    def _put(self, key: str, data: bytes) -> None:
        """Puts an object without a request."""
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        backend.put_object(self.store.bucket, self.store._key(key), data)

    def _fill_store(self, others: int) -> None:
        for number in range(others):
            cell = f"digits-single-s{number}-{number:010x}"
            commit = keys.epochs_of("digits", "single", cell)
            self._put(commit, b"")
            self._put(keys.predictions_of(commit), b"")
            self._put(keys.failure(cell, "a"), b"")
        for cell in self.done:
            self._put(keys.epochs(cell), results.to_bytes(epochs_table(cell)))
            self._put(keys.predictions(cell), b"")
        for number, cell in enumerate(self.undone):
            pace = {"epoch": 1, "epochs": 2, "step": 1, "steps": 9, "images_per_second": 5.0, "seconds_left": 60.0}
            told = Progress(cell=cell.id, attempt=f"u{number}", time="2026-11-26T15:00:00+00:00", **pace)
            self._put(keys.progress(cell.id), records.to_bytes(told))
            if number % 10 == 0:
                how = {"kind": "transient", "exit_code": 75, "message": "m", "time": "2026-11-26T14:00:00+00:00"}
                self._put(keys.failure(cell.id, "a"), records.to_bytes(Failure(cell=cell.id, attempt="a", **how)))

    def _fill_cluster(self) -> None:
        labels = names.run_labels("r", names.TRAINER)
        spec = {"completions": self.cells, "parallelism": self.cells}
        status = {"active": len(self.undone), "completedIndexes": f"0-{len(self.done) - 1}"}
        metadata = {"name": JOB, "labels": labels, "resourceVersion": "7"}
        self.api.add("jobs", {"kind": "Job", "metadata": metadata, "spec": spec, "status": status})
        for index in range(self.cells):
            own = {**labels, names.JOB: JOB, names.INDEX: str(index)}
            phase = "Succeeded" if index < len(self.done) else "Running"
            pod = {"metadata": {"name": f"p{index}", "uid": f"u{index}", "labels": own}, "status": {"phase": phase}}
            self.api.add("pods", {**pod, "spec": {"containers": [{"name": "trainer"}]}}, group="/api/v1")
