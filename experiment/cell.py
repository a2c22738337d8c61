"""A cell holds everything that determines one result, and has the id that names this result everywhere."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiment.bounds import CORRECT, check_count, check_number, to_float
from experiment.datasets import DatasetInfo
from experiment.errors import refuse
from experiment.extensions import CHOICES, NEUTRAL, NUMBERS, check_extensions, describe_setting
from experiment.fields import from_fields
from experiment.members import ENSEMBLE, MEMBERS, Member, check_members
from experiment.own_data import OwnData, find_info
from experiment.teachers import DISTILLATION, SHARED, describe_teacher, teacher_settings

NUMERICS = 1  # raised when the trainer's arithmetic changes on purpose: every cell then has another id
COLLABORATIVE_METHODS = ("ce", "l2", "l1")  # the paper's
METHODS = ("single", *COLLABORATIVE_METHODS, "mutual", "consensus", DISTILLATION)
HEADS = ("wide", "plain")
PRECISIONS = ("float32", "bfloat16", "auto")  # auto: the device chooses one of the other two
LONGEST_SLUG = 30  # before the seed in an id
_LATER: dict[str, Any] = {**NEUTRAL, "data": None}  # the fields that take no part in an id while they are neutral


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One ensemble to train. Its settings are checked on construction.

    Raises:
        InvalidInput: a setting is unknown or impossible.
    """

    dataset: str
    method: str
    alpha: float = 0.0
    seed: int = 0
    members: tuple[Member, ...] = (MEMBERS["ST"], MEMBERS["M"])
    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 2.0**-10
    weight_decay: float = 1e-4
    head: str = "wide"
    precision: str = "float32"
    train_examples: int = 0  # 0: all examples; n: the first n of the fixed split, for trials and tests
    test_examples: int = 0
    pairs: str = "chain"  # from here on: the settings of experiment/extensions.py, which says what they mean
    pull: tuple[float, ...] = ()
    temperature: float = 1.0
    alpha_plan: str = "constant"
    stale_epochs: int = 0
    label_smoothing: float = 0.0
    augment: str = "none"
    unlabelled: str = "none"
    unlabelled_share: float = 0.0
    validation_examples: int = 0
    recipe: str = "paper"
    teacher: Cell | None = None
    data: OwnData | None = None  # of a data set that the suite does not know by name

    def __post_init__(self) -> None:
        for name in ("alpha", "learning_rate", "weight_decay", *NUMBERS):  # 1 and 1.0 are one setting, with one id
            object.__setattr__(self, name, to_float(getattr(self, name)))
        if isinstance(self.pull, (list, tuple)):  # JSON and TOML have lists only
            object.__setattr__(self, "pull", tuple(map(to_float, self.pull)))
        find_info(self.dataset, self.data)
        choices = {"method": METHODS, "head": HEADS, "precision": PRECISIONS, **CHOICES}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise refuse(name, getattr(self, name), ", ".join(allowed), CORRECT)
        self._check_numbers()
        check_members(self.members, self.info.shape, self.method, self.dataset)
        check_extensions(self)

    def _check_numbers(self) -> None:
        check_number("alpha", self.alpha, at_least=0)
        if self.method == "single" and self.alpha != 0:
            others = ", ".join(METHODS[1:])
            raise refuse("alpha of method single", self.alpha, "0", f"leave alpha out or choose one of {others}")
        check_number("learning_rate", self.learning_rate, above=0)
        check_number("weight_decay", self.weight_decay, at_least=0)
        info = self.info
        check_count("seed", self.seed, 0, 2**31 - 1)
        check_count("epochs", self.epochs, 1, 100_000)
        check_count("train_examples", self.train_examples, 0, info.train)
        check_count("test_examples", self.test_examples, 0, info.test)
        check_count("batch_size", self.batch_size, 1, self.train_examples or info.train)

    @property
    def info(self) -> DatasetInfo:
        """The data set that the cell is trained on."""
        return find_info(self.dataset, self.data)

    @property
    def member_names(self) -> str:
        """The names of the members, joined by +, as in records and columns."""
        return "+".join(m.name for m in self.members)

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the members and, last, of the ensemble."""
        return (*(m.name for m in self.members), ENSEMBLE)

    @functools.cached_property  # a launch reads it thousands of times, and a frozen cell's id never changes
    def id(self) -> str:
        """A readable slug and 10 hex digits of a digest of ``NUMERICS`` and ``as_dict``.

        It is a DNS label, short enough for every prefix that Kubernetes or the suite puts before it.
        """
        canonical = json.dumps([NUMERICS, self.as_dict()], sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        slug = f"{self.dataset}-{self.method}-{_slug(self.alpha)}"[:LONGEST_SLUG]
        return f"{slug}-s{self.seed}-{digest[:10]}"

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values, as ``Cell.from_dict`` takes them.

        An extension that is neutral is left out: the cell means what it meant before there was such a setting, and all
        that is named by a digest of these values keeps its name.
        """
        return {n: v for n, v in self.all_fields().items() if not self._is_neutral(n)}

    def all_fields(self) -> dict[str, Any]:
        """Returns all fields as JSON values, the neutral ones too."""
        fields = {n: v for n, v in vars(self).items() if n != "id"}  # ``vars`` also holds the cached id
        members, own = [dict(vars(m)) for m in self.members], self.data and self.data.as_dict()
        teacher = self.teacher and teacher_settings(self.teacher)
        return fields | {"members": members, "pull": list(self.pull), "data": own, "teacher": teacher}

    def with_seed(self, seed: int) -> Cell:
        """Returns the cell with another seed, which its teacher has, too."""
        teacher = self.teacher and self.teacher.with_seed(seed)
        return dataclasses.replace(self, seed=seed, teacher=teacher)

    @property
    def extensions_text(self) -> str:
        """The settings beyond the paper's that are not neutral, as ``--only`` takes them: ``pairs=all pull=1+0``."""
        return " ".join(f"{n}={self.describe(n)}" for n in NEUTRAL if not self._is_neutral(n))

    def describe(self, name: str) -> str:
        """Returns a setting beyond the paper's as ``--only`` takes it and tables show it."""
        return describe_teacher(self) if name == "teacher" else describe_setting(getattr(self, name))

    def _is_neutral(self, name: str) -> bool:
        return name in _LATER and bool(getattr(self, name) == _LATER[name])

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Cell:
        """Returns the cell with these JSON fields.

        Raises:
            InvalidInput: a field is unknown, missing or has an impossible value.
        """
        members = tuple(from_fields(Member, m) for m in fields.get("members", ()))
        data = {"data": OwnData.from_dict(fields["data"])} if fields.get("data") is not None else {}
        return from_fields(cls, {**fields, "members": members, **data, **cls._teacher_of(fields)})

    @classmethod
    def _teacher_of(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        given = fields.get("teacher")
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise refuse("teacher", given, "a table of settings", CORRECT)
        return {"teacher": cls.from_dict({**given, **{n: fields[n] for n in SHARED if n in fields}})}


def _slug(alpha: float) -> str:
    return f"{alpha:.6g}".replace(".", "p").replace("-", "m").replace("+", "")
