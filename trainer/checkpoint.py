"""Checkpoints: each is one safetensors file, written by one put. The newest valid one counts; a damaged one is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from experiment import keys
from experiment.errors import InvalidInput, NotFound, Transient
from experiment.sealed import SHAPELESS
from experiment.store import Store
from trainer.model.types import STATE, Snapshot

_HEADER = (
    "__header__"  # an array of bytes that holds the other fields as JSON: safetensors does not return its metadata
)
LISTINGS = 5  # of checkpoints that another attempt removes


def to_bytes(cell_id: str, snapshot: Snapshot) -> bytes:
    """Returns a cell's snapshot as the content of a file, with a digest by which any damage is noticed."""
    header = {"cell": cell_id} | {name: value for name, value in vars(snapshot).items() if name != "arrays"}
    text = json.dumps({**header, "sha256": _digest(header, snapshot.arrays)})
    return save({**snapshot.arrays, _HEADER: np.frombuffer(text.encode(), np.uint8)})


def from_bytes(data: bytes, cell_id: str, source: str) -> Snapshot:
    """Returns the snapshot that ``to_bytes`` wrote; ``source`` names the file in errors.

    Raises:
        InvalidInput: it is damaged, another cell's, or of a version that kept other fields.
    """
    try:
        arrays = load(data)
        header = json.loads(arrays.pop(_HEADER).tobytes())
        if header.pop("sha256") != _digest(header, arrays) or header.pop("cell") != cell_id:
            raise ValueError("content does not match its header")
        return Snapshot(arrays=arrays, **{**header, "seconds": tuple(header["seconds"])})
    except (SafetensorError, *SHAPELESS) as error:
        raise InvalidInput(f"{source} is not a whole checkpoint of {cell_id} ({error}); remove it") from error


def write_checkpoint(store: Store, cell_id: str, snapshot: Snapshot) -> None:
    """Puts a checkpoint into the store and, once it is durable, removes those of earlier steps."""
    key = keys.checkpoint(cell_id, snapshot.step)
    store.put(key, to_bytes(cell_id, snapshot))
    for old in _keys(store, cell_id):
        if old < key:
            store.delete(old)


def newest_checkpoint(store: Store, cell_id: str, say: Callable[[str], None]) -> Snapshot | None:
    """Returns the newest valid checkpoint of a cell, if it has one; ``say`` is told of each damaged one that is skipped.

    Raises:
        Transient: the store failed, or whatever it lists is removed before it can be read.
    """
    for _ in range(LISTINGS):
        try:
            return _read_newest(store, cell_id, say)
        except NotFound:  # another attempt has put a later one since, or has committed the cell
            continue
    raise Transient(f"the checkpoints of {cell_id} are removed while they are read; launch again later")


def _read_newest(store: Store, cell_id: str, say: Callable[[str], None]) -> Snapshot | None:
    for key in reversed(_keys(store, cell_id)):
        try:
            return from_bytes(store.read(key), cell_id, f"{store.url}/{key}")
        except InvalidInput as error:
            say(f"skipped: {error}")
    return None


def remove_checkpoints(store: Store, cell_id: str) -> None:
    """Removes all checkpoints of a cell."""
    for key in _keys(store, cell_id):
        store.delete(key)


def _keys(store: Store, cell_id: str) -> list[str]:
    return [k for k in store.list(keys.folder(keys.CHECKPOINTS, cell_id)) if keys.number_of(k) is not None]


def _digest(header: Mapping[str, object], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in (*STATE, *sorted(set(arrays) - set(STATE))):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
