"""The mirrors, sizes and checksums of the original files, as known and as the user overrides them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from experiment.datasets import STANDARD
from experiment.errors import refuse
from trainer.datasets.overrides import Overrides

MOST = 2 << 30  # bytes of a file of unknown size


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One original file, where it can be downloaded and how it is checked.

    Attributes:
        size: its bytes, if known.
        checksum: ``md5:HEX`` or ``sha256:HEX``, if known.
        urls: the mirrors in the order in which they are tried.
        unpacked: the content of a .gz file as a file of its own.
        instead: what makes another file right, if not a variable with its checksum.
        own: whether the checksum is the user's: then it may be another file than the publisher's.
    """

    name: str
    size: int | None = None
    checksum: str | None = None
    urls: tuple[str, ...] = ()
    unpacked: RemoteFile | None = None
    instead: str = ""
    own: bool = False

    @property
    def most(self) -> int:
        """The largest number of bytes that is downloaded."""
        return self.size or MOST


@dataclass(frozen=True, kw_only=True)
class Source:
    """The original files of one data set and the folders that serve all of them.

    Attributes:
        contents: the files in the archive, if the data set is one archive.
    """

    mirrors: tuple[str, ...]
    files: tuple[RemoteFile, ...]
    contents: tuple[RemoteFile, ...] = ()

    @property
    def forms(self) -> tuple[tuple[RemoteFile, ...], ...]:
        """The sets of files of which each is the whole data set."""
        return (self.files, self.contents) if self.contents else (self.files,)


TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
CIFAR10 = "cifar-10-binary.tar.gz"
CIFAR10_BATCHES = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
LARGE, SMALL = "notMNIST_large.tar.gz", "notMNIST_small.tar.gz"


# Of training images, training labels, test images and test labels of each data set of 70,000 images in MNIST's format.
IDX_FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
IDX_BYTES = (47_040_016, 60_008, 7_840_016, 10_008)  # unpacked


def _idx(mirrors: tuple[str, ...], packed: Sequence[tuple[int, str]], unpacked: Sequence[str | None]) -> Source:
    """Returns a data set in MNIST's format, from sizes and checksums of its files, and checksums of their contents."""
    files = []
    for name, (size, checksum), bytes_, content in zip(IDX_FILES, packed, IDX_BYTES, unpacked, strict=True):
        inner = RemoteFile(name=name.removesuffix(".gz"), size=bytes_, checksum=content)
        files.append(RemoteFile(name=name, size=size, checksum=checksum, unpacked=inner))
    return Source(mirrors=mirrors, files=tuple(files))


# Widely used loaders give these sums. None are published for notMNIST, and for what is in the files of the others.
SOURCES: dict[str, Source] = {
    "mnist": _idx(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        (
            (9_912_422, "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            (28_881, "md5:d53e105ee54ea40749a09fcbcd1e9432"),
            (1_648_877, "md5:9fb629c4189551a2d022fa330f9573f3"),
            (4_542, "md5:ec29112dd5afa0611ce80d1b7f02629c"),
        ),
        (
            "md5:6bbc9ace898e44ae57da46a324031adb",
            "md5:a25bea736e30d166cdddb491f175f624",
            "md5:2646ac647ad5339dbf082846283269ea",
            "md5:27ae3e4e09519cfbb04c329615203637",
        ),
    ),
    "fashionmnist": _idx(
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        (
            (26_421_880, "sha256:3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29_515, "sha256:a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4_422_102, "sha256:346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5_148, "sha256:67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        (None,) * 4,
    ),
    "kmnist": _idx(
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        (
            (18_165_135, "sha256:51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            (29_497, "sha256:e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            (3_041_136, "sha256:edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            (5_120, "sha256:20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ),
        (None,) * 4,
    ),
    "cifar10": Source(
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
        ),
        files=(RemoteFile(name=CIFAR10, size=170_052_171, checksum="md5:c32a1d4ab5d03f1284b67883e8d87530"),),
        contents=tuple(RemoteFile(name=name, size=30_730_000) for name in CIFAR10_BATCHES),
    ),
    "notmnist": Source(
        mirrors=(
            "https://commondatastorage.googleapis.com/books1000/",
            "http://yaroslavvb.com/upload/notMNIST/",
        ),
        files=(RemoteFile(name=LARGE, size=247_336_696), RemoteFile(name=SMALL, size=8_458_043)),
    ),
}
SOURCES[STANDARD] = SOURCES["cifar10"]


def original_files(name: str, overrides: Overrides) -> tuple[RemoteFile, ...]:
    """Returns the files of a data set with their URLs and checks, after applying the user's overrides.

    The user's checksum replaces the known size and checksum, and the user's URL the known mirrors.

    Raises:
        InvalidInput: a checksum names a file that the data set does not have, or an .npz lacks its checksum.
    """
    if overrides.url and urlsplit(overrides.url).path.endswith(".npz"):
        return (_npz(name, overrides.url, overrides),)
    source = SOURCES[name]
    _check_names(name, overrides.sha256, known_names(name))
    folders = (overrides.url,) if overrides.url else source.mirrors
    return tuple(
        replace(_expected(file, overrides), urls=tuple(_within(folder, file.name) for folder in folders))
        for file in source.files
    )


def known_names(name: str) -> list[str]:
    """Returns the names of the files that hold a data set, packed or not."""
    files = [file for form in SOURCES[name].forms for file in form]
    return [f.name for f in files] + [f.unpacked.name for f in files if f.unpacked]


def _within(url: str, name: str) -> str:
    """Returns the file's URL in a folder, whose URL may have a query as presigned ones do; a URL of the file itself stays."""
    parts = urlsplit(url)
    if parts.path.endswith(f"/{name}"):
        return url
    return parts._replace(path=f"{parts.path.rstrip('/')}/{name}").geturl()


def _npz(name: str, url: str, overrides: Overrides) -> RemoteFile:
    file = urlsplit(url).path.rpartition("/")[2]
    _check_names(name, overrides.sha256, [file])
    if file not in overrides.sha256:
        allowed = f"{file}=SHA256 for a file of your own"
        raise refuse(f"DATASET_{name.upper()}_SHA256", "", allowed, "set it to the file's sha256sum")
    return replace(_expected(RemoteFile(name=file), overrides), urls=(url,))


def _expected(file: RemoteFile, overrides: Overrides) -> RemoteFile:
    own = overrides.sha256.get(file.name)
    return replace(file, size=None, checksum=f"sha256:{own}", unpacked=None, own=True) if own else file


def _check_names(name: str, given: Iterable[str], allowed: list[str]) -> None:
    for file in given:
        if file not in allowed:
            raise refuse(f"a file in DATASET_{name.upper()}_SHA256", file, ", ".join(allowed), "correct its name")
