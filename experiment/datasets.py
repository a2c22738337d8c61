"""The data sets: names, shapes and sizes. The trainer fetches and prepares them, the launcher plans with them."""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """One data set as the experiment uses it.

    Attributes:
        shape: (height, width, channels) of one uint8 image.
        train: number of training examples after the split.
        test: number of test examples after the split.
        pooled: whether the original training and test sets are pooled, shuffled once and split again.
        title: the name in tables and figures.
    """

    shape: tuple[int, int, int]
    train: int
    test: int
    pooled: bool
    title: str


DATASETS: dict[str, DatasetInfo] = {
    "digits": DatasetInfo(shape=(8, 8, 1), train=1_437, test=360, pooled=True, title="Digits"),
    "mnist": DatasetInfo(shape=(28, 28, 1), train=60_000, test=10_000, pooled=True, title="MNIST"),
    "cifar10": DatasetInfo(shape=(32, 32, 3), train=50_000, test=10_000, pooled=True, title="CIFAR10"),
    "notmnist": DatasetInfo(shape=(28, 28, 1), train=500_000, test=18_724, pooled=False, title="notMNIST"),
}
