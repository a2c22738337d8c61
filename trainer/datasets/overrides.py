"""The user's own sources of data sets, read from environment variables."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from experiment.datasets import DATASETS
from experiment.errors import refuse
from experiment.urls import names_server
from trainer.datasets.cache import cache_folder

KINDS = ("URL", "SHA256", "COUNTS")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """The user's own sources of one data set, in place of its known mirrors.

    Attributes:
        folder: a directory with the original files, or NAME.npz in the layout of Keras' mnist.npz (``DATASETS_DIR``).
        url: a folder that serves the original files, or the URL of the only file or of an .npz (``DATASET_NAME_URL``).
        sha256: checksums by file name, in place of the known ones (``DATASET_NAME_SHA256``).
        any_count: whether to accept another number of examples than the experiment's (``DATASET_NAME_COUNTS=any``).
        cache: the folder for downloads and for copies of a remote store's data sets (``XDG_CACHE_HOME``).
    """

    folder: Path | None = None
    url: str | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    any_count: bool = False
    cache: Path = field(default_factory=lambda: cache_folder(os.environ))

    @classmethod
    def from_environment(cls, name: str, environ: Mapping[str, str]) -> Overrides:
        """Returns the user's sources of one data set.

        Raises:
            InvalidInput: a variable has an impossible value.
        """
        prefix = f"DATASET_{name.upper()}_"
        url, counts = environ.get(f"{prefix}URL") or None, environ.get(f"{prefix}COUNTS", "")
        if url and not names_server(url):
            allowed = "an http:// or https:// URL of ASCII without blanks"
            raise refuse(f"{prefix}URL", url, allowed, "correct it; for local files set DATASETS_DIR")
        if url and "@" in urlsplit(url).netloc:
            raise refuse(
                f"{prefix}URL",
                public_url(url),
                "a URL without user and password",
                "use a presigned URL, or DATASETS_DIR",
            )
        if counts not in ("", "any"):
            raise refuse(f"{prefix}COUNTS", counts, "any, or not set", "correct it")
        return cls(
            folder=_folder(environ.get("DATASETS_DIR")),
            url=url,
            sha256=_checksums(f"{prefix}SHA256", environ.get(f"{prefix}SHA256", "")),
            any_count=counts == "any",
            cache=cache_folder(environ),
        )


def _folder(given: str | None) -> Path | None:
    try:
        return Path(given).expanduser() if given else None
    except RuntimeError as error:
        allowed = "a directory; ~ or ~USER of a user of this machine"
        raise refuse("DATASETS_DIR", given, allowed, "correct it or unset it") from error


def find_misspelt(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns by name the variables that are nearly one of these, and which: DATASET_ is not ours alone, so none is refused."""
    known = ["DATASETS_DIR", *(f"DATASET_{name.upper()}_{kind}" for name in DATASETS for kind in KINDS)]
    given = sorted(v for v in environ if v.startswith("DATASET") and v not in known)
    near = {variable: difflib.get_close_matches(variable, known, 1, cutoff=0.85) for variable in given}
    return {variable: found[0] for variable, found in near.items() if found}


def public_url(url: str) -> str:
    """Returns the URL without user, password, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _checksums(variable: str, text: str) -> dict[str, str]:
    """Returns checksums by file name from ``FILE=HEX`` pairs, which spaces or commas separate."""
    pairs = [item.rpartition("=") for item in text.replace(",", " ").split()]
    for file, _, value in pairs:
        if not file or not _SHA256.fullmatch(value.lower()):
            raise refuse(
                variable, text, "FILE=SHA256 pairs, separated by spaces", "write 64 hexadecimal digits per file"
            )
    return {file: value.lower() for file, _, value in pairs}
