"""A run on the real control plane, in a namespace of its own, whose kubelets and trainers are played by the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from experiment import keys, records
from experiment.assignment import read_assignment
from experiment.cell import Cell
from experiment.members import MEMBERS
from experiment.records import Failure
from experiment.run import Run, read_run
from experiment.store import Store
from k8s import launch, setup
from k8s.cluster.connect import connect_cluster
from k8s.cluster.kube import MERGE, Kube
from k8s.cluster.preparation import starting_change
from k8s.manifests import jobs, names
from tests.factories import commit
from tests.k8s.factories import AGGREGATOR, IMAGE
from tests.waiting import until

GRID = """
[base]
dataset = "digits"
method = "single"
epochs = 2
train_examples = 64
test_examples = 10
batch_size = 32

[[product]]
seed = {seeds}
"""


def cell(seed: int) -> Cell:
    """The cell of the run's grid with this seed."""
    small = {"epochs": 2, "train_examples": 64, "test_examples": 10, "batch_size": 32}
    return Cell(dataset="digits", method="single", seed=seed, members=(MEMBERS["ST"], MEMBERS["M"]), **small)


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class SimulatedRun:
    """One namespace and one run in it, whose cells differ in their seeds: cell i has seed i."""

    def __init__(self, home, namespace: str, store: Store, capsys) -> None:
        self.home, self.namespace, self.store, self._capsys = home, namespace, store, capsys
        self.kube: Kube = connect_cluster("", namespace, outage_seconds=60.0)
        self.name = "lab"

    def set_up(self) -> None:
        assert setup.main(["--namespace", self.namespace, "--apply"]) == 0
        unused = {"name": "unused", "namespace": self.namespace}
        self.kube.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": unused})
        self._capsys.readouterr()

    def tear_down(self) -> None:
        for job in self.kube.list("Job", ""):
            self.kube.delete("Job", jobs.object_name(job))
        self.kube.delete("Namespace", self.namespace)
        self.kube.__exit__()

    def launch(self, *flags: str, cells: int = 4, prepares: bool = False, more: str = "") -> tuple[int, str]:
        """Launches a grid of so many cells; returns exit code and all output.

        Args:
            more: further blocks of the grid file.
            prepares: leaves the preparing Job to the test; by default it has done its work, and the trainer Jobs have started.
        """
        Path("grid.toml").write_text(GRID.format(seeds=list(range(cells))) + more)  # in the test's own folder
        images = ("--image", IMAGE, "--aggregator-image", AGGREGATOR)
        where = ("--store", self.store.url, "--run", self.name, "--namespace", self.namespace)
        found = self.verb(launch.main, "--grid", "grid.toml", *where, *images, *flags)
        if not prepares:
            self.start_prepared()
        return found

    def end_preparation(self, code: int) -> None:
        """Ends the preparing pod; returns when its Job has ended too."""
        (prepare,) = self.jobs(names.PREPARE)

        def look() -> dict | None:
            pods = self.kube.list("Pod", names.run_selector(self.name, names.PREPARE))
            return next((p for p in pods if p["status"].get("phase") == "Running"), None)

        self.end_container(self.until(look, "the preparing pod"), "prepare", code)
        self.until(lambda: jobs.has_ended(self.kube.get("Job", jobs.object_name(prepare))), "the preparing Job ended")

    def start_prepared(self) -> None:
        """Does what follows when the preparing pods have done their work: the trainer Jobs start."""
        for job in filter(jobs.waits_for_data, self.jobs()):
            self.kube.patch("Job", jobs.object_name(job), starting_change(job))
        for job in self.jobs(names.PREPARE):
            self.kube.delete("Job", jobs.object_name(job))

    def verb(self, main: Callable[[list[str]], int], *flags: str) -> tuple[int, str]:
        """Runs a verb; returns exit code and all output."""
        self._capsys.readouterr()
        code = main(list(flags))
        out, err = self._capsys.readouterr()
        return code, out + err

    def of_run(self, main: Callable[[list[str]], int], *flags: str) -> tuple[int, str]:
        """Runs a verb about this run."""
        return self.verb(main, "--run", f"{self.store.url}/runs/{self.name}", "--namespace", self.namespace, *flags)

    def jobs(self, part: str = names.TRAINER) -> list[dict]:
        """The run's Jobs of a part, oldest first."""
        return sorted(
            self.kube.list("Job", names.run_selector(self.name, part)), key=lambda j: j["metadata"]["creationTimestamp"]
        )

    def job(self) -> dict:
        """The run's one trainer Job."""
        (only,) = self.jobs()
        return only

    def pods(self, index: int | None = None, job: str = "") -> list[dict]:
        """The trainer pods, of one completion index, of one Job, oldest first."""
        found = self.kube.list("Pod", names.run_selector(self.name, names.TRAINER))
        found = [p for p in found if index is None or jobs.label_of(p, names.INDEX) == str(index)]
        return sorted(
            (p for p in found if not job or jobs.label_of(p, names.JOB) == job),
            key=lambda p: p["metadata"]["creationTimestamp"],
        )

    def running(self, index: int, *, other_than: str = "", job: str = "") -> dict:
        """The running pod of a completion index, once there is one."""

        def look() -> dict | None:
            found = [
                p
                for p in self.pods(index, job)
                if p.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in p["metadata"]
            ]
            return next((p for p in found if p["metadata"]["uid"] != other_than), None)

        return self.until(look, f"a running pod of index {index}")

    def launched(self) -> Run:
        """The run as launched."""
        return read_run(self.store, self.name)

    def cells_of(self, pod: dict) -> list[Cell]:
        """The cells that a pod trains, found as the trainer finds them."""
        command = pod["spec"]["containers"][0]["command"]
        job = command[command.index("--job") + 1]
        group = read_assignment(self.store, self.name, job).group_of(int(pod["metadata"]["annotations"][names.INDEX]))
        return [self.launched().grid.cells[index] for index in group]

    def cell_of(self, pod: dict) -> Cell:
        """The one cell that a pod trains."""
        (only,) = self.cells_of(pod)
        return only

    def finish(self, pod: dict, code: int = 0, *, reason: str = "", commits: bool | None = None) -> None:
        """Ends a pod as its kubelet would when the trainer exits with this code; a trainer that exits with 0 has committed."""
        if commits if commits is not None else code == 0:
            commit(self.store, self.cell_of(pod), pod["metadata"]["uid"])
        self.end_container(pod, "trainer", code, reason=reason)

    def end_container(self, pod: dict, container: str, code: int, *, reason: str = "", of: str = "container") -> None:
        """Ends a pod by the end of one container; ``of``: container or initContainer."""
        reason = reason or ("Completed" if code == 0 else "Error")
        end = {"exitCode": code, "reason": reason, "startedAt": now(), "finishedAt": now()}
        known = {"name": container, "image": IMAGE, "imageID": "", "ready": False, "restartCount": 0}
        statuses = {f"{of}Statuses": [{**known, "state": {"terminated": end}}]}
        status = {"phase": "Failed" if code else "Succeeded", **statuses}
        path = f"{self.kube.path('Pod', jobs.object_name(pod))}/status"
        self.kube.request("PATCH", path, {}, {"status": status}, MERGE)

    def fail(self, pod: dict, code: int, kind: str, message: str) -> None:
        """Ends a pod as a trainer does that fails and leaves a record."""
        uid = pod["metadata"]["uid"]
        record = Failure(cell=self.cell_of(pod).id, attempt=uid, kind=kind, exit_code=code, message=message, time=now())
        self.store.put_once(keys.failure(record.cell, uid), records.to_bytes(record), uid)
        self.finish(pod, code)

    def finish_all(self, job: str = "", count: int = 0) -> None:
        """Lets every index of the Job succeed, however often its pods are made anew."""
        name = job or jobs.object_name(self.job())

        def step() -> bool:
            for pod in self.pods(job=name):
                if pod.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]:
                    self.finish(pod)
            return jobs.has_ended(self.kube.get("Job", name))

        self.until(step, f"the end of {name}", seconds=180)

    def until(self, look: Callable[[], object], what: str, seconds: float = 240):
        """What ``look`` returns, once it is true."""

        def state() -> str:
            return f"Jobs: {json.dumps([(jobs.object_name(j), j.get('status')) for j in self.jobs()])}"

        return until(look, what, seconds=seconds, state=state)

    def until_ended(self, name: str = "") -> dict:
        """The Job, once it has ended."""
        name = name or jobs.object_name(self.job())
        return self.until(
            lambda: (j := self.kube.get("Job", name)) and jobs.has_ended(j) and j, f"the end of {name}", seconds=90
        )
