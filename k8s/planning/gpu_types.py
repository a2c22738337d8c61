"""The table of GPU types: speeds and prices that forecasts use before anything was measured."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiment.cell import from_fields
from experiment.errors import InvalidInput, refuse

BUILT_IN = Path(__file__).with_name("gpu_types.toml")


@dataclass(frozen=True, kw_only=True)
class GpuType:
    """A row of the table; ``gpu_types.toml`` explains the columns."""

    speed: float
    on_demand: float
    spot: float
    names: Sequence[str]
    instance: str = ""


def load_gpu_types(own: str = "") -> dict[str, GpuType]:
    """Returns the table of GPU types; the rows of the user's file ``own`` add to the built-in ones or replace them.

    Raises:
        InvalidInput: a file is missing, no TOML, or no such table.
    """
    table: dict[str, GpuType] = {}
    for path in (BUILT_IN, *([Path(own)] if own else [])):
        try:
            rows = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InvalidInput(f"the table of GPU types {path} cannot be read: {error}; correct --gpu-table") from error
        for name, row in rows.items():
            if not isinstance(row, dict):
                allowed = "a table [NAME] with speed, on_demand, spot, names"
                raise refuse(f"row {name} of {path}", row, allowed, "correct it")
            table[name] = from_fields(GpuType, row)
    return table


def gpu_type_of(device: str, table: Mapping[str, GpuType]) -> str | None:
    """Returns the row that has a word of the device's name among its names; None without one. So an A10G is no A10."""
    words = device.replace("-", " ").split()
    return next((kind for kind, row in table.items() if any(n in words for n in row.names)), None)
