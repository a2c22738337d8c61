"""The original files of each data set, downloaded and read into arrays."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from experiment.datasets import DATASETS, STANDARD
from experiment.errors import InvalidInput
from experiment.needs import import_packages
from experiment.prepared import SourceFile
from trainer.datasets import npz, parse, sources
from trainer.datasets.directory import Files
from trainer.datasets.download import download_file
from trainer.datasets.extract import Limits, read_packed, read_tar_members
from trainer.datasets.keras_npz import read_keras_npz
from trainer.datasets.overrides import Overrides
from trainer.datasets.split import Original

MNIST_LIMITS = Limits(members=1, member=64 << 20, total=66 << 20)  # 47,040,016 bytes of training images
CIFAR10_LIMITS = Limits(members=100, member=64 << 20, total=512 << 20)  # six batches of 30,730,000 bytes
NOTMNIST_LIMITS = Limits(members=1_000_000, member=1 << 20, total=4 << 30)  # about 530,000 files of half a KiB


def fetch_originals(name: str, overrides: Overrides, sleep: Callable[[float], None] = time.sleep) -> Files:
    """Returns the data set's files, downloaded into the cache of this machine.

    Raises:
        InvalidInput: no mirror has the right files.
        Transient: the files could not be downloaded, for a reason that may pass.
    """
    folder = overrides.cache / "downloads" / name
    return {f.name: download_file(f, folder, sleep=sleep) for f in sources.original_files(name, overrides)}


def bundled_digits() -> Original:
    """Returns the digits that come with scikit-learn: 8 x 8 pixels of 0 to 16."""
    import_packages("trainer", "sklearn")  # takes seconds, and only this data set needs it
    import sklearn
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


def read_originals(name: str, files: Files) -> Original:
    """Returns the data set, read from its verified files.

    Raises:
        InvalidInput: a file has another format, or is beyond its limits.
    """
    paths = {file: path for file, (path, _) in files.items()}
    provenance = tuple(record for _, record in files.values())
    if len(paths) == 1 and (path := next(iter(paths.values()))).suffix == ".npz":
        arrays, skipped = read_keras_npz(DATASETS[name], path), 0
    else:
        arrays, skipped = READERS[name](paths)
    x_train, y_train, x_test, y_test = (arrays[part] for part in npz.ARRAYS)
    return Original(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, files=provenance, skipped=skipped)


def _mnist(paths: Mapping[str, Path]) -> tuple[dict[str, np.ndarray], int]:
    def array(file: str, dimensions: int) -> np.ndarray:
        found = parse.parse_idx(read_packed(paths[file], MNIST_LIMITS), dimensions, str(paths[file]))
        return found[..., None] if dimensions == 3 else found

    return {
        "x_train": array(sources.TRAIN_IMAGES, 3),
        "y_train": array(sources.TRAIN_LABELS, 1),
        "x_test": array(sources.TEST_IMAGES, 3),
        "y_test": array(sources.TEST_LABELS, 1),
    }, 0


def _cifar10(paths: Mapping[str, Path]) -> tuple[dict[str, np.ndarray], int]:
    if sources.CIFAR10 in paths:
        found, source = _unpack_cifar10(paths[sources.CIFAR10]), str(paths[sources.CIFAR10])
    else:
        found, source = {name: read_packed(path, CIFAR10_LIMITS) for name, path in paths.items()}, "CIFAR-10"
    batches = [parse.parse_cifar_batch(found[name], f"{source}: {name}") for name in sources.CIFAR10_BATCHES]
    *train, (x_test, y_test) = batches
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}, 0


def _unpack_cifar10(path: Path) -> dict[str, bytes]:
    wanted = set(sources.CIFAR10_BATCHES)
    members = read_tar_members(path, CIFAR10_LIMITS, lambda member: Path(member).name in wanted)
    found = {Path(member).name: data for member, data in members}
    if missing := ", ".join(sorted(wanted - set(found))):
        raise InvalidInput(f"{path} lacks {missing}; allowed: CIFAR-10's binary version; get it again")
    return found


def _notmnist(paths: Mapping[str, Path]) -> tuple[dict[str, np.ndarray], int]:
    import_packages("trainer", "PIL")
    x_train, y_train, a = parse.parse_letters(
        read_tar_members(paths[sources.LARGE], NOTMNIST_LIMITS, parse.is_letter_file)
    )
    x_test, y_test, b = parse.parse_letters(
        read_tar_members(paths[sources.SMALL], NOTMNIST_LIMITS, parse.is_letter_file)
    )
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}, a + b


READERS = {
    "mnist": _mnist,
    "cifar10": _cifar10,
    STANDARD: _cifar10,
    "notmnist": _notmnist,
    "fashionmnist": _mnist,
    "kmnist": _mnist,
}  # by data set, what reads its files; three have the format and the file names of MNIST
