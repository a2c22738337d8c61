"""The original files of each data set, found in the user's directory or downloaded, read into arrays."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from experiment.errors import InvalidInput
from trainer.datasets.foreign import read_npz
from trainer.datasets.manifest import SourceFile
from trainer.datasets.settings import Settings
from trainer.datasets.split import Original


def read_original(name: str, settings: Settings) -> Original:
    """The data set as its source holds it.

    Raises:
        InvalidInput: the source is not the data set, or has another checksum.
        Transient: it cannot be reached.
    """
    if name == "digits":
        return _digits()
    if settings.folder and (path := settings.folder / f"{name}.npz").is_file():
        return _from_npz(name, path)
    raise InvalidInput(f"no source of {name} is given; allowed: DATASETS_DIR with {name}.npz; set it")


def _digits() -> Original:
    import sklearn  # imported here: it takes a second, and only this data set needs it
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x, y = bunch.images.astype(np.uint8)[..., None], bunch.target.astype(np.uint8)
    file = SourceFile(
        name="digits",
        origin=f"scikit-learn {sklearn.__version__}",
        size=x.nbytes + y.nbytes,
        sha256=hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest(),
    )
    return Original(x_train=x, y_train=y, x_test=x[:0], y_test=y[:0], files=(file,))


def _from_npz(name: str, path: Path) -> Original:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    source = SourceFile(name=path.name, origin=f"DATASETS_DIR/{path.name}", size=path.stat().st_size, sha256=digest)
    return Original(**read_npz(name, path), files=(source,))
