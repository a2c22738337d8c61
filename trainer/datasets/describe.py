"""The ``[data.NAME]`` of a grid file for an .npz file of images: what is in it, and its checksum."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput, refuse
from experiment.own_data import NAME, OwnData
from trainer.datasets.keras_npz import read_array
from trainer.datasets.npy_header import read_array_header
from trainer.datasets.npz import LABELS, UNREADABLE


def describe_file(path: Path) -> OwnData:
    """Returns what a cell says of the data set in a file: shape of its images, number of classes and of examples.

    Raises:
        InvalidInput: it is no .npz of images and labels, or of such that no cell can be trained on.
    """
    if not path.is_file():
        raise refuse("--describe", str(path), "an .npz file", "correct the path")
    try:
        with zipfile.ZipFile(path) as archive:
            shape = _find_shape(archive)
            labels = [read_array(archive, part, LABELS[1]) for part in ("y_train", "y_test")]
    except UNREADABLE as error:
        allowed = "arrays x_train, y_train, x_test, y_test, images (N, height, width, channels) and labels (N,)"
        raise InvalidInput(f"{path} is not a usable .npz ({error}); allowed: {allowed}; correct it") from error
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    classes = 1 + max(int(y.max(initial=0)) for y in labels)
    return OwnData(sha256=digest, shape=shape, classes=classes, train=len(labels[0]), test=len(labels[1]))


def format_block(path: Path, data: OwnData, classes: Sequence[str] = ()) -> str:
    """Returns the TOML of a data set: its table, with the names of its classes as a comment."""
    name = re.sub(r"[^a-z0-9]", "", path.stem.lower())
    if not NAME.fullmatch(name) or name in DATASETS:
        name = f"my{name}"[:20]
    remarks = [f"# {label}: {json.dumps(each, ensure_ascii=False)}" for label, each in enumerate(classes)]
    values = {"file": str(path), **data.as_dict()}
    return "\n".join([f"[data.{name}]", *remarks, *(f"{k} = {json.dumps(v)}" for k, v in values.items())]) + "\n"


def _find_shape(archive: zipfile.ZipFile) -> tuple[int, int, int]:
    """Returns (height, width, channels) of the training images, whatever order the file has them in."""
    part = "x_train.npy" if "x_train.npy" in archive.namelist() else "x_train"
    with archive.open(part) as member:
        shape, _, dtype = read_array_header(member)
    if dtype != np.uint8 and dtype.kind not in "iu":
        raise ValueError(f"x_train is of {dtype}")
    if len(shape) == 3:
        return (shape[1], shape[2], 1)
    if len(shape) != 4 or not {shape[1], shape[3]} & {1, 3}:
        raise ValueError(f"x_train has shape {shape}")
    return (shape[1], shape[2], shape[3]) if shape[3] in (1, 3) else (shape[2], shape[3], shape[1])
