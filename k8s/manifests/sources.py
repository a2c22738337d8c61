"""Reads settings: ``cluster.toml``, outranked by the environment (``ENSEMBLES_NAME``), outranked by flags."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

from experiment.errors import refuse
from experiment.toml_file import read_toml
from k8s.manifests import setting_rules
from k8s.manifests.aws_environment import find_endpoint, find_region
from k8s.manifests.settings import Settings

DEFAULT_FILE = "cluster.toml"
PREFIX = "ENSEMBLES_"
Parser = argparse.ArgumentParser | argparse._ArgumentGroup
FIELDS = {f.name: f for f in dataclasses.fields(Settings)}
OF_THE_LAUNCHER = (("s3_endpoint", find_endpoint, setting_rules.URL), ("s3_region", find_region, setting_rules.VALUE))


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


_METAVARS = {
    "tuple[int, ...]": "N,N",
    "str": "TEXT",
    "int": "N",
    "float": "X",
    "tuple[str, ...]": "A,B",
    "Mapping[str, str]": "K=V,K=V",
}


def _default(f: dataclasses.Field[Any]) -> str:
    if f.default in ("", (), dataclasses.MISSING) or isinstance(f.default, bool):
        return ""
    return f" ({','.join(map(str, f.default)) if isinstance(f.default, tuple) else f.default})"


def load_settings(arguments: argparse.Namespace, environ: Mapping[str, str], folder: Path = Path()) -> Settings:
    """Returns the settings that file, environment and flags give together; S3 server and region else as the launcher's own.

    Raises:
        InvalidInput: a file is missing or no TOML, a name is unknown, a value is impossible.
    """
    check_environment(environ)
    values = _read_file(getattr(arguments, "settings", None), folder)
    given = {name: given_value(arguments, environ, name) for name in FIELDS if name != "dataset"}
    values |= {name: value for name, value in given.items() if value is not None}
    for name, find, pattern in OF_THE_LAUNCHER:
        own = "" if values.get(name) else find(environ)
        if own and pattern.fullmatch(own):  # what cannot work is refused where the launcher itself uses it
            values[name] = own
    return Settings(**values)


def given_value(arguments: argparse.Namespace, environ: Mapping[str, str], name: str) -> Any:
    """Returns the value that a flag or else a variable gives to a setting; None without either."""
    flag, variable = getattr(arguments, name, None), environ.get(PREFIX + name.upper()) or None
    text = variable if flag is None else flag
    return text if text is None or isinstance(text, bool) else _from_text(name, str(FIELDS[name].type), text)


def check_environment(environ: Mapping[str, str]) -> None:
    """Accepts an environment whose variables ``ENSEMBLES_NAME`` all name settings.

    Raises:
        InvalidInput: one does not; the nearest one is named.
    """
    known = [name.upper() for name in FIELDS if name != "dataset"]
    for variable in environ:
        name = variable.removeprefix(PREFIX)
        if name != variable and name not in known:
            near = difflib.get_close_matches(name.upper(), known, 1)
            advice = f"did you mean {PREFIX}{near[0]}?" if near else "unset it"
            raise refuse("a variable of the environment", variable, f"{PREFIX} with {', '.join(known)}", advice)


def _read_file(given: str | None, folder: Path) -> dict[str, Any]:
    path = folder / (DEFAULT_FILE if given is None else given)
    if given is None and not path.is_file():
        return {}
    table = read_toml(path, what="the settings file", advice="check --settings")
    for name in table:
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, 1)
            advice = f"correct its name: did you mean {near[0]}?" if near else "correct its name"
            raise refuse(f"a setting of {path}", name, ", ".join(FIELDS), advice)
    return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}


_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda t: {"true": True, "1": True, "false": False, "0": False}[t.lower()],
    "tuple[str, ...]": lambda t: tuple(_parts(t)),
    "tuple[int, ...]": lambda t: tuple(map(int, _parts(t))),
    "Mapping[str, str]": lambda t: _table(_parts(t)),
}
_ALLOWED = {
    "tuple[int, ...]": "whole numbers N,N",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}


def _from_text(name: str, kind: str, text: str) -> Any:
    try:
        return _READERS[kind](text)
    except (ValueError, KeyError) as error:
        raise refuse(f"setting {name}", text, _ALLOWED.get(kind, "NAME=VALUE,NAME=VALUE"), "correct it") from error


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _table(parts: list[str]) -> dict[str, str]:
    pairs = [(key.strip(), value.strip()) for key, equals, value in (p.partition("=") for p in parts) if equals]
    if len(dict(pairs)) < len(parts):
        raise ValueError("a part without =, or a name that comes twice")
    return dict(pairs)
