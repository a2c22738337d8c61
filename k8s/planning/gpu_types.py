"""The table of GPU types: speeds and prices that forecasts use before anything was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiment.errors import refuse
from experiment.fields import from_fields
from experiment.toml_file import read_toml

BUILT_IN = Path(__file__).with_name("gpu_types.toml")
CPU = "cpu"  # the row of cells without a GPU
SLICE = re.compile(r"\bmig[- ](?P<parts>\d)g\.(?P<gigabytes>\d+)gb", re.IGNORECASE)
SHARED = (
    ".shared"  # how the device plugin names a GPU that several pods use in turns; of how many, the name does not say
)
NUMBERS = ("speed", "on_demand", "spot", "node_minutes", "cell_minutes")


@dataclass(frozen=True, kw_only=True)
class GpuType:
    """A row of the table; ``gpu_types.toml`` explains the columns."""

    speed: float
    on_demand: float
    spot: float
    names: Sequence[str]
    instance: str = ""
    node_minutes: float = 4.0
    cell_minutes: float = 1.0
    offered: bool = True

    def __post_init__(self) -> None:
        for name in NUMBERS:
            value = getattr(self, name)
            least = "above 0" if name == "speed" else "of at least 0"
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not 0 <= value < math.inf or (name == "speed" and not value):
                raise refuse(f"{name} of a type of GPU", value, f"a finite number {least}", "correct --gpu-table")
        if not isinstance(self.names, list) or not all(isinstance(n, str) for n in self.names):
            raise refuse("names of a type of GPU", self.names, "a list of texts", "correct --gpu-table")
        if not isinstance(self.offered, bool):
            raise refuse("offered of a type of GPU", self.offered, "true or false", "correct --gpu-table")


def load_gpu_types(own: str = "") -> dict[str, GpuType]:
    """Returns the table of GPU types; the rows of the user's file ``own`` add to the built-in ones or replace them.

    Raises:
        InvalidInput: a file is missing, is not TOML, or is not such a table.
    """
    table: dict[str, GpuType] = {}
    for path in (BUILT_IN, *([Path(own)] if own else [])):
        rows = read_toml(path, what="the table of GPU types", advice="check --gpu-table")
        for name, row in rows.items():
            if not isinstance(row, dict):
                allowed = "a table [NAME] with speed, on_demand, spot, names"
                raise refuse(f"row {name} of {path}", row, allowed, "correct it")
            table[name] = from_fields(GpuType, row)
    return table


def gpu_type_of(device: str, table: Mapping[str, GpuType]) -> str | None:
    """Returns the row that has a word of the device's name among its names; None without one. An A10G is not an A10."""
    words = device.replace("-", " ").split()
    return next((kind for kind, row in table.items() if any(n in words for n in row.names)), None)


def slice_share(name: str) -> float:
    """Returns the part of a GPU that a resource or a device of this name is: of a MIG slice its compute slices, else 1."""
    found = SLICE.search(name)
    if found is None:
        return 1.0
    parts, gigabytes = int(found["parts"]), int(found["gigabytes"])
    whole = 4 if gigabytes == 6 * parts else 7  # an A30 has 4 slices of 6 GB, all others 7 of another size
    return min(parts / whole, 1.0)
