"""The form of a grid file: its tables and their content."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from experiment.cell import Cell
from experiment.datasets import DATASETS
from experiment.errors import refuse

TABLES = ("base", "data", "dataset", "member", "product", "exclude", "expect")
SETTINGS = tuple(f.name for f in dataclasses.fields(Cell) if f.name != "data")  # that has tables of its own


def check_form(name: str, table: Mapping[str, Any]) -> None:
    """Checks the form of a grid's TOML table before any of it is used.

    Raises:
        InvalidInput: a table has an unknown name or another form, or names an unknown data set or setting.
    """
    for key in table:
        if key not in TABLES:
            raise refuse(f"a table of grid {name!r}", key, ", ".join(TABLES), "correct its name")
    for key in ("base", "data", "dataset", "member"):
        _require(isinstance(table.get(key, {}), dict), key, table.get(key), "a table", f"write [{key}]")
    for key in ("data", "dataset", "member"):
        for inner, values in table.get(key, {}).items():
            _require(isinstance(values, dict), f"{key}.{inner}", values, "a table", f"write [{key}.{inner}]")
    for key in ("product", "exclude"):
        blocks = table.get(key, [])
        good = isinstance(blocks, list) and all(isinstance(b, dict) for b in blocks)
        _require(good, key, blocks, f"blocks, each begun by [[{key}]]", "write double brackets")
    known = (*DATASETS, *table.get("data", {}))
    for inner in table.get("dataset", {}):
        _require(inner in known, "a [dataset.NAME]", inner, ", ".join(known), "correct its name")
    for place, settings in _blocks(table):
        for key, value in settings.items():
            allowed = "a value, or a list of at least one"
            _require(value != [], f"{key} of {place}", value, allowed, "give a value or remove the setting")
            _require(key != "data", f"data of {place}", value, "a table [data.NAME]", "name it there by dataset = NAME")
    for inner, values in table.get("member", {}).items():
        _require("name" not in values, f"the name in [member.{inner}]", values.get("name"), "none", "leave it out")
    for key in (key for block in table.get("exclude", []) for key in block):
        _require(key in SETTINGS, "a setting of [[exclude]]", key, ", ".join(SETTINGS), "correct its name")


def _blocks(table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields every table of settings with its name in the file."""
    yield "[base]", table.get("base", {})
    for key in ("dataset", "member"):
        yield from ((f"[{key}.{inner}]", values) for inner, values in table.get(key, {}).items())
    for key in ("product", "exclude"):
        yield from ((f"a [[{key}]]", block) for block in table.get(key, []))


def _require(good: bool, what: str, given: object, allowed: str, do: str) -> None:
    if not good:
        raise refuse(what, given, allowed, do)
