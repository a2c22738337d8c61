"""Originals in their publishers' formats, packed from arrays: what the downloader meets in these tests."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from tests.trainer.datasets.serving import Site
from trainer.datasets import Overrides, sources

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def mnist(x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> dict[str, bytes]:
    """The four files of MNIST."""
    arrays = {
        "train-images-idx3": x_train,
        "train-labels-idx1": y_train,
        "t10k-images-idx3": x_test,
        "t10k-labels-idx1": y_test,
    }
    return {f"{name}-ubyte.gz": gzip.compress(idx(a), 1) for name, a in arrays.items()}


def cifar10(batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, bytes]:
    """The archive of CIFAR-10's binary version from six batches of images (N, 32, 32, 3) and labels; the last is the test."""
    names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
    files = {"cifar-10-batches-bin/readme.html": b"<html>"}
    for name, (x, y) in zip(names, batches, strict=True):
        rows = np.concatenate([y[:, None], x.transpose(0, 3, 1, 2).reshape(len(y), -1)], axis=1)
        files[f"cifar-10-batches-bin/{name}"] = rows.astype(np.uint8).tobytes()
    return {"cifar-10-binary.tar.gz": tar(files)}


def png(image: np.ndarray) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(image).save(sink, "PNG")
    return sink.getvalue()


def letters(folder: str, x: np.ndarray, y: np.ndarray, corrupt: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members of a notMNIST archive: folders A to J of PNG files, and ``corrupt`` ones by letter/name."""
    files = {
        f"{folder}/{'ABCDEFGHIJ'[label]}/{i:06d}.png": png(image)
        for i, (image, label) in enumerate(zip(x, y, strict=True))
    }
    return files | {f"{folder}/{name}": data for name, data in corrupt.items()}


def tar(files: Mapping[str, bytes], *odd: tarfile.TarInfo) -> bytes:
    """A .tar.gz of files, with odd members after them."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz", compresslevel=1) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in odd:
            archive.addfile(info)
    return sink.getvalue()


def sums(files: Mapping[str, bytes]) -> dict[str, str]:
    """The sha256 by name, as Settings take them."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def made(count: int, shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random images and labels; every class in turn."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape), np.uint8), (np.arange(count) % 10).astype(np.uint8)


def mnist_files(count: int = 60) -> dict[str, bytes]:
    """The four files of an MNIST of made images."""
    (a, b), (c, d) = made(count, (28, 28)), made(20, (28, 28), 1)
    return mnist(a, b, c, d)


def notmnist_files(x: np.ndarray, y: np.ndarray) -> dict[str, bytes]:
    """Both archives of notMNIST with three corrupt files; the first ten letters are the small one's."""
    large = letters("notMNIST_large", x[10:], y[10:], {"A/bad.png": b"", "J/half.png": png(x[0])[:60]})
    small = letters("notMNIST_small", x[:10], y[:10], {"F/bad.png": b"no picture"})
    return {sources.LARGE: tar(large), sources.SMALL: tar(small)}


def served(site: Site, overrides: Overrides, files: Mapping[str, bytes]) -> Overrides:
    """Settings for files of a site, with their checksums, in any number."""
    return replace(overrides, url=site.folder("originals", files), sha256=sums(files), any_count=True)


def npz_arrays(count: int = 7) -> dict[str, np.ndarray]:
    """The four arrays of a prepared file, 8x8."""
    x, y = made(count, (8, 8, 1))
    return {"x_train": x, "y_train": y, "x_test": x[:3], "y_test": y[:3]}
