"""The data sets: names, shapes and sizes. The trainer fetches and prepares them, the launcher plans with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """One data set as the experiment uses it.

    Attributes:
        shape: (height, width, channels) of one uint8 image.
        train: number of training examples after the split.
        test: number of test examples after the split.
        pooled: whether the original training and test sets are pooled, shuffled once and split again.
        title: the name in tables and figures.
        classes: number of classes; labels are 0 to ``classes`` - 1.
        balanced: whether as many training examples of each class are chosen from the source's.
    """

    shape: tuple[int, int, int]
    train: int
    test: int
    pooled: bool
    title: str
    classes: int = 10
    balanced: bool = False


def _like_mnist(title: str) -> DatasetInfo:
    return DatasetInfo(shape=(28, 28, 1), train=60_000, test=10_000, pooled=True, title=title)


STANDARD = "cifar10standard"  # CIFAR-10 in the split of its publishers, which the author's program kept
DATASETS: dict[str, DatasetInfo] = {
    "digits": DatasetInfo(shape=(8, 8, 1), train=1_437, test=360, pooled=True, title="Digits"),
    "mnist": _like_mnist("MNIST"),
    "cifar10": DatasetInfo(shape=(32, 32, 3), train=50_000, test=10_000, pooled=True, title="CIFAR10"),
    STANDARD: DatasetInfo(shape=(32, 32, 3), train=50_000, test=10_000, pooled=False, title="CIFAR10 standard split"),
    "notmnist": DatasetInfo(
        shape=(28, 28, 1), train=500_000, test=18_724, pooled=False, title="notMNIST", balanced=True
    ),
    "fashionmnist": _like_mnist("Fashion-MNIST"),
    "kmnist": _like_mnist("KMNIST"),
}


def title_of(name: str) -> str:
    """Returns the name of a data set in tables and figures; one of the user's own has its name."""
    return DATASETS[name].title if name in DATASETS else name
