"""From the store to arrays: every byte verified before use, and shared by the workers of a machine."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
from pathlib import Path

import numpy as np

from experiment import keys
from experiment.datasets import DATASETS
from experiment.errors import InvalidInput, NotFound, Transient, refuse
from experiment.prepared import Manifest, read_manifest
from experiment.store import Store
from trainer.datasets import npz
from trainer.datasets.cache import alone, cache_folder, write_whole
from trainer.model.types import Dataset


def load(store: Store, name: str, *, cache: Path | None = None) -> Dataset:
    """The store's prepared data set, verified whole.

    A remote store's file is kept in ``cache`` on this machine; by default that is the user's cache directory.

    Raises:
        InvalidInput: unknown, not prepared, or damaged.
        Transient: the store failed.
    """
    if name not in DATASETS:
        raise refuse("dataset", name, ", ".join(DATASETS), "correct it in the grid")
    manifest = read_manifest(store, name)
    if manifest is None:
        raise InvalidInput(f"{store.url} holds no {name} ({keys.dataset_manifest(name)}); allowed: a prepared data set; "
                           f"run python -m trainer --prepare {name} --store {store.url}")  # fmt: skip
    return open_prepared(store, manifest, cache=cache)


def open_prepared(store: Store, manifest: Manifest, *, cache: Path | None = None) -> Dataset:
    """The data set that a manifest names.

    Raises:
        InvalidInput: its file is missing or damaged.
    """
    place = f"{store.url}/{manifest.key}"
    local = store.local_path(manifest.key)
    try:
        buffer = map_verified(local, manifest.sha256) if local else _remote(store, manifest, cache)
    except (FileNotFoundError, NotFound) as error:
        raise InvalidInput(f"{place} is missing; {_advice(store, manifest)}") from error
    except PermissionError as error:
        raise InvalidInput(f"{place} may not be read; make it readable") from error
    except OSError as error:
        raise Transient(f"{place}: {error.strerror or error}; mend the disk, then launch again") from error
    if buffer is None:
        raise InvalidInput(
            f"{place} is damaged: its content does not have sha256 {manifest.sha256}; {_advice(store, manifest)}"
        )
    return _checked(npz.decode(buffer, place), manifest, place)


def map_verified(path: Path, sha256: str) -> mmap.mmap | None:
    """The file mapped into memory; None if it has another sha256. What is mapped is what was verified.

    Privately, as only what can be written can be handed to TensorFlow without a copy: a write would be this process's own.
    """
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            return None
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _remote(store: Store, manifest: Manifest, cache: Path | None) -> mmap.mmap | bytes | None:
    """The object by way of a copy on this machine, so that its processes share one download and one set of pages."""
    path = (cache or cache_folder(os.environ)) / "datasets" / Path(manifest.key).name
    if copy := _copy(path, manifest):
        return copy
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(alone(path.with_suffix(".lock")))
        except OSError:
            return _read_twice(store, manifest)  # nowhere to share a copy: this process keeps its own
        return _copy(path, manifest) or _fetched(store, manifest, path)


def _copy(path: Path, manifest: Manifest) -> mmap.mmap | None:
    return map_verified(path, manifest.sha256) if path.is_file() else None


def _fetched(store: Store, manifest: Manifest, path: Path) -> mmap.mmap | bytes | None:
    data = _read_twice(store, manifest)
    if data is None:
        return None
    try:
        write_whole(path, data)
        return _copy(path, manifest) or data
    except OSError:
        return data  # no room for a copy


def _read_twice(store: Store, manifest: Manifest) -> bytes | None:
    """The object, read once more if its content is wrong: what was damaged on the way is whole the second time."""
    for _ in range(2):
        data = store.read(manifest.key)
        if hashlib.sha256(data).hexdigest() == manifest.sha256:
            return data
    return None


def _advice(store: Store, manifest: Manifest) -> str:
    return f"restore it, or run python -m trainer --prepare {manifest.name} --store {store.url}"


def _checked(arrays: dict[str, np.ndarray], manifest: Manifest, place: str) -> Dataset:
    shapes = {"x_train": (manifest.train, *manifest.shape), "y_train": (manifest.train,),
              "x_test": (manifest.test, *manifest.shape), "y_test": (manifest.test,)}  # fmt: skip
    for part, shape in shapes.items():
        if arrays[part].shape != shape:
            raise InvalidInput(f"{place} has {part} of shape {arrays[part].shape}, its manifest says {shape}; "
                               "remove the manifest, then prepare the data set again")  # fmt: skip
    return Dataset(name=manifest.name, sha256=manifest.sha256, **arrays)
