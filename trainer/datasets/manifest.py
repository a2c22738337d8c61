"""What a store says of its prepared data set: which file, made from what, with how much left out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from experiment import keys
from experiment.cell import build, refuse
from experiment.errors import InvalidInput, NotFound
from experiment.store import Store

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One original file as it was read.

    Attributes:
        origin: the URL or path it came from.
        size: its bytes.
        sha256: of its bytes, computed here.
    """

    name: str
    origin: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The one prepared file of a data set in a store.

    Attributes:
        sha256: of the whole prepared file.
        key: the prepared file's key.
        train, test: numbers of examples.
        shape: (height, width, channels) of one image.
        source: the original files.
        skipped: corrupt PNG files that were left out.
        created: UTC, ISO 8601.
    """

    name: str
    sha256: str
    key: str
    train: int
    test: int
    shape: tuple[int, int, int]
    source: tuple[SourceFile, ...]
    skipped: int
    created: str

    def to_bytes(self) -> bytes:
        """The manifest as JSON with a digest that makes damage to any part of it visible."""
        body = {"format": FORMAT, **json.loads(json.dumps(dataclasses.asdict(self)))}
        return json.dumps({**body, "manifest_sha256": _digest(body)}, indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes, place: str) -> Manifest:
        """The inverse of ``to_bytes``; ``place`` names the object in errors.

        Raises:
            InvalidInput: damaged, or of another format.
        """
        advice = "remove it, then prepare the data set again"
        try:
            body: dict[str, Any] = json.loads(data)
            digest, form = body.pop("manifest_sha256"), body["format"]
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise InvalidInput(f"{place} is not the manifest of a data set ({error!r}); {advice}") from error
        if digest != _digest(body):
            raise InvalidInput(f"{place} is damaged: its content does not have its digest; {advice}")
        if form != FORMAT:
            raise refuse(f"the format of {place}", form, str(FORMAT), "use the version of the suite that wrote it")
        del body["format"]
        files = tuple(build(SourceFile, f) for f in body.pop("source"))
        return build(cls, {**body, "shape": tuple(body["shape"]), "source": files})


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_manifest(store: Store, name: str) -> Manifest | None:
    """The store's manifest of a data set; None if it has none.

    Raises:
        InvalidInput: it is damaged, of another format, or another data set's.
    """
    key = keys.dataset_manifest(name)
    place = f"{store.url}/{key}"
    try:
        found = Manifest.from_bytes(store.read(key), place)
    except NotFound:
        return None
    if found.name != name or found.key != keys.dataset(name, found.sha256):
        raise InvalidInput(
            f"{place} is the manifest of {found.name} at {found.key}; remove it, then prepare {name} again"
        )
    return found
