"""A store's prepared data sets: the manifest says which file each one is, what it was made from and what was left out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from experiment import keys
from experiment.cell import from_fields
from experiment.errors import InvalidInput, NotFound
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
        """Returns the manifest as sealed JSON."""
        return MANIFEST_FORM.to_bytes(dataclasses.asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes, source: str) -> Manifest:
        """Returns the manifest that ``to_bytes`` wrote; ``source`` names the object in errors.

        Raises:
            InvalidInput: damaged, or of another format.
        """
        body = MANIFEST_FORM.from_bytes(data, source)
        files = tuple(from_fields(SourceFile, f) for f in body.pop("source"))
        return from_fields(cls, {**body, "shape": tuple(body["shape"]), "source": files})


def read_manifest(store: Store, name: str) -> Manifest | None:
    """Returns the store's manifest of a data set; None if it has none.

    Raises:
        InvalidInput: it is damaged, of another format, or another data set's.
    """
    key = keys.dataset_manifest(name)
    source = f"{store.url}/{key}"
    try:
        found = Manifest.from_bytes(store.read(key), source)
    except NotFound:
        return None
    if found.name != name or found.key != keys.dataset(name, found.sha256):
        raise InvalidInput(
            f"{source} is the manifest of {found.name} at {found.key}; remove it, then prepare {name} again"
        )
    return found
