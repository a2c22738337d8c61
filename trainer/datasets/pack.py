"""A folder of pictures as the .npz file of a data set: decoded, turned upright, resized and split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiment.errors import InvalidInput, refuse
from experiment.needs import import_packages
from experiment.own_data import LARGEST_SIDE, MOST_CLASSES
from trainer.datasets.npz import encode_arrays, label_type
from trainer.datasets.split import fixed_order

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
TEST_SHARE = 6  # of a class without pictures of its own for the test, every sixth, as MNIST has 10,000 of 70,000
STREAM = 10_000  # of the order by which these are chosen: one stream for each class, unlike those of the splits


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """What a folder of pictures holds.

    Attributes:
        arrays: the four arrays of an .npz file.
        classes: names of the classes, by label.
        unread: pictures that could not be decoded, with the reason.
    """

    arrays: dict[str, np.ndarray]
    classes: tuple[str, ...]
    unread: tuple[str, ...]


def pack_folder(folder: Path, size: int, *, grey: bool = False) -> Packed:
    """Returns the pictures of FOLDER/CLASS/, or of FOLDER/train/CLASS/ and FOLDER/test/CLASS/.

    Args:
        size: height and width in pixels that each picture is resized to.
        grey: whether colours are dropped.

    Raises:
        InvalidInput: the folder has another form, too few classes, or a class without a picture.
    """
    import_packages("trainer", "PIL")
    if isinstance(size, bool) or size % 2 or not 2 <= size <= LARGEST_SIDE:
        raise refuse("--size", size, f"an even number of pixels from 2 to {LARGEST_SIDE}", "correct it")
    if not folder.is_dir():
        raise refuse("--pack", str(folder), "a folder of pictures", "correct the path")
    parts = [folder / part for part in ("train", "test")]
    apart = all(p.is_dir() for p in parts)
    places = parts if apart else [folder]
    classes = tuple(sorted({c.name for p in places for c in p.iterdir() if c.is_dir() and c.name[0] != "."}))
    if not 2 <= len(classes) <= MOST_CLASSES:
        given = f"{folder} has {len(classes)} folders of classes"
        allowed = f"2 to {MOST_CLASSES:,}: FOLDER/CLASS/, or FOLDER/train/CLASS/ and FOLDER/test/CLASS/"
        raise InvalidInput(f"{given}; allowed: {allowed}; make one for each class")
    unread: list[str] = []
    found = [[_read_class(place / c, size, grey, unread) for c in classes] for place in places]
    train, test = found if apart else zip(*map(_split, found[0], range(len(classes))), strict=True)
    arrays = {**_join("train", train, classes), **_join("test", test, classes)}
    return Packed(arrays=arrays, classes=classes, unread=tuple(unread))


def write_packed(packed: Packed, path: Path) -> None:
    """Writes the .npz file, whose bytes depend on the pictures alone.

    Raises:
        InvalidInput: something is there, or it cannot be written.
    """
    if path.exists() or path.suffix != ".npz":
        raise refuse("--out", str(path), "a path that ends in .npz where nothing is", "name another")
    try:
        path.write_bytes(encode_arrays(packed.arrays))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written ({error}); allowed: a folder with room; name another") from error


def _read_class(folder: Path, size: int, grey: bool, unread: list[str]) -> np.ndarray:
    """Returns the pictures in a folder and those below it, (n, size, size, channels), in the order of their names."""
    pictures = list(_decode(folder, size, grey, unread))
    return np.stack(pictures) if pictures else np.empty((0, size, size, 1 if grey else 3), np.uint8)


def _decode(folder: Path, size: int, grey: bool, unread: list[str]) -> Iterator[np.ndarray]:
    from PIL import Image, ImageOps

    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    for path in paths:
        try:
            with Image.open(path) as picture:
                upright = ImageOps.exif_transpose(picture).convert("L" if grey else "RGB")
                pixels = np.asarray(upright.resize((size, size), Image.Resampling.LANCZOS), np.uint8)
            yield pixels.reshape(size, size, -1)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow raises all of these
            unread.append(f"{path}: {error}")


def _split(pictures: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pictures of a class for training and for the test."""
    order = fixed_order(len(pictures), STREAM + label)
    tested = -(-len(pictures) // TEST_SHARE)
    return pictures[np.sort(order[tested:])], pictures[np.sort(order[:tested])]


def _join(
    part: str, by_class: tuple[np.ndarray, ...] | list[np.ndarray], classes: tuple[str, ...]
) -> dict[str, np.ndarray]:
    if empty := [c for c, pictures in zip(classes, by_class, strict=True) if not len(pictures)]:
        given = f"class {empty[0]} has no picture for {'training' if part == 'train' else 'the test'}"
        raise InvalidInput(
            f"{given}; allowed: at least one of {', '.join(sorted(SUFFIXES))}; add some or remove its folder"
        )
    labels = np.repeat(np.arange(len(classes)), [len(p) for p in by_class])
    return {f"x_{part}": np.concatenate(by_class), f"y_{part}": labels.astype(label_type(len(classes)))}
