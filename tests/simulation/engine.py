"""Training as a pure function of the cell: each step hashes the state, so that any wrong step, state or order shows."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable

import numpy as np

from experiment.cell import Cell
from experiment.errors import Diverged
from experiment.members import Member
from trainer.engine import Engine
from trainer.model.types import STATE, Figures, Pace, Result, Snapshot

EPOCHS, STEPS = 2, 4  # steps of an epoch
STEP_SECONDS = 15.0
TEST_EXAMPLES = 2
DIVERGES = 66  # the seed of a cell that diverges
SMALL = (Member(name="A", bricks=1, blocks=1, filters=1), Member(name="B", bricks=1, blocks=1, filters=2))


def make_cell(seed: int) -> Cell:
    """A cell that trains for ``EPOCHS * STEPS`` steps."""
    sizes = {"batch_size": 32, "train_examples": 32 * STEPS, "test_examples": TEST_EXAMPLES}
    return Cell(dataset="digits", method="l2", alpha=0.01, seed=seed, members=SMALL, epochs=EPOCHS, **sizes)


def next_state(state: bytes, step: int, by: str = "") -> bytes:
    """The state after a step."""
    return hashlib.sha256(state + f"{by}{step}".encode()).digest()


@functools.cache
def right_state(cell_id: str, steps: int) -> bytes:
    """The state of a cell after so many undisturbed steps."""
    return next_state(right_state(cell_id, steps - 1), steps) if steps else cell_id.encode()


def number_of(state: bytes) -> float:
    """A figure from 0 to 1 that depends on the state."""
    return int.from_bytes(state[:6], "big") / 2**48


def figures_of(cell: Cell, state: bytes, bits: bytes) -> Figures:
    """The figures of an epoch, as functions of the state at its end; test_ece depends on the hardware."""
    names = ("train_error", "train_cost", "train_cross_entropy", "test_error", "test_cost", "test_cross_entropy")
    value = number_of(state)
    shared = {"test_ece": number_of(bits), "test_agreement": value, "learning_rate": 0.5, "seconds": 1.0}
    row = {name: value + n for n, name in enumerate(names)} | shared | {"images_per_second": 160.0}
    return [row for _ in cell.models]


def logits_of(bits: bytes) -> np.ndarray:
    """The logits of the test set, (members, n, classes), as a function of the state."""
    count = len(SMALL) * TEST_EXAMPLES * 10
    values = np.frombuffer((bits * (count // len(bits) + 1))[:count], np.uint8)
    return values.astype(np.float32).reshape(len(SMALL), TEST_EXAMPLES, 10)


class SimulatedEngine(Engine):
    """Trains by hashing. ``hardware`` enters the bits of logits and models, as it does in floating point.

    Args:
        sleep: waits in simulated seconds.
        note: told the cell and the number of each step that is done, and of the one that a training begins with.
    """

    def __init__(self, hardware: str, sleep: Callable[[float], None], note: Callable[[Cell, int], None]) -> None:
        self._hardware, self._sleep, self._note = hardware, sleep, note

    def device_name(self) -> str:
        return f"simulated {self._hardware}"

    def peak_memory_bytes(self) -> int:
        return 1

    def processor_name(self) -> str:
        return "simulated"

    def measure_speeds(self, cell, stopping) -> dict[str, dict[str, float]]:
        return {}

    def package_versions(self) -> dict[str, str]:
        return {}

    def rehearse_export(self) -> None:
        pass

    def train_cell(self, cell, data, watch, on_epoch_end, snapshot, teacher, *, jit) -> Result:
        step, state, bits, figures = 0, cell.id.encode(), cell.id.encode(), []
        if snapshot:
            arrays = snapshot.arrays
            step, figures = snapshot.step, list(snapshot.figures)
            state, bits = arrays["theta"].tobytes(), arrays["moments"].tobytes()
        self._note(cell, step)
        while step < EPOCHS * STEPS:
            self._sleep(STEP_SECONDS)
            step += 1
            state, bits = next_state(state, step), next_state(bits, step, self._hardware)
            self._note(cell, step)
            if cell.seed == DIVERGES and step == STEPS:
                raise Diverged(f"{cell.id} diverged")
            if step % STEPS == 0:
                figures.append(figures_of(cell, state, bits))
            taken = functools.partial(_snapshot, step, state, bits, figures)
            watch(
                Pace(step=step, steps=EPOCHS * STEPS, epoch=len(figures), images_per_second=8.0, seconds_left=9.0),
                taken,
            )
        parts = {
            m.name: {"theta": np.frombuffer(state, np.uint8), "bits": np.frombuffer(bits, np.uint8)} for m in SMALL
        }
        labels = np.zeros(TEST_EXAMPLES, np.uint8)
        return Result(
            arithmetic="float32",
            figures=figures,
            examples=32 * STEPS,
            labels=labels,
            logits=logits_of(bits),
            arrays=parts,
        )

    def export_member(self, cell: Cell, member: Member, result: Result) -> bytes:
        return model_bytes(cell, member, *(result.arrays[member.name][n].tobytes() for n in ("theta", "bits")))


def model_bytes(cell: Cell, member: Member, state: bytes, bits: bytes) -> bytes:
    """The file of a trained member."""
    return json.dumps([cell.id, member.name, state.hex(), bits.hex()]).encode()


def _snapshot(step: int, state: bytes, bits: bytes, figures: list[Figures]) -> Snapshot:
    arrays = {name: np.zeros(1, np.uint8) for name in STATE}
    arrays |= {"theta": np.frombuffer(state, np.uint8), "moments": np.frombuffer(bits, np.uint8)}
    return Snapshot(step=step, arithmetic="float32", arrays=arrays, figures=list(figures), seconds=(1.0, 1.0))
