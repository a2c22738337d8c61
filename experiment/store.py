"""The store of everything: one interface to a directory or an S3 prefix."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from experiment.errors import refuse
from experiment.local_store import LocalStore as LocalStore


class Store(Protocol):
    """Objects under keys.

    Raises:
        NotFound: the key holds no object.
        InvalidInput: the store refuses the operation, and a retry would not help.
        Transient: the store could not do the operation now.
    """

    url: str

    def read(self, key: str) -> bytes:
        """Returns the whole object, verified as far as the store can."""

    def put_once(self, key: str, data: bytes, attempt: str) -> bool:
        """Publishes the whole object unless the key exists. Returns whether the key holds this attempt's bytes."""

    def put(self, key: str, data: bytes) -> None:
        """Publishes the whole object and replaces an older one."""

    def exists(self, key: str) -> bool:
        """Returns whether the key holds an object."""

    def list(self, prefix: str) -> Iterator[str]:
        """Yields the keys that begin with ``prefix``, sorted."""

    def delete(self, key: str) -> None:
        """Removes the object if it exists."""

    def local_path(self, key: str) -> Path | None:
        """Returns the path of the object's file if the store is a directory, else None."""

    def claim(self, cell_id: str) -> contextlib.AbstractContextManager[bool]:
        """Holds the cell for this process until the block or the process ends. Yields whether it is held."""


def open_store(url: str, *, create: bool = False) -> Store:
    """Returns the store at a path, ``file://`` URL or ``s3://BUCKET/PREFIX`` URL.

    Raises:
        InvalidInput: the URL has another form, or the directory is missing (unless ``create``) or cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        from experiment.s3 import S3Store  # boto3 is an extra that only users of S3 need

        return S3Store(url)
    if parts.scheme not in ("", "file") or (parts.scheme == "file" and parts.netloc not in ("", "localhost")):
        raise refuse("the store", url, "a directory, file:///DIRECTORY or s3://BUCKET/PREFIX", "correct --store")
    return LocalStore(Path(unquote(parts.path) if parts.scheme else url), create=create)
