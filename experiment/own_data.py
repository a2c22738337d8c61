"""A data set of the user's own, as a grid file describes it: a file of images that the suite does not know by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiment.bounds import CORRECT, check_count
from experiment.datasets import DATASETS, DatasetInfo
from experiment.errors import refuse
from experiment.fields import from_fields

NAME = re.compile(r"[a-z][a-z0-9]{0,19}")  # it stands in ids, keys, partitions of tables and names of Jobs
SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_CLASSES, MOST_EXAMPLES, LARGEST_SIDE = 1_000, 10_000_000, 256


@dataclass(frozen=True, kw_only=True)
class OwnData:
    """What a cell says of its own data set: all that determines its result. Where the file lies does not.

    Attributes:
        sha256: of the .npz file that the data set is prepared from.
        shape: (height, width, channels) of one image.
        classes: number of classes.
        train: number of training examples in the file.
        test: number of test examples in the file.
        pooled: whether both are pooled, shuffled once and split again.

    Raises:
        InvalidInput: a value is impossible.
    """

    sha256: str
    shape: tuple[int, int, int]
    classes: int
    train: int
    test: int
    pooled: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.sha256, str) or not SHA256.fullmatch(self.sha256):
            advice = "take it from python -m trainer --describe FILE"
            raise refuse("sha256 of a [data.NAME]", self.sha256, "64 hexadecimal digits in lower case", advice)
        self._check_shape()
        check_count("classes of a [data.NAME]", self.classes, 2, MOST_CLASSES)
        check_count("train of a [data.NAME]", self.train, 1, MOST_EXAMPLES)
        check_count("test of a [data.NAME]", self.test, 1, MOST_EXAMPLES)
        if not isinstance(self.pooled, bool):
            raise refuse("pooled of a [data.NAME]", self.pooled, "true or false", CORRECT)

    def _check_shape(self) -> None:
        shape = self.shape
        if not isinstance(shape, (list, tuple)) or len(shape) != 3:
            raise refuse("shape of a [data.NAME]", shape, "[height, width, channels]", CORRECT)
        object.__setattr__(self, "shape", tuple(shape))
        for what, side in zip(("height", "width"), shape, strict=False):
            check_count(f"{what} of a [data.NAME]", side, 2, LARGEST_SIDE)
            if side % 2:
                raise refuse(f"{what} of a [data.NAME]", side, "an even number", "crop, pad or resize the images")
        if isinstance(shape[2], bool) or shape[2] not in (1, 3):
            raise refuse("channels of a [data.NAME]", shape[2], "1 or 3", "convert the images")

    @classmethod
    def from_dict(cls, fields: Any) -> OwnData:
        """Returns the data set with these JSON or TOML fields.

        Raises:
            InvalidInput: a field is unknown, missing or has an impossible value.
        """
        if not isinstance(fields, Mapping):
            raise refuse("data of a cell", fields, "what a [data.NAME] holds", CORRECT)
        return from_fields(cls, fields)

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values, as ``from_dict`` takes them."""
        return {**vars(self), "shape": list(self.shape)}

    def describe(self, name: str) -> DatasetInfo:
        """Returns the data set of this name as the experiment uses it."""
        return DatasetInfo(
            shape=self.shape, train=self.train, test=self.test, pooled=self.pooled, title=name, classes=self.classes
        )


def find_info(name: object, own: OwnData | None) -> DatasetInfo:
    """Returns the data set of a name: a known one, or the user's own.

    Raises:
        InvalidInput: there is none of that name, or a data set of one's own takes the name of a known one.
    """
    if own is None:
        if not isinstance(name, str) or name not in DATASETS:
            allowed = f"{', '.join(DATASETS)}, or one that the grid file defines as [data.NAME]"
            raise refuse("dataset", name, allowed, CORRECT)
        return DATASETS[name]
    check_name(name)
    if not isinstance(own, OwnData):
        raise refuse("data of a cell", own, "what a [data.NAME] holds", CORRECT)
    return own.describe(str(name))


def check_name(name: object) -> None:
    """Accepts the name of a data set of one's own.

    Raises:
        InvalidInput: it has another form, or a known data set has it.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in DATASETS:
        allowed = f"a lower-case letter, then up to 19 lower-case letters or digits, none of {', '.join(DATASETS)}"
        raise refuse("the name of a [data.NAME]", name, allowed, "rename it")
