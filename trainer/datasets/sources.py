"""Where the original files are and what they must be, before and after what the user says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from experiment.errors import refuse
from trainer.datasets.overrides import Settings

MOST = 2 << 30  # bytes of a file whose size is not known beforehand


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One file to be had from mirrors, and what is known of it.

    Attributes:
        size: its bytes, where known.
        checksum: ``md5:HEX`` or ``sha256:HEX``, where known.
        urls: from the first to be tried to the last.
    """

    name: str
    size: int | None = None
    checksum: str | None = None
    urls: tuple[str, ...] = ()

    @property
    def most(self) -> int:
        """The bytes after which a download is cut off."""
        return self.size or MOST


@dataclass(frozen=True, kw_only=True)
class Source:
    """The original files of one data set and the folders that serve them all."""

    mirrors: tuple[str, ...]
    files: tuple[Remote, ...]


TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
CIFAR10 = "cifar-10-binary.tar.gz"
LARGE, SMALL = "notMNIST_large.tar.gz", "notMNIST_small.tar.gz"

# The MD5 sums are those of widely used public loaders; none are published for notMNIST.
SOURCES: dict[str, Source] = {
    "mnist": Source(
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        files=(
            Remote(name=TRAIN_IMAGES, size=9_912_422, checksum="md5:f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            Remote(name=TRAIN_LABELS, size=28_881, checksum="md5:d53e105ee54ea40749a09fcbcd1e9432"),
            Remote(name=TEST_IMAGES, size=1_648_877, checksum="md5:9fb629c4189551a2d022fa330f9573f3"),
            Remote(name=TEST_LABELS, size=4_542, checksum="md5:ec29112dd5afa0611ce80d1b7f02629c"),
        ),
    ),
    "cifar10": Source(
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
        ),
        files=(Remote(name=CIFAR10, size=170_052_171, checksum="md5:c32a1d4ab5d03f1284b67883e8d87530"),),
    ),
    "notmnist": Source(
        mirrors=(
            "https://commondatastorage.googleapis.com/books1000/",
            "http://yaroslavvb.com/upload/notMNIST/",
        ),
        files=(Remote(name=LARGE, size=247_336_696), Remote(name=SMALL, size=8_458_043)),
    ),
}


def plan(name: str, settings: Settings) -> tuple[Remote, ...]:
    """The files of a data set with their URLs and checks, the user's settings applied.

    A checksum of the user's takes the place of the known size and checksum; a URL of the user's, of the known mirrors.

    Raises:
        InvalidInput: a checksum for a file that the data set does not have, or an .npz without one.
    """
    if settings.url and urlsplit(settings.url).path.endswith(".npz"):
        return (_npz(name, settings.url, settings),)
    source = SOURCES[name]
    _check_names(name, settings.sha256, [f.name for f in source.files])
    folders = (settings.url,) if settings.url else source.mirrors
    return tuple(
        replace(_expected(file, settings), urls=tuple(_within(folder, file.name) for folder in folders))
        for file in source.files
    )


def _within(url: str, name: str) -> str:
    """The file's URL in a folder that may carry a query, as presigned ones do; a URL of the file itself stays."""
    parts = urlsplit(url)
    if parts.path.endswith(f"/{name}"):
        return url
    return parts._replace(path=f"{parts.path.rstrip('/')}/{name}").geturl()


def _npz(name: str, url: str, settings: Settings) -> Remote:
    file = urlsplit(url).path.rpartition("/")[2]
    _check_names(name, settings.sha256, [file])
    if file not in settings.sha256:
        raise refuse(
            f"DATASET_{name.upper()}_SHA256",
            "",
            f"{file}=SHA256 for a file of your own",
            "set it to the file's sha256sum",
        )
    return replace(_expected(Remote(name=file), settings), urls=(url,))


def _expected(file: Remote, settings: Settings) -> Remote:
    own = settings.sha256.get(file.name)
    return replace(file, size=None, checksum=f"sha256:{own}") if own else file


def _check_names(name: str, given: Iterable[str], allowed: list[str]) -> None:
    for file in given:
        if file not in allowed:
            raise refuse(f"a file in DATASET_{name.upper()}_SHA256", file, ", ".join(allowed), "correct its name")
