"""Takes a trained member out of a store as a file for phones or servers, and shows that it computes what the store says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from experiment import artifacts, keys, results
from experiment.errors import InvalidInput, NotFound, refuse
from experiment.provenance import read_provenance
from experiment.store import Store
from trainer import datasets
from trainer.arguments import FORMATS
from trainer.model import formats
from trainer.model.metrics import error_rate
from trainer.model.types import Dataset

CALIBRATION = 200  # training images that show the ranges of activations
NEAR = 1e-3  # of logits: what other kernels of the same float32 arithmetic differ by


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained member as its commit names it.

    Attributes:
        data: the content of its ``.keras`` file.
        labels: of the test examples, (n,).
        logits: that are stored, (n, classes) float32.
    """

    cell: str
    member: str
    dataset: str
    sha256: str
    data: bytes
    labels: np.ndarray
    logits: np.ndarray


def convert_member(
    store: Store, cell: str, member: str, form: str, out: Path | None, say: Callable[[str], None]
) -> Path:
    """Writes a member in one of ``FORMATS``, and says its size, what it computes, and how fast; returns its path.

    Args:
        out: the file or folder to make; None: one named after cell and member, in the working directory.

    Raises:
        NotFound: the store has no result of that cell.
        InvalidInput: there is no such member, the store has not the data set that it was trained on, something is damaged,
            ``out`` exists, or the file computes other logits.
    """
    path = out or Path(f"{cell}-{member}{FORMATS[form]}")
    if path.exists():
        raise refuse("--out", str(path), "a path where nothing is", "remove it or name another")
    trained = read_member(store, cell, member)
    data = _load_images(store, trained)
    model = formats.load_member(trained.data)
    ours, theirs = _write(model, form, path, data), formats.run_keras(model)
    logits = formats.compute_logits(ours, data.x_test[: len(trained.labels)])
    try:
        _say_logits(trained, logits, exact=form != "litert-int8", say=say)
    except InvalidInput:
        _remove(path)
        raise
    say(f"{path}: {_size(path):,} bytes; the .keras file has {len(trained.data):,}")
    speeds = [formats.measure_speed(call, data.x_test) for call in (ours, theirs)]
    say(f"one image a call, on one thread: {speeds[0]:,.0f} images/s; the Keras model {speeds[1]:,.0f}")
    return path


def read_member(store: Store, cell: str, member: str) -> Trained:
    """Returns a member of a committed cell with its predictions, checked against the digests that the commit names.

    Raises:
        NotFound: the store has no result of that cell.
        InvalidInput: there is no such member, or something is damaged.
    """
    commit = next((key for key in store.list(keys.RESULTS) if keys.committed([key]) == {cell}), None)
    if commit is None:
        raise NotFound(f"{store.url} holds no result of cell {cell!r}; take an id from python -m k8s.status --run RUN")
    source = f"{store.url}/{commit}"
    epochs = results.from_bytes(store.read(commit), "epochs", source)
    members = epochs["members"][0].as_py().split("+")
    if member not in members:
        raise refuse(f"the member of {cell}", member, ", ".join(members), "name one of them")
    facts = read_provenance(epochs.schema, source)
    predictions, place = artifacts.read_named(store, facts, keys.predictions_of(commit), commit)
    table = results.from_bytes(predictions, "predictions", place, known=epochs.slice(0, 1).to_pylist()[0])
    rows = table.filter(pc.equal(table["model"], member)).sort_by("example")
    return Trained(
        cell=cell,
        member=member,
        dataset=epochs["dataset"][0].as_py(),
        sha256=str(facts.get("dataset_sha256", "")),
        data=artifacts.read_named(store, facts, keys.model(cell, member), commit)[0],
        labels=rows["label"].to_numpy(),
        logits=np.asarray(rows["logits"].combine_chunks().flatten()).reshape(rows.num_rows, -1),
    )


def _load_images(store: Store, trained: Trained) -> Dataset:
    """Returns the data set that the member was trained on.

    Raises:
        InvalidInput: the store holds another one.
    """
    data = datasets.load_dataset(store, trained.dataset)
    if trained.sha256 != data.sha256:
        given = f"{trained.cell} was trained on {trained.dataset} with sha256 {trained.sha256}, the store's has {data.sha256}"
        raise InvalidInput(f"{given}; allowed: the same images; put them back into the store")
    return data


def _write(model: formats.Model, form: str, path: Path, data: Dataset) -> formats.Call:
    """Writes the file or folder and returns the function that it computes.

    Raises:
        InvalidInput: it cannot be written.
    """
    try:
        if form == "savedmodel":
            formats.to_savedmodel(model, path)
            return formats.run_savedmodel(path)
        make, run = _FILES[form]
        path.write_bytes(content := make(model, data))
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be written ({error}); allowed: a folder with room; name another by --out"
        ) from error
    return run(content)


def _quantise(model: formats.Model, data: Dataset) -> bytes:
    return formats.to_litert(model, data.x_train[:CALIBRATION].astype(np.float32))


_FILES: dict[str, tuple[Callable[[formats.Model, Dataset], bytes], Callable[[bytes], formats.Call]]] = {
    "litert": (lambda model, _: formats.to_litert(model), formats.run_litert),
    "litert-int8": (_quantise, formats.run_litert),
    "onnx": (lambda model, _: formats.to_onnx(model), formats.run_onnx),
}  # by format: what makes the content of its file, and what runs it


def _say_logits(trained: Trained, logits: np.ndarray, *, exact: bool, say: Callable[[str], None]) -> None:
    """Says how the logits differ from the stored ones, and the test errors of both.

    Raises:
        InvalidInput: they are not the same, and ought to be.
    """
    largest = float(np.abs(logits - trained.logits).max())
    errors = [100 * error_rate(trained.labels, each) for each in (logits, trained.logits)]
    if not np.isfinite(logits).all() or (exact and largest > NEAR * max(1.0, float(np.abs(trained.logits).max()))):
        given = f"the converted {trained.member} of {trained.cell} gives logits that differ by up to {largest:.2g}"
        raise InvalidInput(f"{given} from the stored ones; allowed: up to {NEAR:g} of the largest; report this")
    change = f"test error {errors[0]:.2f} % ({errors[0] - errors[1]:+.2f} against the stored predictions)"
    say(f"{len(logits):,} test images: logits differ by up to {largest:.2g}; {change}")


def _size(path: Path) -> int:
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
