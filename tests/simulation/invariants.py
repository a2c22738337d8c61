"""What must hold in every world: the promises of docs/reliability.md, checked against what the server holds."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Sequence

from experiment import artifacts, keys, results
from experiment.cell import Cell
from experiment.errors import Diverged, ExperimentError, InvalidInput, NotFound
from experiment.provenance import read_provenance
from k8s.manifests import names
from k8s.manifests.render import PREPARE_OUTAGE_SECONDS
from tests.simulation import programs
from tests.simulation.engine import (
    DIVERGES,
    EPOCHS,
    SMALL,
    STEP_SECONDS,
    STEPS,
    figures_of,
    logits_of,
    right_state,
)
from tests.simulation.kernel import Process
from tests.simulation.patches import surroundings
from tests.simulation.pods import Pod
from tests.simulation.schedule import Schedule
from tests.simulation.store import Server
from tests.simulation.world import World
from trainer import checkpoint

ROUNDS = 8  # of launching again, in which every cell must be done
LAST = EPOCHS * STEPS
# Steps that are lost at most: those of one interval, and those done while a checkpoint is on its way.
MOST_LOST = programs.CHECKPOINT_SECONDS / STEP_SECONDS + 2


class Broken(AssertionError):
    """A promise was broken."""


def run_schedule(schedule: Schedule) -> World:
    """Runs a schedule to its end, launches until every cell is done, cleans up, and checks the promises.

    Raises:
        Broken: one does not hold. The lines of what happened are in its text.
    """
    world = World(schedule)
    judge = Judge(world)
    with surroundings(world):
        try:
            world.begin()
            for _ in range(ROUNDS):
                if not judge.missing():
                    break
                world.go_on()
            world.clean_up()
            judge.check_end()
        except AssertionError as error:
            raise Broken("\n".join([f"{error}", f"{schedule}", *world.lines[-400:]])) from error
        finally:
            world.close()
    return world


class Reader:
    """The part of a store that reads, without time or faults."""

    url = "server"

    def __init__(self, server: Server) -> None:
        self._server = server

    def read(self, key: str) -> bytes:
        if key not in self._server.objects:
            raise NotFound(f"no {key}")
        return self._server.objects[key].data

    def read_many(self, keys: Sequence[str]) -> list[bytes]:
        return [self.read(key) for key in keys]


class Judge:
    """Watches a world, and checks its end."""

    def __init__(self, world: World) -> None:
        self._world, self._server = world, world.server
        world.pods_watch, world.steps_watch = self._watch_pod, self._watch_step
        self._diverged = math.inf  # when the cluster knew it
        self._cells = {c.id: c for grid in world.grids.values() for c in grid.cells}

    def missing(self) -> list[Cell]:
        """The cells that can be done and are not."""
        return [c for c in self._cells.values() if c.seed != DIVERGES and keys.epochs(c) not in self._server.objects]

    def check_end(self) -> None:
        self._expect(not self.missing(), f"not done: {[c.id for c in self.missing()]}")
        for cell in self._cells.values():
            if cell.seed == DIVERGES:
                self._expect(keys.epochs(cell) not in self._server.objects, "a diverged cell was committed")
                continue
            self._check_cell(cell)
            spent = (keys.folder(keys.CHECKPOINTS, cell.id), keys.progress(cell.id), keys.folder(keys.LEASES, cell.id))
            left = [k for k in self._server.objects if k.startswith(spent)]
            self._expect(not left, f"left behind: {left}")
        for pod in self._world.cluster.pods:
            self._expect(not (pod.counted and pod.disrupted), f"the interruption of {pod.process.name} was counted")
        if self._server.broken:
            raise Broken("; ".join(self._server.broken))

    def _check_cell(self, cell: Cell) -> None:
        commit, reader = keys.epochs(cell), Reader(self._server)
        if commit not in self._server.objects:
            return
        try:
            epochs = results.from_bytes(reader.read(commit), "epochs", commit)
            facts = read_provenance(epochs.schema, commit)
            usual = [keys.predictions(cell), *(keys.model(cell.id, m.name) for m in SMALL)]
            found = [artifacts.find_artifact(facts, key, commit, commit) for key in usual]
            predictions, *models = [artifacts.read_artifact(reader, artifact) for artifact in found]
        except ExperimentError as error:
            self._expect(False, f"{cell.id} is not whole: {error}")
            return
        self._expect(
            facts["attempt"] == self._server.objects[commit].metadata["attempt"], f"{commit} is of another attempt"
        )
        self._check_content(cell, epochs.to_pydict(), predictions, [json.loads(m) for m in models])

    def _check_content(self, cell: Cell, epochs: dict, predictions: bytes, models: list) -> None:
        state, bits = right_state(cell.id, LAST).hex(), bytes.fromhex(models[0][3])
        self._expect(models == [[cell.id, m.name, state, bits.hex()] for m in SMALL], f"models of {cell.id} are wrong")
        for row, epoch in enumerate(epochs["epoch"]):
            wanted = figures_of(cell, right_state(cell.id, epoch * STEPS), bits)[0]
            got = {name: epochs[name][row] for name in wanted}
            if epoch < EPOCHS:  # its hardware is not known
                got["test_ece"] = wanted["test_ece"]
            self._expect(got == wanted, f"epoch {epoch} of {cell.id} is wrong")
        self._expect(len(epochs["epoch"]) == EPOCHS * len(cell.models), f"epochs of {cell.id} are missing")
        logits = logits_of(bits).reshape(-1, 10).tolist()
        table = results.from_bytes(predictions, "predictions", "predictions")
        self._expect(table["logits"].to_pylist()[: len(logits)] == logits, f"predictions of {cell.id} are wrong")

    def _watch_step(self, process: Process, cell: Cell, step: int) -> None:
        pod: Pod = process.pod
        if cell.id not in pod.steps:
            pod.steps[cell.id] = [step, step]
            kept = self._newest(cell)
            resumes = step >= kept or self._others(pod, cell)
            self._expect(resumes, f"{process.name} begins at step {step} of {cell.id} instead of {kept}")
            twice = [p.process.name for p in self._world.cluster.pods if self._trains_too(p, pod, cell)]
            self._expect(not twice, f"{process.name} trains {cell.id} while {twice} does, undisturbed")
            planned = self._world.cluster.planned.get(pod.job, pod.born)  # who planned or waited before does not know
            diverged = cell.seed == DIVERGES and min(planned, pod.born) > self._diverged
            self._expect(not diverged, f"{process.name} trains {cell.id} again, which has diverged")
        pod.steps[cell.id][1] = step

    def _watch_pod(self, pod: Pod) -> None:
        """Checks why a pod has ended, and what it has cost."""
        if pod.part == names.COLLECT:  # its Job starts it again, and whoever asks for a report makes one
            return
        allowed = self._allowed_codes(pod)
        where = f"{pod.process.name} ({pod.container}, faults {pod.faults})"
        self._expect(pod.exit_code in allowed, f"{where} ended with {pod.exit_code}, not with one of {sorted(allowed)}")
        if pod.exit_code == Diverged.exit_code and not pod.disrupted:
            self._diverged = min(self._diverged, pod.died + 1.0)
        for cell_id, (_, last) in pod.steps.items():
            cell = self._cells[cell_id]
            commit = self._server.objects.get(keys.epochs(cell))
            self._expect(pod.exit_code != 0 or commit, f"{where} ended with 0, and the cell is not done")
            if commit:
                ours = commit.metadata["attempt"] == pod.process.name
                self._expect(not pod.said or ours == (pod.said == "committed"), f"{where} says {pod.said}")
            elif cell.seed != DIVERGES and self._is_undisturbed(pod, cell):
                lost = last - self._newest(cell)
                self._expect(lost <= MOST_LOST, f"{where} lost {lost} steps of {cell_id}")

    def _allowed_codes(self, pod: Pod) -> set[int]:
        allowed = {0} | ({143, 137} if pod.disrupted else set()) | ({137} if "kill" in pod.faults else set())
        away = sum(end - begin for begin, end, _ in self._world.network.outages)
        patience = PREPARE_OUTAGE_SECONDS if pod.part == names.PREPARE else programs.OUTAGE_SECONDS
        if away + pod.delays >= patience:
            allowed.add(75)
        if "datasets" in self._world.forgotten or self._waits_in_vain(pod, away):
            allowed.add(42)
        if any(self._cells[c].seed == DIVERGES for c in pod.steps):
            allowed.add(43)
        return allowed

    def _waits_in_vain(self, pod: Pod, away: float) -> bool:
        """Whether the pod waited for a data set whose preparing pod was held up for longer than it waits."""
        preparers = [p for p in self._world.cluster.pods if p.part == names.PREPARE]
        late = max((p.delays for p in preparers), default=0.0) + away >= programs.AWAIT_SECONDS
        return pod.container == names.AWAIT and late

    def _is_undisturbed(self, pod: Pod, cell: Cell) -> bool:
        """Whether nothing but its own end has befallen the pod, and nobody else trains the cell."""
        harmless = set(pod.faults) <= {"kill", "evict"} and not self._others(pod, cell)
        return harmless and not self._world.network.outages and not self._world.forgotten

    def _others(self, pod: Pod, cell: Cell) -> bool:
        """Whether another pod has trained the cell beside this one."""
        others = [p for p in self._world.cluster.pods if p is not pod and cell.id in p.steps]
        return any(p.exit_code is None or p.died >= pod.born for p in others)

    def _trains_too(self, other: Pod, pod: Pod, cell: Cell) -> bool:
        """Whether another pod trains the cell of this one, and nothing has kept it from renewing its lease."""
        at_work = other is not pod and other.exit_code is None and cell.id in other.steps and not other.said
        disturbed = other.faults or pod.faults or other.stop.is_awaited or self._world.network.outages
        return at_work and not disturbed and not self._world.forgotten

    def _newest(self, cell: Cell) -> int:
        """The step of the newest whole checkpoint."""
        steps = [0]
        for key, there in self._server.objects.items():
            if key.startswith(keys.folder(keys.CHECKPOINTS, cell.id)):
                with contextlib.suppress(InvalidInput):  # it was damaged
                    steps.append(checkpoint.from_bytes(there.data, cell.id, key).step)
        return max(steps)

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self._server.broken.append(otherwise)
