"""A data set of the user's own: its .npz file, found where the grid file says it lies, verified and read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from experiment.errors import refuse
from experiment.grid_data import OwnSource
from experiment.prepared import SourceFile
from experiment.urls import names_server
from trainer.datasets.checksums import verify_file
from trainer.datasets.download import download_file
from trainer.datasets.keras_npz import read_keras_npz
from trainer.datasets.npz import ARRAYS
from trainer.datasets.sources import RemoteFile
from trainer.datasets.split import Original


def read_own(name: str, own: OwnSource, folder: Path, sleep: Callable[[float], None] = time.sleep) -> Original:
    """Returns the data set in the user's file.

    Args:
        folder: for a download.

    Raises:
        InvalidInput: the file is absent, has another checksum, shape, label or format.
        Transient: it could not be downloaded, for a reason that may pass.
    """
    path, record = _find_file(name, own, folder, sleep)
    arrays = read_keras_npz(own.data.describe(name), path)
    x_train, y_train, x_test, y_test = (arrays[part] for part in ARRAYS)
    return Original(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, files=(record,))


def _find_file(name: str, own: OwnSource, folder: Path, sleep: Callable[[float], None]) -> tuple[Path, SourceFile]:
    expected = RemoteFile(
        name=f"{name}.npz",
        checksum=f"sha256:{own.data.sha256}",
        urls=(own.place,),
        instead=f"correct sha256 in [data.{name}]",
    )
    if names_server(own.place):
        return download_file(expected, folder, sleep=sleep)
    path = Path(own.place)
    if not own.place or not path.is_file():
        allowed = "an .npz file on this machine, or its url"
        raise refuse(f"file of [data.{name}]", own.place or None, allowed, "correct it in the grid file")
    return path, verify_file(path, expected, path.name)  # manifests are shared: no paths of this machine
