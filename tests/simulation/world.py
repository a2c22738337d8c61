"""The simulated world of a schedule: server, cluster, pods and people who launch, and the faults that befall them."""

from __future__ import annotations

from collections.abc import Callable

from experiment import keys
from experiment.cell import Cell
from experiment.grid import Grid
from experiment.s3 import S3Store
from k8s.manifests.settings import Settings
from tests.simulation import programs
from tests.simulation.cluster import Cluster, SimulatedKube
from tests.simulation.engine import DIVERGES, make_cell
from tests.simulation.kernel import Kernel, Process
from tests.simulation.network import Network
from tests.simulation.pods import Pod
from tests.simulation.schedule import ERRORS, FORGOTTEN, SKEWS, Event, Schedule
from tests.simulation.store import Client, Server

IMAGE = "registry.example/trainer@sha256:" + "a" * 64
URL = "s3://simulated"
RUNS = ("first", "second")


class World:
    """Everything of one schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.kernel, self.server = schedule, Kernel(), Server()
        self.cluster = Cluster(lambda: self.kernel.now, self.kernel.call_at, lambda *a: Pod(self, *a))
        self.settings = Settings(image=IMAGE, aggregator_image=IMAGE)
        cells = (make_cell(0), make_cell(1), make_cell(DIVERGES))
        self.grids = {"first": Grid(name="first", cells=cells[: schedule.cells])}
        if schedule.second is not None:
            self.grids["second"] = Grid(name="second", cells=cells[:1])
        self.lines: list[str] = []
        self.forgotten: set[str] = set()
        self.network = Network(self.kernel, schedule, self.trace)
        self._made: list[Process] = []
        self.pods_watch: Callable[[Pod], None] = lambda _: None
        self.steps_watch: Callable[[Process, Cell, int], None] = lambda *_: None

    # processes

    def make_process(self, name: str) -> Process:
        """A process on a machine of its own, whose clock may be wrong."""
        skews = self.schedule.skews
        number = len(self._made)
        self._made.append(
            Process(name, machine=f"m{number}", skew=3600.0 * SKEWS[skews[number % len(skews)]], born=self.kernel.now)
        )
        return self._made[-1]

    def store_of(self, process: Process) -> S3Store:
        """The store as this process uses it."""
        client = Client(self.server, process, self.network.travel)
        return S3Store(URL, client, sleep=self.kernel.sleep)

    def kube_of(self, process: Process) -> SimulatedKube:
        """The cluster as this process uses it."""
        return SimulatedKube(self.cluster, process, self.network.travel)

    def launch(self, run: str, program: Callable[..., int] = programs.launch) -> Process:
        """Somebody launches a run, or does something else with it."""
        process = self.make_process(f"launcher{len(self._made)}")
        work = lambda: program(self, process, run, self.grids[run])  # noqa: E731
        self.kernel.spawn(
            process, lambda: self.trace(process, "exits", str(programs.exit_code_of(self, process, work)))
        )
        return process

    # the course of a schedule

    def begin(self) -> None:
        """Lets everything happen that the schedule says, until all is at rest."""
        call_at = self.kernel.call_at
        for run, time in (("first", 0), ("second", self.schedule.second)):
            if run in self.grids:
                call_at(10.0 * time, lambda run=run: self.launch(run))
        for number, time in enumerate(self.schedule.launches):
            call_at(10.0 * time, lambda n=number: self.launch(RUNS[n % len(self.grids)]))
        for event in self.schedule.events:
            if event.kind not in ERRORS:
                call_at(10.0 * event.time, lambda e=event: self._happen(e))
        self.kernel.run()

    def go_on(self) -> None:
        """Launches both runs again, and what has failed too, and waits until all is at rest."""
        for run in self.grids:
            for program in (programs.launch, programs.retry):
                self._await_calm()
                self.launch(run, program)
                self.kernel.run()

    def clean_up(self) -> None:
        """Somebody removes what the runs leave, and does so again if that was killed."""
        for run in self.grids:
            is_killed = True
            while is_killed:
                self._await_calm()
                process = self.launch(run, programs.clean_up)
                self.kernel.run()
                is_killed = process.dead

    def _await_calm(self) -> None:
        """Somebody notices that the store works again."""
        self.kernel.call_at(max([end for _, end, _ in self.network.outages], default=0.0), lambda: None)
        self.kernel.run()

    def close(self) -> None:
        """Ends all threads."""
        for process in self._made:
            self.kernel.kill(process)
        self.kernel.end()

    # what happens

    def trace(self, process: Process | None, what: str, *more: str) -> None:
        """Keeps a line for whoever looks at a failure."""
        self.lines.append(f"{self.kernel.now:9.2f} {process.name if process else '':10s} {what} {' '.join(more)}")

    def pod_ended(self, pod: Pod) -> None:
        self.pods_watch(pod)

    def note_step(self, process: Process, cell: Cell, step: int) -> None:
        """A process has done a step, or begins with one."""
        self.steps_watch(process, cell, step)

    def _happen(self, event: Event) -> None:
        self.trace(None, event.kind, str(event.size))
        if event.kind in FORGOTTEN:
            self.forgotten.add(event.kind)
            for key in [k for k in self.server.objects if k.startswith(f"{event.kind}/")]:
                del self.server.objects[key]
            return
        kind = (keys.CHECKPOINTS, keys.PROGRESS, keys.FAILURES)[event.size % 3]
        for key in [k for k in self.server.objects if k.startswith(kind)][-1:]:
            self.forgotten.add(kind.strip("/"))
            there = self.server.objects[key]
            place = max(0, len(there.data) - 1 - 9 * event.time)
            self.server.objects[key] = there._replace(
                data=there.data[:place] + bytes([there.data[place] ^ 1]) + there.data[place + 1 :]
            )
