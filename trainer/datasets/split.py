"""The fixed split of each data set: a pure function of the original examples, the same for every cell and machine.

The order comes from the raw numbers of Philox, a stream that NumPy promises to keep; ``permutation`` may change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiment.datasets import DATASETS, DatasetInfo
from experiment.errors import InvalidInput
from experiment.prepared import SourceFile

SPLIT = 20170531  # the split's own constant, never the seed of a cell
_ALL, _TEST, _LETTER = 0, 1, 2  # streams of Philox; each letter has its own, from _LETTER on


@dataclass(frozen=True, kw_only=True, eq=False)
class Original:
    """A data set as its source has it: images (N, H, W, C) uint8 and labels (N,), uint8 or, beyond 256 classes, uint16.

    Attributes:
        files: records of the files that were read.
        skipped: number of corrupt files left out.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    files: tuple[SourceFile, ...]
    skipped: int = 0


def split_examples(
    name: str, info: DatasetInfo, original: Original, *, any_count: bool = False
) -> dict[str, np.ndarray]:
    """Returns the four arrays of the split, in the sizes of ``info`` or, with ``any_count``, of the source.

    Raises:
        InvalidInput: a shape, label or number of examples is impossible.
    """
    _check(name, info, original)
    return (_pooled if info.pooled else _apart)(name, info, original, any_count)


def fixed_order(count: int, stream: int) -> np.ndarray:
    """Returns a fixed permutation of ``range(count)``."""
    return np.argsort(np.random.Philox(key=[SPLIT, stream]).random_raw(count), kind="stable")


def _check(name: str, info: DatasetInfo, original: Original) -> None:
    for part, x, y in (("train", original.x_train, original.y_train), ("test", original.x_test, original.y_test)):
        if x.shape != (len(y), *info.shape) or y.ndim != 1:
            allowed = f"(N, {', '.join(map(str, info.shape))}) and (N,)"
            raise InvalidInput(
                f"{part} images of {name} have shape {x.shape} and labels {y.shape}; allowed: {allowed}; correct the source"
            )
        if len(y) and y.max() >= info.classes:
            raise InvalidInput(
                f"a {part} label of {name} is {y.max()}; allowed: 0 to {info.classes - 1}; correct the source"
            )


def _pooled(name: str, info: DatasetInfo, original: Original, any_count: bool) -> dict[str, np.ndarray]:
    x = np.concatenate([original.x_train, original.x_test])
    y = np.concatenate([original.y_train, original.y_test])
    train = len(original.y_train) if any_count else info.train
    if not any_count:
        _expect(name, "examples in all", len(y), info.train + info.test)
    shuffled = fixed_order(len(y), _ALL)
    a, b = shuffled[:train], shuffled[train:]
    return _filled(name, x_train=x[a], y_train=y[a], x_test=x[b], y_test=y[b])


def _apart(name: str, info: DatasetInfo, original: Original, any_count: bool) -> dict[str, np.ndarray]:
    """Takes the training examples, of a balanced set as many of each class, and all test examples, in the fixed order."""
    chosen = _balance(name, info, original, any_count) if info.balanced else np.arange(len(original.y_train))
    if not any_count:
        _expect(name, "training examples", len(chosen), info.train)
        _expect(name, "test examples", len(original.y_test), info.test)
    a, b = chosen[fixed_order(len(chosen), _ALL)], fixed_order(len(original.y_test), _TEST)
    return _filled(
        name,
        x_train=original.x_train[a],
        y_train=original.y_train[a],
        x_test=original.x_test[b],
        y_test=original.y_test[b],
    )


def _balance(name: str, info: DatasetInfo, original: Original, any_count: bool) -> np.ndarray:
    """Returns the places of as many training examples of each class, chosen by the fixed permutation."""
    each = info.train // info.classes
    found = np.bincount(original.y_train, minlength=info.classes)
    if any_count:
        each = min(each, int(found.min()))
    elif found.min() < each:
        _expect(name, f"training examples of class {found.argmin()}", int(found.min()), each)
    letters = range(info.classes)
    return np.concatenate(
        [np.flatnonzero(original.y_train == c)[fixed_order(found[c], _LETTER + c)[:each]] for c in letters]
    )


def _filled(name: str, **arrays: np.ndarray) -> dict[str, np.ndarray]:
    if not len(arrays["y_train"]) or not len(arrays["y_test"]):
        raise InvalidInput(
            f"{name} would have an empty training or test set; allowed: at least one example of each; correct the source"
        )
    return arrays


def _expect(name: str, what: str, found: int, expected: int) -> None:
    if found != expected:
        raise InvalidInput(
            f"{name} has {found:,} {what}; allowed: {expected:,}; correct the source"
            + (
                f", or take it as it is with DATASET_{name.upper()}_COUNTS=any"
                if name in DATASETS
                else " or [data.NAME]"
            )
        )
