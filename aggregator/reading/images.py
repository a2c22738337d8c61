"""Reads the prepared data sets of a store, for pictures of them; each file is checked against its manifest."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput, NotFound
from experiment.prepared import read_manifest
from experiment.store import Store


@dataclass(frozen=True, kw_only=True)
class Images:
    """The training images of a data set: uint8, (n, height, width, channels), and their labels (n,)."""

    x: NDArray[np.uint8]
    y: NDArray[np.uint8]


def read_images(store: Store, dataset: str) -> Images:
    """Returns the training images of a data set as the store holds it.

    Raises:
        NotFound: the store has no such data set, because its results were copied without it or trained with another store's.
        InvalidInput: the manifest or the file is damaged.
    """
    manifest = read_manifest(store, dataset)
    if manifest is None:
        raise NotFound(f"{store.url} holds no prepared data set {dataset}; prepare it to see its images")
    source = f"{store.url}/{manifest.key}"
    data = store.read(manifest.key)
    if hashlib.sha256(data).hexdigest() != manifest.sha256:
        raise InvalidInput(
            f"{source} does not have the sha256 of its manifest; remove both, then prepare {dataset} again"
        )
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            x, y = arrays["x_train"], arrays["y_train"]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{source} is not a prepared data set ({error}); prepare {dataset} again") from error
    shape = DATASETS[dataset].shape
    if x.dtype != np.uint8 or x.size % int(np.prod(shape)) or len(x) != len(y) or not len(x):
        raise InvalidInput(f"{source} holds images of shape {x.shape}; allowed: (n, {shape}); prepare {dataset} again")
    return Images(x=x.reshape(-1, *shape), y=y)
