"""The user's own directory of data sets (DATASETS_DIR): finding the files in the layouts that common loaders leave."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiment.datasets import STANDARD
from experiment.errors import InvalidInput, refuse
from experiment.prepared import SourceFile
from trainer.datasets.checksums import verify_file
from trainer.datasets.overrides import Overrides
from trainer.datasets.sources import SOURCES, RemoteFile, known_names

# The folders that are searched, by data set: those of torchvision, MindSpore, the unpacked archives and our own.
FOLDERS = {
    "mnist": ("", "mnist", "MNIST", "MNIST/raw", "mnist/raw", "raw", "MNIST_Data/train", "MNIST_Data/test"),
    "cifar10": (
        "",
        "cifar10",
        "CIFAR10",
        "cifar-10-batches-bin",
        "cifar-10-batches-bin/train",
        "cifar-10-batches-bin/test",
        "cifar10/cifar-10-batches-bin",
        "CIFAR10/cifar-10-batches-bin",
    ),
    "notmnist": ("", "notmnist", "notMNIST"),
    # Their files have the names of MNIST's, so the directory itself is never searched.
    "fashionmnist": ("fashionmnist", "fashion-mnist", "FashionMNIST", "FashionMNIST/raw", "fashion"),
    "kmnist": ("kmnist", "KMNIST", "KMNIST/raw"),
}
FOLDERS[STANDARD] = FOLDERS["cifar10"]
_PICKLED = "is pickled, and reading a pickle runs the code in it"
_UNPACKED = "is an unpacked archive, of which no checksum is known"
# The files and folders that are named rather than passed over, by data set, with the reason why they are not read.
NEVER_READ = {
    "mnist": {"mnist.pkl.gz": _PICKLED, "mnist.pkl": _PICKLED, "processed/training.pt": _PICKLED},
    "cifar10": {
        "cifar-10-python.tar.gz": _PICKLED,
        "cifar-10-batches-py": _PICKLED,
        "cifar-10-batches-py.tar.gz": _PICKLED,
        "cifar-10-batches-py-target": _PICKLED,
        "data_batch_1": _PICKLED,
    },
    "notmnist": {
        "notMNIST.pickle": _PICKLED,
        "notMNIST_large/A.pickle": _PICKLED,
        "notMNIST_large/A": _UNPACKED,
        "notMNIST_small/A": _UNPACKED,
    },
}
NEVER_READ[STANDARD] = NEVER_READ["cifar10"]
Files = Mapping[str, tuple[Path, SourceFile]]  # by name of the original file
_log = logging.getLogger(__name__)


def find_originals(name: str, overrides: Overrides) -> Files | None:
    """Returns the data set's files in the user's directory, verified; None if there is no directory or it has none of them.

    Raises:
        InvalidInput: the directory does not exist, lacks some of the files, or has them in a form that is never read.
    """
    folder = overrides.folder
    if folder is None or name not in SOURCES:
        return None
    if not folder.is_dir():
        raise refuse("DATASETS_DIR", str(folder), "an existing directory", "correct it or unset it")
    places = [folder / inner for inner in FOLDERS.get(name, ("", name))]
    forms = [_locate(form, places) for form in SOURCES[name].forms] if f"{name}.npz" not in overrides.sha256 else []
    for form, found in zip(SOURCES[name].forms, forms, strict=False):
        if len(found) == len(form):
            return {file.name: _verified(file, found[file.name], overrides) for file in form}
    if npz := _locate([RemoteFile(name=f"{name}.npz")], [folder, *places]):
        return {file: _verified(RemoteFile(name=file), path, overrides) for file, path in npz.items()}
    _refuse_unusable(name, folder, places, forms)
    words = "DATASETS_DIR (%s) holds nothing of %s (%s): the files are downloaded instead"
    _log.warning(words, folder, name, ", ".join((f"{name}.npz", *known_names(name))))
    return None


def _locate(form: Sequence[RemoteFile], places: Sequence[Path]) -> dict[str, Path]:
    """Returns the paths of those of the files that are there, by name."""
    found = {}
    for file in form:
        # Some archives unpack a file into a folder of its own name.
        paths = (path for n in _spellings(file) for place in places for path in (place / n, place / n / n))
        if path := next((p for p in paths if p.is_file()), None):
            found[file.name] = path
    return found


def _spellings(file: RemoteFile) -> list[str]:
    names = [file.name, *([file.unpacked.name] if file.unpacked else [])]
    return [*names, *(n.replace("-idx", ".idx") for n in names if "-idx" in n)]


def _verified(file: RemoteFile, path: Path, overrides: Overrides) -> tuple[Path, SourceFile]:
    """Returns the path and its record; a file is packed or unpacked by its size, whatever its name says."""
    name, unpacked = path.name.replace(".idx", "-idx"), file.unpacked
    if own := overrides.sha256.get(path.name) or overrides.sha256.get(name):
        file = RemoteFile(name=name, checksum=f"sha256:{own}", own=True)
    elif unpacked and (name == unpacked.name or path.stat().st_size == unpacked.size):
        file = unpacked
    return path, verify_file(path, file, f"DATASETS_DIR/{path.name}")  # manifests are shared: no paths of this machine


def _refuse_unusable(name: str, folder: Path, places: Sequence[Path], forms: Sequence[Mapping[str, Path]]) -> None:
    found = max(forms, key=len, default={})
    if found:
        form = SOURCES[name].forms[list(forms).index(found)]
        missing = ", ".join(file.name for file in form if file.name not in found)
        allowed = f"all of its files, or {name}.npz, or none of them"
        raise InvalidInput(
            f"DATASETS_DIR ({folder}) lacks {missing} of {name}; allowed: {allowed}; add what is missing"
        )
    for unread, reason in NEVER_READ.get(name, {}).items():
        if path := next((p for place in places if (p := place / unread).exists()), None):
            allowed = f"{name}.npz, {', '.join(file.name for file in SOURCES[name].files)}"
            do = "get one of these, convert it, or remove it from there"
            raise InvalidInput(f"{path} of {name} {reason}; allowed: {allowed}; {do}")
