"""TOML files as people have them: in UTF-8, with or without a byte-order mark."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from experiment.errors import InvalidInput, describe_error, refuse


def read_toml(path: Path, *, what: str, advice: str) -> dict[str, Any]:
    """Returns the table in a TOML file.

    Args:
        what: name of the file in errors, such as "the grid file".
        advice: what to do if it cannot be read, such as "check --settings".

    Raises:
        InvalidInput: the file cannot be read, or is not TOML in UTF-8.
    """
    try:
        text = path.expanduser().read_bytes().decode("utf-8-sig")  # editors of Windows begin with a byte-order mark
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or describe_error(error)
        raise refuse(what, str(path), "a readable UTF-8 TOML file", f"{advice} ({reason})") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{path} is not TOML: {describe_error(error)}; correct that place") from error
    except RecursionError as error:
        raise InvalidInput(f"{path} is not TOML of a usable depth; nest fewer arrays and tables") from error
