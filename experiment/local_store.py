"""A store in a directory of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from experiment.claim import claim_file
from experiment.errors import InvalidInput, NotFound, Transient, refuse


class LocalStore:
    """A store in a directory: POSIX file system with hard links."""

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self.root = root.expanduser().absolute()
        self.url = str(self.root)
        if create:
            with _named(self.url):
                self.root.mkdir(parents=True, exist_ok=True)
        if not self.root.is_dir():
            raise refuse("the store", self.url, "an existing directory", "check --store, or launch a grid to make it")

    def _path(self, key: str) -> Path:
        path = self.root / key
        if ".." in path.parts or not path.is_relative_to(self.root):
            raise refuse("a key", key, "one inside the store", "report this")
        return path

    def read(self, key: str) -> bytes:
        with _named(f"{self.url}/{key}"):
            return self._path(key).read_bytes()

    def put_once(self, key: str, data: bytes, attempt: str) -> bool:
        with _named(f"{self.url}/{key}"), self._aside(key, data) as aside:
            try:
                os.link(aside, self._path(key))  # unlike a rename, fails if the name is taken
            except FileExistsError:
                return False
            self._sync_folder(key)
            return True

    def put(self, key: str, data: bytes) -> None:
        with _named(f"{self.url}/{key}"), self._aside(key, data) as aside:
            aside.replace(self._path(key))
            self._sync_folder(key)

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        folder = self._path(prefix if prefix.endswith("/") else prefix.rpartition("/")[0])
        found = (Path(here, name) for here, _, names in os.walk(folder) for name in names if not name.startswith("."))
        yield from sorted(k for k in (p.relative_to(self.root).as_posix() for p in found) if k.startswith(prefix))

    def delete(self, key: str) -> None:
        with _named(f"{self.url}/{key}"):
            self._path(key).unlink(missing_ok=True)

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    @contextlib.contextmanager
    def claim(self, cell_id: str) -> Iterator[bool]:
        with _named(f"{self.url}/claims"):
            lock = claim_file(self._path(f"claims/{cell_id}.lock"))
        with lock as held:
            yield held

    @contextlib.contextmanager
    def _aside(self, key: str, data: bytes) -> Iterator[Path]:
        """Yields a durable file beside the key's file, hidden from ``list`` and from globs for results."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        try:
            with aside.open("xb") as file:
                _write_through(file, data)
            yield aside
        finally:
            aside.unlink(missing_ok=True)

    def _sync_folder(self, key: str) -> None:
        folder = os.open(self._path(key).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _write_through(file: IO[bytes], data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


@contextlib.contextmanager
def _named(place: str) -> Iterator[None]:
    """Translates the system's errors about a file."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"{place} does not exist; check the store and the run") from error
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.EAGAIN, errno.ETIMEDOUT):
            raise Transient(f"{place}: {reason}; free space or mend the disk, then launch again") from error
        raise InvalidInput(f"{place} cannot be used: {reason}; choose a --store that you may read and write") from error
