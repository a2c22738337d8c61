"""A simulated pod: one process that is started, told to stop, killed or lost, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from experiment.errors import Interrupted
from k8s.manifests import jobs, names
from k8s.manifests.names import Manifest
from tests.simulation import programs
from tests.simulation.cluster import timestamp
from tests.simulation.kernel import Process

if TYPE_CHECKING:
    from tests.simulation.world import World

NOTICE_SECONDS = 25.0  # within which a process notices a signal: a step, and the requests of one look
GRACE_SECONDS = 100.0  # setting grace_seconds
KILLED = 137
LOST_SECONDS = 40.0  # after which the cluster replaces a pod of a node that is gone


class Pod:
    """One pod of a Job.

    Attributes:
        steps: by cell, the first and last step of its training.
        said: how its attempt ended, if it has ended well.
        delays: seconds for which faults of its own held it up.
        faults: the kinds of faults that befell it.
    """

    def __init__(self, world: World, job: Manifest, index: int, told: Callable[[Pod], None]) -> None:
        self._world, self._told = world, told
        self.job, self.index, self.part = jobs.object_name(job), index, jobs.label_of(job, names.PART)
        self._labels = job["spec"]["template"]["metadata"]["labels"]
        self._run = jobs.label_of(job, names.RUN)
        self.process: Process = world.make_process(f"pod{len(world.cluster.pods)}")
        self.process.pod = self
        self.stop = programs.SimulatedStop(world)
        self.container, self.exit_code, self.said = "", None, ""
        self.disrupted = self.counted = self.lost = False
        self.steps: dict[str, list[int]] = {}
        self.delays, self.faults = 0.0, []
        self.born, self.died = world.kernel.now, 0.0
        world.kernel.spawn(self.process, self._live)

    def _live(self) -> None:
        world, process = self._world, self.process
        work = {
            names.PREPARE: lambda: programs.prepare_data(world, process),
            names.COLLECT: lambda: programs.collect(world, process, self._run, self.job),
            names.AWAIT: lambda: programs.wait_for_data(world, process, self.stop),
            names.TRAINER: lambda: programs.train_cell(world, process, self.stop, self._run, self.job, self.index),
        }
        code = 0
        for name in (names.AWAIT, names.TRAINER) if self.part == names.TRAINER else (self.part,):
            self.container = name if code == 0 else self.container
            code = code or programs.exit_code_of(world, process, work[name])
        self._end(code)

    def _end(self, code: int) -> None:
        if self.exit_code is None:
            self.exit_code, self.died = code, self._world.kernel.now
            self._world.trace(self.process, "exits", str(code))
            self._world.pod_ended(self)
            self._world.kernel.call_at(self.died + 1.0, lambda: self._told(self))

    def kill(self, code: int = KILLED) -> None:
        """Ends the pod's process at once."""
        if self.exit_code is None:
            self._world.kernel.kill(self.process)
            self._end(code)

    def evict(self) -> None:
        """Tells the pod to stop, as an eviction does; it is killed if it does not end in time."""
        self.disrupted = True
        self.stop.set()
        now, call_at = self._world.kernel.now, self._world.kernel.call_at
        call_at(now + NOTICE_SECONDS, self._end_if_deaf)
        call_at(now + GRACE_SECONDS, self.kill)

    def _end_if_deaf(self) -> None:
        """A process that has not noticed the signal is ended by ``experiment.interrupts``."""
        if self.stop.is_awaited or self.exit_code is not None:
            return
        self.kill(Interrupted.exit_code)

    def leave(self, seconds: float) -> None:
        """The pod's node is gone for so long: the pod is replaced, and its process goes on some day."""
        self.process.frozen_until = self._world.kernel.now + seconds
        if not self.lost:
            self.lost = self.disrupted = True
            self._world.kernel.call_at(self._world.kernel.now + LOST_SECONDS, self._replace)

    def _replace(self) -> None:
        if self.exit_code is None:
            self._told(self)

    def manifest(self) -> Manifest:
        """The pod as the API server shows it."""
        labels = {**self._labels, names.JOB: self.job, names.INDEX: str(self.index)}
        metadata = {"name": self.process.name, "uid": self.process.name, "labels": labels}
        metadata["creationTimestamp"] = timestamp(self.born)
        phase = (
            "Running" if self.exit_code is None and not self.lost else "Succeeded" if self.exit_code == 0 else "Failed"
        )
        conditions = [
            {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
        ] * self.disrupted
        end = {"exitCode": self.exit_code or 0, "finishedAt": timestamp(self.died)}
        state = {"terminated": end} if self.exit_code is not None else {"running": {}}
        status = {"phase": phase, "conditions": conditions, "containerStatuses": [{"name": "trainer", "state": state}]}
        return {"metadata": metadata, "spec": {"containers": []}, "status": status}
