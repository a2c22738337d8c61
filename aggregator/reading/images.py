"""Reads the prepared data sets of a store, for pictures of them; each file is checked against its manifest."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiment.errors import InvalidInput, NotFound, describe_error
from experiment.prepared import Manifest, read_manifest
from experiment.store import Store


@dataclass(frozen=True, kw_only=True)
class Images:
    """The training images of a data set: uint8, (n, height, width, channels), and their labels (n,), uint8 or uint16."""

    x: NDArray[np.uint8]
    y: NDArray[np.unsignedinteger[Any]]


def read_prepared(store: Store, dataset: str) -> tuple[Manifest, bytes]:
    """Returns the manifest of a prepared data set and its file, checked against the manifest's digest.

    Raises:
        NotFound: the store has no such data set, because its results were copied without it or trained with another store's.
        InvalidInput: the manifest or the file is damaged, or the file is absent.
    """
    manifest = read_manifest(store, dataset)
    if manifest is None:
        raise NotFound(f"{store.url} holds no prepared data set {dataset}; prepare it to see its images")
    try:
        data = store.read(manifest.key)
    except NotFound as error:
        raise InvalidInput(f"{describe_error(error)}; remove its manifest, then prepare {dataset} again") from error
    if hashlib.sha256(data).hexdigest() != manifest.sha256:
        source = f"{store.url}/{manifest.key}"
        raise InvalidInput(
            f"{source} does not have the sha256 of its manifest; remove both, then prepare {dataset} again"
        )
    return manifest, data


def read_images(store: Store, dataset: str) -> Images:
    """Returns the training images of a data set as the store holds it.

    Raises:
        NotFound: the store has no such data set, because its results were copied without it or trained with another store's.
        InvalidInput: the manifest or the file is damaged.
    """
    manifest, data = read_prepared(store, dataset)
    source = f"{store.url}/{manifest.key}"
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            x, y = arrays["x_train"], arrays["y_train"]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{source} is not a prepared data set ({error}); prepare {dataset} again") from error
    shape = manifest.shape
    if x.dtype != np.uint8 or x.size % int(np.prod(shape)) or len(x) != len(y) or not len(x):
        raise InvalidInput(f"{source} holds images of shape {x.shape}; allowed: (n, {shape}); prepare {dataset} again")
    return Images(x=x.reshape(-1, *shape), y=y)
