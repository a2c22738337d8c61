"""Reads the TOML files of a user: settings and tables of GPU types. A byte-order mark, as some editors write it, is no part of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from experiment.errors import InvalidInput, refuse


def read_toml(path: Path, what: str, flag: str) -> dict[str, Any]:
    """Returns the table in a file; ``what`` and ``flag`` name it in errors.

    Raises:
        InvalidInput: the file cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(what, str(path), "a readable UTF-8 TOML file", f"check {flag} ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{path} is not TOML: {error}; correct that place") from error
