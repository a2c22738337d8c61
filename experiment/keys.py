"""The keys of the store. Every key is built and parsed here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from experiment.cell import Cell

RUNS, RESULTS, MODELS, REPORTS = "runs/", "results/", "models/", "reports/"
CHECKPOINTS, PROGRESS, FAILURES, LOGS = "checkpoints/", "progress/", "failures/", "logs/"
LEASES, DATASETS, THROUGHPUT, TENSORBOARD = "leases/", "datasets/", "throughput/", "tensorboard/"
LOOKS = "looks/"
EPOCHS, PREDICTIONS, SPENT = "epochs.parquet", "predictions.parquet", "spent.json"
PROBE = "probe.txt"  # written by the first launch, and never again
_COMMIT = re.compile(r"results/dataset=[^/]+/method=[^/]+/(?P<cell>[^/]+)/epochs\.parquet")
_PREDICTIONS = re.compile(r"(results/dataset=[^/]+/method=[^/]+/([^/]+)/predictions)(?:\.([^/.]+))?(\.parquet)")
_MODEL = re.compile(r"(models/([^/]+)/[^/.]+)(?:\.([^/.]+))?(\.keras)")
_PROGRESS = re.compile(r"progress/(?P<cell>[^/]+)\.json")
_NUMBERED = re.compile(r"(?:checkpoints/[^/]+/(?P<step>\d{9})\.safetensors|leases/[^/]+/(?P<lease>\d{6,})\.json)")
_GRID = re.compile(r"runs/(?P<run>[^/]+)/grid\.json")
_ASSIGNMENT = re.compile(r"runs/[^/]+/jobs/(?P<job>[^/]+)\.json")
_DATASET = re.compile(r"datasets/(?P<dataset>[^/.]+)\.json")
_PREPARED = re.compile(r"datasets/(?P<dataset>[^/]+)-[0-9a-f]{16}\.npz")
_ATTEMPT = re.compile(r"(?:failures|logs)/(?P<cell>[^/]+)/(?P<attempt>[^/]+)\.jsonl?")


def grid(run: str) -> str:
    """Returns the key of a run's frozen grid."""
    return f"{RUNS}{run}/grid.json"


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


def forecast(run: str, job: str = "") -> str:
    """Returns the key of what a launch expected of one Job; without a Job the prefix of all of the run's."""
    return f"{RUNS}{run}/forecasts/" + (f"{job}.json" if job else "")


def results_folder(dataset: str, method: str, cell_id: str = "") -> str:
    """Returns the prefix of the results of one cell; without one of all cells of this data set and method."""
    return f"{RESULTS}dataset={dataset}/method={method}/" + (f"{cell_id}/" if cell_id else "")


def epochs_of(dataset: str, method: str, cell_id: str) -> str:
    """Returns the key of a cell's ``epochs.parquet``, computed from the columns of a table."""
    return f"{results_folder(dataset, method, cell_id)}{EPOCHS}"


def epochs(cell: Cell) -> str:
    """Returns the key of a cell's commit. The object exists if and only if the cell is done."""
    return epochs_of(cell.dataset, cell.method, cell.id)


def predictions(cell: Cell) -> str:
    """Returns the usual key of the last epoch's predictions on the test set."""
    return predictions_of(epochs(cell))


def predictions_of(commit: str) -> str:
    """Returns the usual key of the predictions that belong to a commit, given its key."""
    return commit.removesuffix(EPOCHS) + PREDICTIONS


def model(cell_id: str, member: str) -> str:
    """Returns the usual key of a trained member."""
    return f"{MODELS}{cell_id}/{member}.keras"


def artifact_beside(usual: str, attempt: str) -> str:
    """Returns the key of an attempt's own artifact where another attempt's stands under the usual key."""
    return f".{attempt}.".join(usual.rsplit(".", 1))


def artifact_of(key: str) -> tuple[str, str, str] | None:
    """Returns the cell's id, the usual key and the attempt ("": it is the usual key) of an artifact; None for others."""
    match = _PREDICTIONS.fullmatch(key) or _MODEL.fullmatch(key)
    return (match[2], match[1] + match[4], match[3] or "") if match else None


def folder(top: str, name: str) -> str:
    """Returns the prefix of what a cell has under CHECKPOINTS, LEASES, FAILURES or LOGS, or a study under LOOKS."""
    return f"{top}{name}/"


def checkpoint(cell_id: str, step: int) -> str:
    """Returns the key of a checkpoint. Keys of later steps sort later."""
    return f"{CHECKPOINTS}{cell_id}/{step:09d}.safetensors"


def lease(cell_id: str, number: int) -> str:
    """Returns the key of a lease on a cell. Keys of later leases sort later."""
    return f"{LEASES}{cell_id}/{number:06d}.json"


def progress(cell_id: str) -> str:
    """Returns the key of the latest progress record of a cell."""
    return f"{PROGRESS}{cell_id}.json"


def start(cell_id: str) -> str:
    """Returns the key of the record of a cell's latest start. Like progress, only an unfinished cell has it."""
    return f"{PROGRESS}{cell_id}/start.json"


def failure(cell_id: str, attempt: str) -> str:
    """Returns the key of one attempt's failure record."""
    return f"{FAILURES}{cell_id}/{attempt}.json"


def log(cell_id: str, attempt: str) -> str:
    """Returns the key of one attempt's log, which has a JSON object per line."""
    return f"{LOGS}{cell_id}/{attempt}.jsonl"


def summary(cell_id: str, number: int, what: str) -> str:
    """Returns the key of an event file of a cell. TensorBoard reads the files of one folder in the order of names."""
    return f"{TENSORBOARD}{cell_id}/events.out.tfevents.{number:010d}.{what}"


def dataset_manifest(name: str) -> str:
    """Returns the key of the manifest that names the prepared file of a data set."""
    return f"{DATASETS}{name}.json"


def dataset_of(key: str) -> str | None:
    """Returns the data set whose manifest has this key; None for any other key."""
    return match["dataset"] if (match := _DATASET.fullmatch(key)) else None


def prepared_datasets(listed: Iterable[str]) -> set[str]:
    """Returns the data sets of which these keys hold both the manifest and a prepared file."""
    listed = list(listed)
    manifests = {name for key in listed if (name := dataset_of(key))}
    return manifests & {match["dataset"] for key in listed if (match := _PREPARED.fullmatch(key))}


def dataset(name: str, sha256: str) -> str:
    """Returns the key of a prepared data set."""
    return f"{DATASETS}{name}-{sha256[:16]}.npz"


def throughput(name: str) -> str:
    """Returns the key of a measured speed, which forecasts use."""
    return f"{THROUGHPUT}{name}.json"


def look(study: str, digest: str) -> str:
    """Returns the key of the record of one look at a study: at the seeds that have this digest."""
    return f"{folder(LOOKS, study)}{digest}.json"


def look_plan(plan: str, part: str = "plan") -> str:
    """Returns the key of a plan of looks, or of one of its rounds."""
    return f"{LOOKS}plans/{plan}/{part}.json"


def report(run: str, path: str = "index.html") -> str:
    """Returns the key of a file of a run's report."""
    return f"{REPORTS}{run}/{path}"


def committed(keys: Iterable[str]) -> set[str]:
    """Returns the ids of the cells whose commits are among these keys."""
    return {m["cell"] for m in map(_COMMIT.fullmatch, keys) if m}


def progress_of(key: str) -> str | None:
    """Returns the cell whose progress record has this key; None for any other key."""
    return match["cell"] if (match := _PROGRESS.fullmatch(key)) else None


def number_of(key: str) -> int | None:
    """Returns the step of a checkpoint's key, or the number of a lease's; None for any other key."""
    match = _NUMBERED.fullmatch(key)
    return int(match["step"] or match["lease"]) if match else None


def attempt_of(key: str) -> tuple[str, str] | None:
    """Returns the cell's id and the attempt of the key of a failure record or log; None for any other key."""
    match = _ATTEMPT.fullmatch(key)
    return (match["cell"], match["attempt"]) if match else None
