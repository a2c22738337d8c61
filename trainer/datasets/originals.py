"""The original files of each data set: found in the user's directory or downloaded, then read into arrays."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from experiment.errors import InvalidInput, refuse
from experiment.prepared import SourceFile
from trainer.datasets import npz, parse, sources
from trainer.datasets.checksums import verify_file
from trainer.datasets.download import download_file
from trainer.datasets.extract import Limits, read_gzip, read_tar_members
from trainer.datasets.keras_npz import read_keras_npz
from trainer.datasets.overrides import Overrides
from trainer.datasets.sources import RemoteFile
from trainer.datasets.split import Original

MNIST_LIMITS = Limits(members=1, member=64 << 20, total=66 << 20)  # 47,040,016 bytes of training images
CIFAR10_LIMITS = Limits(members=100, member=64 << 20, total=512 << 20)  # six batches of 30,730,000 bytes
NOTMNIST_LIMITS = Limits(members=1_000_000, member=1 << 20, total=4 << 30)  # about 530,000 files of half a KiB
_BATCHES = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
_TEST_BATCH = "test_batch.bin"

Files = Mapping[str, tuple[Path, SourceFile]]


def find_originals(name: str, overrides: Overrides) -> Files | None:
    """Returns the data set's files in the user's directory, verified; None if there is no directory or it has none of them.

    Raises:
        InvalidInput: the directory does not exist, lacks some of the files, or has different ones.
    """
    folder = overrides.folder
    if folder is None or name not in sources.SOURCES:
        return None
    if not folder.is_dir():
        raise refuse("DATASETS_DIR", str(folder), "an existing directory", "correct it or unset it")
    files = sources.original_files(name, Overrides(sha256=overrides.sha256)) if not _own_npz(name, overrides) else ()
    there = {f.name: p for f in files for p in (folder / name / f.name, folder / f.name) if p.is_file()}
    missing = [f.name for f in files if f.name not in there]
    if files and not missing:
        return {f.name: (there[f.name], verify_file(there[f.name], f, _place(there[f.name]))) for f in files}
    if (path := folder / f"{name}.npz").is_file():
        return {path.name: (path, verify_file(path, _npz_file(name, overrides), _place(path)))}
    if there:
        raise InvalidInput(
            f"DATASETS_DIR ({folder}) lacks {', '.join(missing)} of {name}; "
            f"allowed: all of its files, or {name}.npz, or none of them; add what is missing"
        )
    return None


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
    import sklearn  # takes seconds to import, and only this data set needs it
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
        arrays, skipped = read_keras_npz(name, path), 0
    else:
        arrays, skipped = {"mnist": _mnist, "cifar10": _cifar10, "notmnist": _notmnist}[name](paths)
    x_train, y_train, x_test, y_test = (arrays[part] for part in npz.ARRAYS)
    return Original(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, files=provenance, skipped=skipped)


def _mnist(paths: Mapping[str, Path]) -> tuple[dict[str, np.ndarray], int]:
    def array(file: str, dimensions: int) -> np.ndarray:
        found = parse.parse_idx(read_gzip(paths[file], MNIST_LIMITS), dimensions, str(paths[file]))
        return found[..., None] if dimensions == 3 else found

    return {
        "x_train": array(sources.TRAIN_IMAGES, 3),
        "y_train": array(sources.TRAIN_LABELS, 1),
        "x_test": array(sources.TEST_IMAGES, 3),
        "y_test": array(sources.TEST_LABELS, 1),
    }, 0


def _cifar10(paths: Mapping[str, Path]) -> tuple[dict[str, np.ndarray], int]:
    path = paths[sources.CIFAR10]
    wanted = {*_BATCHES, _TEST_BATCH}
    found = {
        Path(name).name: data for name, data in read_tar_members(path, CIFAR10_LIMITS, lambda n: Path(n).name in wanted)
    }
    if missing := wanted - set(found):
        raise InvalidInput(
            f"{path} lacks {', '.join(sorted(missing))}; allowed: CIFAR-10's binary version; get it again"
        )
    train = [parse.parse_cifar_batch(found[b], f"{path}: {b}") for b in _BATCHES]
    x_test, y_test = parse.parse_cifar_batch(found[_TEST_BATCH], f"{path}: {_TEST_BATCH}")
    x_train, y_train = (np.concatenate(parts) for parts in zip(*train, strict=True))
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}, 0


def _notmnist(paths: Mapping[str, Path]) -> tuple[dict[str, np.ndarray], int]:
    x_train, y_train, a = parse.parse_letters(
        read_tar_members(paths[sources.LARGE], NOTMNIST_LIMITS, parse.is_letter_file)
    )
    x_test, y_test, b = parse.parse_letters(
        read_tar_members(paths[sources.SMALL], NOTMNIST_LIMITS, parse.is_letter_file)
    )
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}, a + b


def _own_npz(name: str, overrides: Overrides) -> bool:
    return f"{name}.npz" in overrides.sha256


def _npz_file(name: str, overrides: Overrides) -> RemoteFile:
    own = overrides.sha256.get(f"{name}.npz")
    return RemoteFile(name=f"{name}.npz", checksum=f"sha256:{own}" if own else None)


def _place(path: Path) -> str:
    return f"DATASETS_DIR/{path.name}"  # manifests are shared: they hold no paths of this machine
