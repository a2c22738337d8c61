"""The programs of a run as simulated processes: what a pod and a launcher run, with the suite's own code below main."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from experiment import keys
from experiment.assignment import resolve_indexes
from experiment.errors import ExperimentError, InvalidInput, NotFound
from experiment.grid import Grid
from experiment.ledger import FAILED
from experiment.outage import Patience
from experiment.prepared import Manifest, read_manifest
from experiment.run import read_run
from experiment.s3 import S3Store
from k8s.cleanup import spent_keys
from k8s.cluster import executor
from k8s.cluster.observe import find_existing, observe_run
from k8s.cluster.states import cell_states
from k8s.collect import Collector
from k8s.manifests.render import PREPARE_OUTAGE_SECONDS, Launch
from k8s.planning.jobs_needed import find_needed_jobs
from k8s.planning.survey import survey_store
from tests.simulation.engine import DIVERGES, SimulatedEngine
from trainer import arguments
from trainer import process as trainer_process
from trainer.datasets.waiting import await_dataset
from trainer.model.types import Dataset
from trainer.options import AttemptOptions
from trainer.stopping import Stop

if TYPE_CHECKING:
    from tests.simulation.kernel import Process
    from tests.simulation.world import World

CHECKPOINT_SECONDS, OUTAGE_SECONDS = 45.0, 1800.0
AWAIT_SECONDS = 3600.0  # setting await_seconds
DATA = b"the prepared data set"


class SimulatedStop(Stop):
    """The stop of a process, whose waiting is simulated."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.kernel.sleep(timeout or 0.0)
        return self.is_set()


def exit_code_of(world: World, process: Process, work: Callable[[], int]) -> int:
    """The exit code of a process that does this work, as ``experiment.program`` gives it."""
    try:
        return work()
    except ExperimentError as error:
        world.trace(process, "ends", f"{type(error).__name__}: {error}")
        return error.exit_code
    except Exception:  # noqa: BLE001 - an unforeseen error of the suite: exit code 1 is never right
        world.trace(process, "ends", traceback.format_exc())
        return 1


def wait_for_data(world: World, process: Process, stop: Stop) -> int:
    """The init container of a trainer pod."""
    return await_dataset(world.store_of(process), "digits", AWAIT_SECONDS, stop)


def train_cell(world: World, process: Process, stop: Stop, run_name: str, job: str, index: int) -> int:
    """The trainer container: what ``trainer.__main__`` does for one cell."""
    given = argparse.Namespace(job=job, index=index)
    holder = arguments.cell_holder(given, run_name, {"JOB_UID": f"uid of {job}"})
    store, clock = world.store_of(process), world.kernel
    patience = Patience(seconds=OUTAGE_SECONDS, stopping=stop.is_set, say=lambda _: None)
    patience = dataclasses.replace(patience, clock=lambda: clock.now, sleep=clock.sleep)
    run = patience.wait_out(lambda: read_run(store, run_name))
    (place,) = patience.wait_out(lambda: resolve_indexes(store, run, index, job))
    options = AttemptOptions(
        store=store,
        attempt=process.name,
        load=lambda cell: load_data(store, cell.dataset),
        stopping=stop.is_set,
        holder=holder,
        finish_first=stop.finish_first,
        checkpoint_seconds=CHECKPOINT_SECONDS,
        outage_seconds=OUTAGE_SECONDS,
        engine=SimulatedEngine(process.machine, clock.sleep, lambda c, step: world.note_step(process, c, step)),
    )
    return trainer_process.train_one_cell(run, place, stop, options)


def collect(world: World, process: Process, run_name: str, job: str) -> int:
    """The collecting pod, without its reports."""
    store, kube, clock = world.store_of(process), world.kube_of(process), world.kernel
    times = {"clock": lambda: clock.now, "sleep": clock.sleep, "poll": 50.0}
    run = read_run(store, run_name)
    return Collector(kube=kube, store=store, run=run, report=lambda: 0, refresh=600, own=job, **times).collect()


def load_data(store: S3Store, name: str) -> Dataset:
    """The data set as ``trainer.datasets.load_dataset`` reads it, without arrays."""
    manifest = read_manifest(store, name)
    if manifest is None:
        raise InvalidInput(f"{store.url} holds no {name}")
    try:
        data = store.read(manifest.key)
    except NotFound as error:
        raise InvalidInput(f"{manifest.key} is missing") from error
    none = np.zeros(0, np.uint8)
    digest = hashlib.sha256(data).hexdigest()
    return Dataset(name=name, x_train=none, y_train=none, x_test=none, y_test=none, sha256=digest)


def prepare_data(world: World, process: Process) -> int:
    """The preparing pod: the data first, the manifest last."""
    store, digest = world.store_of(process), hashlib.sha256(DATA).hexdigest()
    facts = {"train": 1437, "test": 360, "shape": (8, 8, 1), "source": (), "skipped": 0, "created": ""}
    made = Manifest(name="digits", sha256=digest, key=keys.dataset("digits", digest), **facts)
    patience = Patience(seconds=PREPARE_OUTAGE_SECONDS, stopping=lambda: False, say=lambda _: None)
    patience = dataclasses.replace(patience, clock=lambda: world.kernel.now, sleep=world.kernel.sleep)
    patience.wait_out(lambda: store.put(made.key, DATA))
    patience.wait_out(lambda: store.put_once(keys.dataset_manifest("digits"), made.to_bytes(), process.name))
    return 0


def launch(world: World, process: Process, run_name: str, grid: Grid) -> int:
    """``python -m k8s.launch`` on a cluster."""
    store = world.store_of(process)
    plan = survey_store(store, grid, retry_diverged=False)
    arguments = argparse.Namespace(dry_run="", wait=False, yes=True)
    return executor.launch_jobs(world.kube_of(process), arguments, world.settings, store, run_name, plan)


def retry(world: World, process: Process, run_name: str, grid: Grid) -> int:
    """``python -m k8s.retry``."""
    store, kube = world.store_of(process), world.kube_of(process)
    if not store.exists(keys.grid(run_name)):
        return 0
    run = read_run(store, run_name)
    failed = [c.index for c in cell_states(observe_run(store, run, kube)) if c.state == FAILED]
    failed = [i for i in failed if grid.cells[i].seed != DIVERGES]  # somebody has read why it failed
    needed = find_needed_jobs(run_name, run.grid, failed, find_existing(kube, store, run_name), again=True)
    about = Launch(store=store.url, run=run_name, grid=grid.name, git_commit="", settings=world.settings)
    executor.create_jobs(kube, store, needed, executor.launch_manifests(about, run.grid, needed))
    return 0


def clean_up(world: World, process: Process, run_name: str, grid: Grid) -> int:
    """``python -m k8s.cleanup``, of the store."""
    store = world.store_of(process)
    if store.exists(keys.grid(run_name)):
        for key in list(spent_keys(store, read_run(store, run_name), everything=False)):
            store.delete(key)
    return 0
