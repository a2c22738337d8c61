"""The keys of the store. Every key is built and parsed here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from experiment.cell import Cell
from experiment.errors import refuse

RUNS, RESULTS, MODELS, REPORTS = "runs/", "results/", "models/", "reports/"
CHECKPOINTS, PROGRESS, FAILURES, LOGS = "checkpoints/", "progress/", "failures/", "logs/"
DATASETS, THROUGHPUT, TENSORBOARD = "datasets/", "throughput/", "tensorboard/"
EPOCHS, PREDICTIONS = "epochs.parquet", "predictions.parquet"
PROBE = "probe.txt"  # written by the first launch, and never again
_COMMIT = re.compile(r"results/dataset=[^/]+/method=[^/]+/(?P<cell>[^/]+)/epochs\.parquet")
_PREDICTIONS = re.compile(r"results/dataset=[^/]+/method=[^/]+/(?P<cell>[^/]+)/predictions\.parquet")
_PROGRESS = re.compile(r"progress/(?P<cell>[^/]+)\.json")
_CHECKPOINT = re.compile(r"checkpoints/[^/]+/(?P<step>\d{9})\.safetensors")
_GRID = re.compile(r"runs/(?P<run>[^/]+)/grid\.json")
_ASSIGNMENT = re.compile(r"runs/[^/]+/jobs/(?P<job>[^/]+)\.json")
_DATASET = re.compile(r"datasets/(?P<dataset>[^/.]+)\.json")
_ATTEMPT = re.compile(r"(?:failures|logs)/(?P<cell>[^/]+)/(?P<attempt>[^/]+)\.jsonl?")


def grid(run: str) -> str:
    """Returns the key of a run's frozen grid."""
    return f"{RUNS}{run}/grid.json"


def run_url(store_url: str, run: str) -> str:
    """Returns the URL under which every program finds a run: ``STORE/runs/RUN``."""
    return f"{store_url}/{RUNS}{run}"


def split_run_url(url: str) -> tuple[str, str]:
    """Returns the store's URL and the run's name that ``run_url`` joined.

    Raises:
        InvalidInput: the URL has another form.
    """
    store, middle, run = url.rstrip("/").rpartition("/" + RUNS)
    if not middle or not store or not run or "/" in run:
        allowed = "STORE/runs/RUN with STORE a path, file:// or s3:// URL"
        raise refuse("the run", url, allowed, "copy it from the launcher's first lines")
    return store, run


def run_of(key: str) -> str | None:
    """Returns the run whose frozen grid has this key; None for any other key."""
    return match["run"] if (match := _GRID.fullmatch(key)) else None


def assignments(run: str) -> str:
    """Returns the prefix of the assignments of a run's Jobs."""
    return f"{RUNS}{run}/jobs/"


def assignment(run: str, job: str) -> str:
    """Returns the key of the assignment of cells to one Job."""
    return f"{assignments(run)}{job}.json"


def job_of(key: str) -> str | None:
    """Returns the Job whose assignment has this key; None for any other key."""
    return match["job"] if (match := _ASSIGNMENT.fullmatch(key)) else None


def results_folder(dataset: str, method: str) -> str:
    """Returns the prefix of the results of all cells of one data set and method."""
    return f"{RESULTS}dataset={dataset}/method={method}/"


def results_of(dataset: str, method: str, cell_id: str) -> str:
    """Returns the prefix of a cell's results, computed from the columns of a table."""
    return f"{results_folder(dataset, method)}{cell_id}/"


def results(cell: Cell) -> str:
    """Returns the prefix of a cell's results."""
    return results_of(cell.dataset, cell.method, cell.id)


def epochs_of(dataset: str, method: str, cell_id: str) -> str:
    """Returns the key of a cell's ``epochs.parquet``, computed from the columns of a table."""
    return results_of(dataset, method, cell_id) + EPOCHS


def epochs(cell: Cell) -> str:
    """Returns the key of a cell's commit. The object exists if and only if the cell is done."""
    return epochs_of(cell.dataset, cell.method, cell.id)


def predictions(cell: Cell) -> str:
    """Returns the key of the last epoch's predictions on the test set."""
    return results(cell) + PREDICTIONS


def predictions_cell(key: str) -> str | None:
    """Returns the cell whose predictions have this key; None for any other key."""
    return match["cell"] if (match := _PREDICTIONS.fullmatch(key)) else None


def model(cell_id: str, member: str) -> str:
    """Returns the key of a trained member."""
    return f"{MODELS}{cell_id}/{member}.keras"


def checkpoints(cell_id: str) -> str:
    """Returns the prefix of a cell's checkpoints."""
    return f"{CHECKPOINTS}{cell_id}/"


def checkpoint(cell_id: str, step: int) -> str:
    """Returns the key of a checkpoint. Keys of later steps sort later."""
    return f"{checkpoints(cell_id)}{step:09d}.safetensors"


def progress(cell_id: str) -> str:
    """Returns the key of the latest progress record of a cell."""
    return f"{PROGRESS}{cell_id}.json"


def failures(cell_id: str) -> str:
    """Returns the prefix of a cell's failure records."""
    return f"{FAILURES}{cell_id}/"


def failure(cell_id: str, attempt: str) -> str:
    """Returns the key of one attempt's failure record."""
    return f"{failures(cell_id)}{attempt}.json"


def logs(cell_id: str) -> str:
    """Returns the prefix of a cell's logs."""
    return f"{LOGS}{cell_id}/"


def log(cell_id: str, attempt: str) -> str:
    """Returns the key of one attempt's log, which has a JSON object per line."""
    return f"{logs(cell_id)}{attempt}.jsonl"


def summary(cell_id: str, number: int, what: str) -> str:
    """Returns the key of an event file of a cell. TensorBoard reads the files of one folder in the order of names."""
    return f"{TENSORBOARD}{cell_id}/events.out.tfevents.{number:010d}.{what}"


def dataset_manifest(name: str) -> str:
    """Returns the key of the manifest that names the prepared file of a data set."""
    return f"{DATASETS}{name}.json"


def dataset_of(key: str) -> str | None:
    """Returns the data set whose manifest has this key; None for any other key."""
    return match["dataset"] if (match := _DATASET.fullmatch(key)) else None


def dataset(name: str, sha256: str) -> str:
    """Returns the key of a prepared data set."""
    return f"{DATASETS}{name}-{sha256[:16]}.npz"


def throughput(name: str) -> str:
    """Returns the key of a measured speed, which forecasts use."""
    return f"{THROUGHPUT}{name}.json"


def report(run: str, path: str = "index.html") -> str:
    """Returns the key of a file of a run's report."""
    return f"{REPORTS}{run}/{path}"


def committed(keys: Iterable[str]) -> set[str]:
    """Returns the ids of the cells whose commits are among these keys."""
    return {m["cell"] for m in map(_COMMIT.fullmatch, keys) if m}


def progress_of(key: str) -> str | None:
    """Returns the cell whose progress record has this key; None for any other key."""
    return match["cell"] if (match := _PROGRESS.fullmatch(key)) else None


def step_of(key: str) -> int | None:
    """Returns the step of a checkpoint's key; None for any other key."""
    match = _CHECKPOINT.fullmatch(key)
    return int(match["step"]) if match else None


def attempt_of(key: str) -> tuple[str, str] | None:
    """Returns the cell's id and the attempt of the key of a failure record or log; None for any other key."""
    match = _ATTEMPT.fullmatch(key)
    return (match["cell"], match["attempt"]) if match else None
