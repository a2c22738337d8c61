"""Prepared data sets: a manifest names the file of a data set, its sources and what was left out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from experiment import keys
from experiment.errors import InvalidInput, NotFound
from experiment.fields import check_fields, from_fields
from experiment.sealed import SealedForm
from experiment.store import Store

MANIFEST_FORM = SealedForm(
    what="the manifest of a data set",
    schema=1,
    advice="remove it, then prepare the data set again",
    schema_field="format",
    digest_field="manifest_sha256",
)


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One original file as it was read.

    Attributes:
        origin: the URL or path of the file.
        size: number of bytes.
        sha256: digest of the bytes, computed by this suite.
        own: whether the user's checksum took the place of the known one, if one is known.
    """

    name: str
    origin: str
    size: int
    sha256: str
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The prepared file of a data set in a store.

    Attributes:
        sha256: digest of the whole prepared file.
        key: the prepared file's key.
        train, test: numbers of examples.
        shape: (height, width, channels) of one image.
        source: the original files.
        skipped: number of corrupt PNG files that were left out.
        created: time in UTC, ISO 8601.
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

    @property
    def own_files(self) -> list[str]:
        """The names of source files that need not be the publisher's: the user's, and any .npz, which none publishes."""
        return [file.name for file in self.source if file.own or file.name.endswith(".npz")]

    def to_bytes(self) -> bytes:
        """Returns the manifest as sealed JSON."""
        return MANIFEST_FORM.to_bytes(dataclasses.asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Manifest:
        """Returns the manifest that ``to_bytes`` wrote; ``source`` names the object in errors.

        Raises:
            InvalidInput: the manifest is damaged or of another format.
        """

        def build(body: dict[str, Any]) -> Manifest:
            files = tuple(from_fields(SourceFile, f) for f in body.pop("source"))
            made = from_fields(cls, {**body, "shape": tuple(body["shape"]), "source": files})
            for part in (made, *files):
                check_fields(type(part), vars(part), source)
            return made

        return MANIFEST_FORM.parse(data, source, build)


def read_manifest(store: Store, name: str) -> Manifest | None:
    """Returns the manifest of a data set, or None if the store has none.

    Raises:
        InvalidInput: the manifest is damaged, of another format, or of another data set.
    """
    key = keys.dataset_manifest(name)
    source = f"{store.url}/{key}"
    try:
        found = Manifest.from_bytes(store.read(key), source)
    except NotFound:
        return None
    if found.name != name or found.key != keys.dataset(name, found.sha256):
        given = f"{source} is the manifest of {found.name} at {found.key}"
        raise InvalidInput(f"{given}; remove it, then prepare {name} again")
    return found


def check_origin(manifest: Manifest, sha256: str, place: str) -> None:
    """Accepts a prepared data set that was made from the file with this sha256.

    Args:
        place: the store, for the error.

    Raises:
        InvalidInput: another file of this name was prepared there.
    """
    found = [file.sha256 for file in manifest.source]
    if found != [sha256]:
        given = f"{place} holds a {manifest.name} made from sha256 {', '.join(found)}, the grid's has {sha256}"
        raise InvalidInput(f"{given}; allowed: one file for each name in a store; rename the [data.{manifest.name}]")
