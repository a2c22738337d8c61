"""Loading a prepared data set: every byte is verified before use, and the workers of a machine share the memory."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
from pathlib import Path

import numpy as np

from experiment import keys
from experiment.datasets import DATASETS
from experiment.errors import InvalidInput, NotFound, Transient
from experiment.own_data import OwnData
from experiment.prepared import Manifest, check_origin, read_manifest
from experiment.store import Store
from trainer.datasets import npz
from trainer.datasets.cache import cache_folder, wait_for_lock, write_whole
from trainer.model.types import Dataset


def load_dataset(store: Store, name: str, own: OwnData | None = None, *, cache: Path | None = None) -> Dataset:
    """Returns the store's prepared data set, after verifying the whole file.

    A copy of a remote store's file is kept in ``cache`` on this machine, by default in the user's cache folder.

    Args:
        own: what the cell says of a data set of the user's own.

    Raises:
        InvalidInput: the data set is not prepared, damaged, or made from another file than the user's own.
        Transient: the store failed.
    """
    manifest = read_manifest(store, name)
    if manifest is None:
        raise InvalidInput(
            f"{store.url} holds no {name} ({keys.dataset_manifest(name)}); allowed: a prepared data set; "
            f"{_advice(store, name, own)}"
        )
    if own:
        check_origin(manifest, own.sha256, store.url)
    return open_prepared(store, manifest, cache=cache)


def open_prepared(store: Store, manifest: Manifest, *, cache: Path | None = None) -> Dataset:
    """Returns the data set that a manifest describes.

    Raises:
        InvalidInput: its file is missing, unreadable or damaged.
        Transient: the disk or the store failed.
    """
    place = f"{store.url}/{manifest.key}"
    local = store.local_path(manifest.key)
    try:
        buffer = map_verified(local, manifest.sha256) if local else _remote(store, manifest, cache)
    except (FileNotFoundError, NotFound) as error:
        raise InvalidInput(f"{place} is missing; restore it, or {_advice(store, manifest.name)}") from error
    except PermissionError as error:
        raise InvalidInput(f"{place} may not be read; make it readable") from error
    except OSError as error:
        raise Transient(f"{place}: {error.strerror or error}; mend the disk, then launch again") from error
    if buffer is None:
        raise InvalidInput(
            f"{place} is damaged: its content does not have sha256 {manifest.sha256}; restore it, or {_advice(store, manifest.name)}"
        )
    return _checked(npz.decode_arrays(buffer, place), manifest, place)


def map_verified(path: Path, sha256: str) -> mmap.mmap | None:
    """Returns the file mapped into memory, from the same open file that was verified; None if its sha256 is another.

    The mapping is private and writable: TensorFlow takes only writable memory without copying it. A write would stay in
    this process and never reach the file.
    """
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            return None
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _remote(store: Store, manifest: Manifest, cache: Path | None) -> mmap.mmap | bytes | None:
    """Returns the object from a copy on this machine, so that its processes share one download and one set of pages."""
    path = (cache or cache_folder(os.environ)) / "datasets" / Path(manifest.key).name
    if copy := _copy(path, manifest):
        return copy
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(wait_for_lock(path.with_suffix(".lock")))
        except OSError:
            return _read_twice(store, manifest)  # there is no place for a shared copy
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
        return data  # there is no room for a copy


def _read_twice(store: Store, manifest: Manifest) -> bytes | None:
    """Returns the object, read a second time if it was damaged on the way; None if it is damaged in the store."""
    for _ in range(2):
        data = store.read(manifest.key)
        if hashlib.sha256(data).hexdigest() == manifest.sha256:
            return data
    return None


def _advice(store: Store, name: str, own: OwnData | None = None) -> str:
    unknown = own or name not in DATASETS
    return (
        "launch the grid that defines it" if unknown else f"run python -m trainer --prepare {name} --store {store.url}"
    )


def _checked(arrays: dict[str, np.ndarray], manifest: Manifest, place: str) -> Dataset:
    for part, count in (("train", manifest.train), ("test", manifest.test)):
        for name, shape in ((f"x_{part}", (count, *manifest.shape)), (f"y_{part}", (count,))):
            if arrays[name].shape != shape:
                raise InvalidInput(
                    f"{place} has {name} of shape {arrays[name].shape}, but its manifest says {shape}; "
                    "remove the manifest, then prepare the data set again"
                )
    return Dataset(name=manifest.name, sha256=manifest.sha256, **arrays)
