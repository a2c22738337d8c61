"""One attempt at a cell: it is claimed, resumed, trained and committed, or leaves a record of what ended it."""

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
from trainer.model.program import compiled_program, program_signature
from trainer.model.types import Dataset, OnEpochEnd, Pace, Snapshot
from trainer.summaries import Summaries

PROGRESS_SECONDS = 10.0  # between two progress records in the store


@dataclass(frozen=True, kw_only=True)
class AttemptOptions:
    """The options that all attempts of a process share.

    Attributes:
        attempt: the attempt's name in records and metadata; unique per process and cell.
        load: returns a data set by name.
        stopping: returns whether the process was told to stop.
        show: called with the progress about twice a second.
        checkpoint_seconds: time between two checkpoints.
        jit: whether to compile with XLA.
        tensorboard: whether to put summaries for TensorBoard into the store.
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
    packages: dict[str, str] = field(default_factory=device.package_versions)


def attempt_cell(cell: Cell, options: AttemptOptions) -> str:
    """Tries the cell; returns ``committed``, ``found`` or ``held``.

    Found means that another attempt committed the cell; held, that another process of this machine is training it. Any
    other end is raised as an error, after a failure record was put into the store, if the store still works.

    Raises:
        InvalidInput, Diverged, Transient, Interrupted: as ``experiment.errors`` says.
    """
    with options.store.claim(cell.id) as held:
        if not held:
            return "held"
        if options.store.exists(keys.epochs(cell)):
            commit.remove_leftovers(options.store, cell)
            return "found"
        log = Log(cell.id, options.attempt)
        watcher = _Watcher(cell, options, log)
        try:
            return _train(cell, options, log, watcher)
        except BaseException as error:
            _leave_record(cell, options, log, error, watcher.epoch)
            raise
        finally:
            _keep_log(options.store, cell, options.attempt, log)


def _train(cell: Cell, options: AttemptOptions, log: Log, watcher: _Watcher) -> str:
    started = utc_now()
    data = options.load(cell.dataset)
    snapshot = checkpoint.newest_checkpoint(options.store, cell.id, log.say)
    step = snapshot.step if snapshot else 0
    log.say("resumed" if step else "started", step=step, device=device.device_name(), dataset=data.sha256[:16])
    on_epoch_end = _summarise(cell, options, snapshot) if options.tensorboard else lambda *_: None
    result = training.train_cell(
        cell, data, watch=watcher, on_epoch_end=on_epoch_end, snapshot=snapshot, jit=options.jit
    )
    provenance = Provenance(
        attempt=options.attempt,
        numerics=NUMERICS,
        git_commit=options.git_commit,
        image=options.image,
        device=device.device_name(),
        arithmetic=result.arithmetic,
        packages=options.packages,
        dataset_sha256=data.sha256,
        deterministic=options.deterministic,
        started=started,
        ended=utc_now(),
        resumed_from_step=step,
        training_seconds=sum(epoch[0]["seconds"] for epoch in result.figures),
        peak_memory_bytes=device.peak_memory_bytes(),
    )
    ours = commit.commit_cell(options.store, cell, result, provenance, log.say)
    last = {m: f"{100 * row['test_error']:.2f}%" for m, row in zip(cell.models, result.figures[-1], strict=True)}
    log.say("committed" if ours else "another attempt's result stands", **last)
    return "committed" if ours else "found"


def _summarise(cell: Cell, options: AttemptOptions, snapshot: Snapshot | None) -> OnEpochEnd:
    summaries = Summaries(options.store, cell, options.attempt)
    signature = program_signature(cell, training.cell_arithmetic(cell, snapshot))
    summaries.put_graph(compiled_program(signature, jit=options.jit))
    for epoch, figures in enumerate(snapshot.figures if snapshot else [], start=1):
        summaries.put_epoch(epoch, figures)  # of earlier attempts, which may not have been asked for summaries
    return summaries.put_epoch


class _Watcher:
    """Called after every call of the device: stops the training when told to, and keeps checkpoint and progress up to date."""

    def __init__(self, cell: Cell, options: AttemptOptions, log: Log) -> None:
        self.epoch = 0
        self._cell, self._options, self._log = cell, options, log
        self._saved = self._told = time.monotonic()

    def __call__(self, pace: Pace, snapshot: Callable[[], Snapshot]) -> None:
        now, self.epoch = time.monotonic(), pace.epoch
        if self._options.stopping():
            self._save(snapshot())
            where = f"at step {pace.step} of {pace.steps}"
            raise Interrupted(f"{self._cell.id} was told to stop {where}; launch again to go on")
        if now - self._saved >= self._options.checkpoint_seconds:
            self._save(snapshot())
        progress = self._progress(pace)
        self._options.show(progress)
        if now - self._told >= PROGRESS_SECONDS:
            self._told = now
            self._options.store.put(keys.progress(self._cell.id), records.to_bytes(progress))

    def _save(self, snapshot: Snapshot) -> None:
        checkpoint.write_checkpoint(self._options.store, self._cell.id, snapshot)
        self._saved = time.monotonic()
        self._log.say("checkpoint", step=snapshot.step)

    def _progress(self, pace: Pace) -> Progress:
        return Progress(
            cell=self._cell.id,
            attempt=self._options.attempt,
            epoch=pace.epoch,
            epochs=self._cell.epochs,
            step=pace.step,
            steps=pace.steps,
            images_per_second=round(pace.images_per_second, 1),
            seconds_left=round(pace.seconds_left, 1),
            time=utc_now(),
        )


def _leave_record(cell: Cell, options: AttemptOptions, log: Log, error: BaseException, epoch: int) -> None:
    foreseen = isinstance(error, ExperimentError)
    meaning = type(error) if isinstance(error, ExperimentError) else ExperimentError
    failure = Failure(
        cell=cell.id,
        attempt=options.attempt,
        kind=meaning.kind,
        exit_code=meaning.exit_code,
        message=describe_error(error),
        time=utc_now(),
        epoch=epoch,
        traceback="" if foreseen else "".join(traceback.format_exception(error)),
    )
    log.say(failure.message, kind=failure.kind, traceback=failure.traceback)
    try:
        options.store.put(keys.failure(cell.id, options.attempt), records.to_bytes(failure))
        options.store.delete(keys.progress(cell.id))
    except ExperimentError as second:
        log.say(f"the failure record could not be kept: {describe_error(second)}")


def _keep_log(store: Store, cell: Cell, name: str, log: Log) -> None:
    try:
        store.put(keys.log(cell.id, name), log.to_bytes())
    except ExperimentError as error:
        log.say(f"the log could not be kept: {describe_error(error)}")
