"""The prepared data sets of a store, for pictures of them: what their manifest says is checked before it is used."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiment import keys
from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from experiment.store import Store

LARGEST = 600_000_000  # bytes: more than any data set of the suite; a manifest cannot make the report read without end


@dataclass(frozen=True, kw_only=True)
class Images:
    """The training images of a data set: uint8, (n, height, width, channels), and their labels (n,)."""

    x: NDArray[np.uint8]
    y: NDArray[np.uint8]


def read(store: Store, name: str) -> Images:
    """The data set as the store holds it.

    Raises:
        NotFound: the store has none: results that were copied alone, or trained from another store.
        InvalidInput: its manifest or its file is damaged.
    """
    key = keys.dataset_manifest(name)
    try:
        manifest = json.loads(store.read(key))
        place, digest = str(manifest["key"]), str(manifest["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{store.url}/{key} is no manifest of a data set; prepare the data set again") from error
    data = store.read(place)
    source = f"{store.url}/{place}"
    if len(data) > LARGEST or hashlib.sha256(data).hexdigest() != digest:
        raise InvalidInput(
            f"{source} does not have the sha256 of its manifest; remove both and prepare the data set again"
        )
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            x, y = arrays["x_train"], arrays["y_train"]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise InvalidInput(f"{source} is not a prepared data set ({error}); prepare it again") from error
    shape = DATASETS[name].shape
    if x.dtype != np.uint8 or x.size % int(np.prod(shape)) or len(x) != len(y) or not len(x):
        raise InvalidInput(f"{source} holds images of shape {x.shape}; allowed: (n, {shape}); prepare it again")
    return Images(x=x.reshape(-1, *shape), y=y)
