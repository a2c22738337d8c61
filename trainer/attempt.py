"""One attempt at a cell: claimed, resumed, trained, committed; or a record of what ended it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from experiment import keys, records
from experiment.cell import NUMERICS, Cell
from experiment.errors import ExperimentError, Interrupted, describe_error
from experiment.records import Failure, Progress, Provenance, utc_now
from experiment.store import Store
from trainer import checkpoint, commit
from trainer.log import Log
from trainer.model import device, training
from trainer.model.program import program, signature
from trainer.model.types import Closed, Dataset, Pace, Snapshot
from trainer.summaries import Summaries

PROGRESS_SECONDS = 10.0  # between two words on a cell in the store


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all attempts of a process share.

    Attributes:
        attempt: names the attempt in records and metadata; unique per process and cell.
        stopping: whether the process was told to stop.
        show: is given every progress, about twice a second.
        checkpoint_seconds: between two checkpoints.
        tensorboard: put summaries for TensorBoard into the store.
    """

    store: Store
    attempt: str
    load: Callable[[str], Dataset]
    stopping: Callable[[], bool]
    show: Callable[[Progress], None] = lambda _: None
    checkpoint_seconds: float = 60.0
    git_commit: str = "unknown"
    image: str = ""
    deterministic: bool = True
    jit: bool = False
    tensorboard: bool = False
    packages: dict[str, str] = field(default_factory=device.packages)


def attempt(cell: Cell, setting: Setting) -> str:
    """Tries the cell: committed (by this attempt), found (done already) or held (by a process of this machine).

    Whatever else ends it is raised, after a failure record was left in the store where the store still works.

    Raises:
        InvalidInput, Diverged, Transient, Interrupted: as ``experiment.errors`` says.
    """
    with setting.store.claim(cell.id) as held:
        if not held:
            return "held"
        if setting.store.exists(keys.epochs(cell)):
            commit.clean(setting.store, cell)
            return "found"
        log = Log(cell.id, setting.attempt)
        watcher = _Watcher(cell, setting, log)
        try:
            return _train(cell, setting, log, watcher)
        except BaseException as error:
            _leave_record(cell, setting, log, error, watcher.epoch)
            raise
        finally:
            _keep_log(setting.store, cell, setting.attempt, log)


def _train(cell: Cell, setting: Setting, log: Log, watcher: _Watcher) -> str:
    started = utc_now()
    data = setting.load(cell.dataset)
    snapshot = checkpoint.newest(setting.store, cell.id, log.say)
    step = snapshot.step if snapshot else 0
    log.say("resumed" if step else "started", step=step, device=device.name(), dataset=data.sha256[:16])
    closed = _summarise(cell, setting, snapshot) if setting.tensorboard else lambda *_: None
    result = training.train(cell, data, watch=watcher, closed=closed, snapshot=snapshot, jit=setting.jit)
    provenance = Provenance(
        attempt=setting.attempt,
        numerics=NUMERICS,
        git_commit=setting.git_commit,
        image=setting.image,
        device=device.name(),
        arithmetic=result.arithmetic,
        packages=setting.packages,
        dataset_sha256=data.sha256,
        deterministic=setting.deterministic,
        started=started,
        ended=utc_now(),
        resumed_from_step=step,
        training_seconds=sum(epoch[0]["seconds"] for epoch in result.figures),
        peak_memory_bytes=device.peak_memory_bytes(),
    )
    ours = commit.commit(setting.store, cell, result, provenance, log.say)
    last = {m: f"{100 * row['test_error']:.2f}%" for m, row in zip(cell.models, result.figures[-1], strict=True)}
    log.say("committed" if ours else "another attempt's result stands", **last)
    return "committed" if ours else "found"


def _summarise(cell: Cell, setting: Setting, snapshot: Snapshot | None) -> Closed:
    summaries = Summaries(setting.store, cell, setting.attempt)
    summaries.begin(
        program(signature(cell, training.arithmetic(cell, snapshot)), jit=setting.jit),
        snapshot.figures if snapshot else [],
    )
    return summaries.epoch


class _Watcher:
    """Looks up from training after every call of the device: stop, checkpoint, progress."""

    def __init__(self, cell: Cell, setting: Setting, log: Log) -> None:
        self.epoch = 0
        self._cell, self._setting, self._log = cell, setting, log
        self._saved = self._told = time.monotonic()

    def __call__(self, pace: Pace, snapshot: Callable[[], Snapshot]) -> None:
        now, self.epoch = time.monotonic(), pace.epoch
        if self._setting.stopping():
            self._save(snapshot())
            raise Interrupted(
                f"{self._cell.id} was told to stop at step {pace.step} of {pace.steps}; launch again to go on"
            )
        if now - self._saved >= self._setting.checkpoint_seconds:
            self._save(snapshot())
        progress = self._progress(pace)
        self._setting.show(progress)
        if now - self._told >= PROGRESS_SECONDS:
            self._told = now
            self._setting.store.put(keys.progress(self._cell.id), records.to_bytes(progress))

    def _save(self, snapshot: Snapshot) -> None:
        checkpoint.write(self._setting.store, self._cell.id, snapshot)
        self._saved = time.monotonic()
        self._log.say("checkpoint", step=snapshot.step)

    def _progress(self, pace: Pace) -> Progress:
        return Progress(
            cell=self._cell.id,
            attempt=self._setting.attempt,
            epoch=pace.epoch,
            epochs=self._cell.epochs,
            step=pace.step,
            steps=pace.steps,
            images_per_second=round(pace.images_per_second, 1),
            seconds_left=round(pace.seconds_left, 1),
            time=utc_now(),
        )


def _leave_record(cell: Cell, setting: Setting, log: Log, error: BaseException, epoch: int) -> None:
    known = isinstance(error, ExperimentError)
    failure = Failure(
        cell=cell.id,
        attempt=setting.attempt,
        kind=error.kind if known else ExperimentError.kind,
        exit_code=error.exit_code if known else ExperimentError.exit_code,
        message=describe_error(error),
        time=utc_now(),
        epoch=epoch,
        traceback="" if known else "".join(traceback.format_exception(error)),
    )
    log.say(failure.message, kind=failure.kind, traceback=failure.traceback)
    try:
        setting.store.put(keys.failure(cell.id, setting.attempt), records.to_bytes(failure))
        setting.store.delete(keys.progress(cell.id))
    except ExperimentError as second:
        log.say(f"no failure record: {describe_error(second)}")


def _keep_log(store: Store, cell: Cell, name: str, log: Log) -> None:
    try:
        store.put(keys.log(cell.id, name), log.to_bytes())
    except ExperimentError as error:
        log.say(f"log not kept: {describe_error(error)}")
