"""Fields of what comes from a store or a file: whoever may write it may have put anything there."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from experiment.errors import InvalidInput, refuse

T = TypeVar("T")
LARGEST = 2**63  # beyond every count, and small enough for any arithmetic


def check_fields(kind: Any, values: Mapping[str, Any], source: str) -> None:
    """Accepts values of a dataclass's fields, in any number, that are of the annotated types; ``source`` names them in errors.

    Numbers must be finite and within 64 bits. Types that ``_TYPES`` lacks are left to the class itself.

    Raises:
        InvalidInput: a value is of another type.
    """
    for name, (allowed, is_good) in _checks(kind).items():
        if name in values and not is_good(values[name]):
            given = f"{name} of {source} is of another type ({type(values[name]).__name__})"
            raise InvalidInput(f"{given}; allowed: {allowed}; it was not written by this suite: remove it")


def build_checked(kind: type[T], values: Mapping[str, Any], source: str) -> T:
    """Returns the instance of a dataclass whose fields are these values, after ``check_fields``.

    Raises:
        InvalidInput: a value is of another type.
        TypeError: a field is unknown or missing.
    """
    check_fields(kind, values, source)
    return kind(**values)


def from_fields(cls: type[T], fields: Mapping[str, Any]) -> T:
    """Returns an instance of a dataclass with these fields.

    Raises:
        InvalidInput: a field is unknown or missing; the error names it.
    """
    known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    noun = cls.__name__.lower()
    noun = f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
    for name in fields:
        if name not in known:
            raise refuse(f"a setting of {noun}", name, ", ".join(known), "correct its name")
    missing = [n for n, f in known.items() if f.default is dataclasses.MISSING and n not in fields]
    if missing:
        given = ", ".join(fields) or "nothing"
        raise InvalidInput(f"{noun} lacks {', '.join(missing)}; given: {given}; add what is missing")
    return cls(**fields)


@functools.cache
def _checks(kind: Any) -> dict[str, tuple[str, Callable[[Any], bool]]]:
    known = {f.name: str(f.type) for f in dataclasses.fields(kind)}
    return {name: (annotation, _TYPES[annotation]) for name, annotation in known.items() if annotation in _TYPES}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def _is_number(value: Any) -> bool:
    return _is_count(value) or (isinstance(value, float) and math.isfinite(value))


def _is_text_map(value: Any, is_good: Callable[[Any], bool]) -> bool:
    return isinstance(value, Mapping) and all(map(_is_text, value)) and all(map(is_good, value.values()))


_TYPES: dict[str, Callable[[Any], bool]] = {
    "str": _is_text,
    "bool": lambda value: isinstance(value, bool),
    "int": _is_count,
    "int | None": lambda value: value is None or _is_count(value),
    "float": _is_number,
    "tuple[int, int, int]": lambda value: isinstance(value, tuple) and len(value) == 3 and all(map(_is_count, value)),
    "Mapping[str, str]": lambda value: _is_text_map(value, _is_text),
    "Mapping[str, Mapping[str, float]]": lambda value: _is_text_map(value, lambda own: _is_text_map(own, _is_number)),
}
