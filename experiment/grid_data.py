"""The ``[data.NAME]`` of a grid file: a data set of the user's own, and where its file lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from experiment.bounds import CORRECT
from experiment.errors import refuse
from experiment.own_data import OwnData, check_name
from experiment.urls import names_server


class OwnSource(NamedTuple):
    """A data set of the user's own and where its file lies: a path or a URL; empty: nowhere but in the store."""

    data: OwnData
    place: str = ""

    @classmethod
    def parse(cls, name: str, table: Mapping[str, Any], folder: Path | None) -> OwnSource:
        """Returns what a ``[data.NAME]`` says.

        Args:
            folder: of the grid file, from which a relative path of ``file`` leads.

        Raises:
            InvalidInput: the name or a value is impossible.
        """
        check_name(name)
        places = {key: table[key] for key in ("file", "url") if key in table}
        for key, place in places.items():
            if not isinstance(place, str) or not place or (key == "url" and not names_server(place)):
                allowed = "an http:// or https:// URL" if key == "url" else "a path"
                raise refuse(f"{key} of [data.{name}]", place, allowed, CORRECT)
        if len(places) > 1:
            raise refuse(f"[data.{name}]", "file and url", "one of them", "remove the other")
        data = OwnData.from_dict({k: v for k, v in table.items() if k not in places})
        if "file" in places:
            return cls(data, str((folder or Path()) / Path(places["file"]).expanduser()))
        return cls(data, places.get("url", ""))
