"""Reads settings: ``cluster.toml``, outranked by the environment (``ENSEMBLES_NAME``), outranked by flags."""

from __future__ import annotations

import argparse
import dataclasses
import tomllib
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

from experiment.errors import InvalidInput, refuse
from k8s.manifests.settings import Settings

DEFAULT_FILE = "cluster.toml"
PREFIX = "ENSEMBLES_"
Parser = argparse.ArgumentParser | argparse._ArgumentGroup
FIELDS = {f.name: f for f in dataclasses.fields(Settings)}


def add_setting_flags(parser: Parser, *names: str, but: Container[str] = ()) -> None:
    """Adds ``--settings`` and a flag for each of these settings; without names for every setting ``but`` some."""
    parser.add_argument("--settings", metavar="FILE", help=f"settings as TOML (./{DEFAULT_FILE} if it is there)")
    for name in names or (n for n in FIELDS if n != "dataset" and n not in but):
        add_setting_flag(parser, name)


def add_setting_flag(parser: Parser, name: str) -> None:
    """Adds the flag of one setting."""
    f = FIELDS[name]
    flag, about = f"--{name.replace('_', '-')}", f"{f.metadata['help']}{_default(f)}".replace("%", "%%")
    if f.type == "bool":
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=about)
    else:
        parser.add_argument(flag, metavar=_METAVARS[str(f.type)], default=None, help=about)


_METAVARS = {"str": "TEXT", "int": "N", "float": "X", "tuple[str, ...]": "A,B", "Mapping[str, str]": "K=V,K=V"}


def _default(f: dataclasses.Field[Any]) -> str:
    return "" if f.default in ("", (), dataclasses.MISSING) or isinstance(f.default, bool) else f" ({f.default})"


def load_settings(arguments: argparse.Namespace, environ: Mapping[str, str], folder: Path = Path()) -> Settings:
    """Returns the settings that file, environment and flags give together.

    Raises:
        InvalidInput: a file is missing or no TOML, a name is unknown, a value is impossible.
    """
    values = _read_file(getattr(arguments, "settings", None), folder)
    for name, f in FIELDS.items():
        if name != "dataset" and PREFIX + name.upper() in environ:
            values[name] = _from_text(name, str(f.type), environ[PREFIX + name.upper()])
        given = getattr(arguments, name, None)
        if name != "dataset" and given is not None:
            values[name] = given if isinstance(given, bool) else _from_text(name, str(f.type), given)
    return Settings(**values)


def _read_file(given: str | None, folder: Path) -> dict[str, Any]:
    path = folder / (given or DEFAULT_FILE)
    if not given and not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        advice = f"check --settings ({error})"
        raise refuse("the settings file", str(path), "a readable UTF-8 TOML file", advice) from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{path} is not TOML: {error}; correct that place") from error
    for name in table:
        if name not in FIELDS:
            raise refuse(f"a setting of {path}", name, ", ".join(FIELDS), "correct its name")
    return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}


_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda t: {"true": True, "1": True, "false": False, "0": False}[t.lower()],
    "tuple[str, ...]": lambda t: tuple(filter(None, t.split(","))),
    "Mapping[str, str]": lambda t: dict(_pair(p) for p in filter(None, t.split(","))),
}
_ALLOWED = {"int": "a whole number", "float": "a number", "bool": "true or false"}


def _from_text(name: str, kind: str, text: str) -> Any:
    try:
        return _READERS[kind](text)
    except (ValueError, KeyError) as error:
        raise refuse(f"setting {name}", text, _ALLOWED.get(kind, "NAME=VALUE,NAME=VALUE"), "correct it") from error


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError(text)
    return key, value
