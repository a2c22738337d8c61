"""The store of everything: one interface to a directory or an S3 prefix."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote_to_bytes

from experiment import keys
from experiment.errors import ExperimentError, InvalidInput, refuse
from experiment.local_store import LocalStore as LocalStore
from experiment.locks import Lock

# Every other text is a path: a directory's name may hold any character.
SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://|(?P<bare>file|s3):", re.IGNORECASE)
PROBE = b"Each launch tries to write this object again. A store that lets it cannot commit a cell exactly once.\n"


class Store(Protocol):
    """Objects under keys.

    Raises:
        NotFound: the key holds no object.
        InvalidInput: the store refuses the operation, and a retry would not help.
        Transient: the store could not do the operation now.
    """

    url: str
    server: str  # what keeps the objects, as errors name it

    def read(self, key: str) -> bytes:
        """Returns the whole object, verified as far as the store can."""

    def read_many(self, keys: Sequence[str]) -> list[bytes]:
        """Returns what ``read`` returns of each key, in order. It is for tens of small objects.

        A store that has a quicker way reads so first, and an object that does not come costs one request more.
        """

    def put_once(self, key: str, data: bytes, attempt: str) -> bool:
        """Publishes the whole object unless the key exists. Returns whether the key holds this attempt's bytes."""

    def put(self, key: str, data: bytes) -> None:
        """Publishes the whole object and replaces an older one."""

    def exists(self, key: str) -> bool:
        """Returns whether the key holds an object."""

    def list(self, prefix: str) -> Iterator[str]:
        """Yields the keys that begin with ``prefix``, sorted."""

    def find(self, prefixes: Iterable[str]) -> Iterator[str]:
        """Yields the keys that begin with any of the prefixes, sorted, at a cost that other keys do not raise."""

    def delete(self, key: str) -> None:
        """Removes the object if it exists."""

    def local_path(self, key: str) -> Path | None:
        """Returns the path of the object's file if the store is a directory, else None."""

    def lock(self, cell_id: str) -> contextlib.AbstractContextManager[Lock | None]:
        """Holds a cell against the other processes of this machine until the block or the process ends.

        Yields None if one of them holds it. ``experiment.lease`` holds a cell against all processes.
        """


def open_store(url: str, *, create: bool = False) -> Store:
    """Returns the store at a path, ``file://`` URL or ``s3://BUCKET/PREFIX`` URL.

    Raises:
        InvalidInput: the URL has another form, or the directory is missing (unless ``create``) or cannot be used.
    """
    directory = store_directory(url)
    if directory is not None:
        return LocalStore(directory, create=create)
    try:
        from experiment.s3 import S3Store  # boto3 is an extra that only users of S3 need
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in ("boto3", "botocore"):
            raise
        raise refuse("the store", url, "a directory, as boto3 is not installed", "install the extra s3") from error
    return S3Store(url)


def store_directory(url: str) -> Path | None:
    """Returns the directory that a store's URL names, or None for an ``s3://`` URL. Only ``file:`` URLs have escapes.

    Raises:
        InvalidInput: the URL has another form.
    """
    if not url:
        raise refuse("the store", url, "a directory or s3://BUCKET/PREFIX", "give --store one, . for this directory")
    match = SCHEME.match(url)
    scheme = (match["scheme"] or match["bare"]).lower() if match else ""
    if not match:
        return _expand_home(url)
    if scheme == "s3" and match["scheme"]:
        return None
    host, slash, path = url[len("file:") :].removeprefix("//").partition("/")
    known = scheme == "file" and host in ("", "localhost") and slash
    if not known or "?" in path or "#" in path:
        allowed = "a directory, file:///DIRECTORY (with %3F for ? and %23 for #) or s3://BUCKET/PREFIX"
        raise refuse("the store", url, allowed, "correct --store")
    return Path(os.fsdecode(unquote_to_bytes(f"/{path}")))


def _expand_home(path: str) -> Path:
    if not path.startswith("~"):
        return Path(path)  # in ./~x the tilde is a part of the name
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise refuse("the store", path, "~ or ~USER of a user of this machine", "correct --store") from error


def check_conditional_writes(store: Store) -> None:
    """Checks that the store keeps the first of two writes of ``keys.PROBE``. A launch does so before its first write.

    Raises:
        InvalidInput: the store lets a later write replace an earlier one, so that two attempts could both commit.
    """
    if not all(store.put_once(keys.PROBE, PROBE, uuid.uuid4().hex) for _ in range(2)):
        return
    with contextlib.suppress(ExperimentError):  # a probe that stays does no harm
        store.delete(keys.PROBE)
    lacks = f"{store.url} cannot be used: {store.server} let a second write replace the first"
    advice = "use an S3 server that honours If-None-Match (AWS, MinIO, Ceph, R2; update it), or a directory"
    raise InvalidInput(f"{lacks}, so that two attempts could both commit a cell; {advice}")
