"""A store in a directory of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from experiment.durable import is_aside, publish_new, replace_file, write_aside
from experiment.errors import ExperimentError, InvalidInput, Misconfigured, NotFound, Transient, refuse
from experiment.folders import check_links, walk_files
from experiment.leaps import drop_nested, pick_keys
from experiment.locks import Lock, lock_first, machine_locks

LATER = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.EAGAIN, errno.ETIMEDOUT})


class LocalStore:
    """A store in a directory: a POSIX file system with hard links, or with renames that fail if the name is taken."""

    def __init__(self, root: Path, *, create: bool = False) -> None:
        with _named(str(root)):
            self.root = root.resolve()
            self.url = str(self.root)
            if create:
                with contextlib.suppress(FileExistsError):
                    self.root.mkdir(parents=True)
            if not _is(stat.S_ISDIR, self.root):
                advice = "check --store, or launch a grid to make it"
                raise refuse("the store", self.url, "an existing directory", advice)
        self.server = f"the file system of {self.url}"

    def read(self, key: str) -> bytes:
        with self._named(key):
            path = self._path(key)
            try:
                return path.read_bytes()
            except FileNotFoundError:
                check_links(path)
                raise

    def read_many(self, keys: Sequence[str]) -> list[bytes]:
        return [self.read(key) for key in keys]

    def put_once(self, key: str, data: bytes, attempt: str) -> bool:
        with self._named(key), write_aside(self._path(key), data) as aside:
            return publish_new(aside, self._path(key))

    def put(self, key: str, data: bytes) -> None:
        with self._named(key), write_aside(self._path(key), data) as aside:
            replace_file(aside, self._path(key))

    def exists(self, key: str) -> bool:
        with self._named(key):
            return _is(stat.S_ISREG, self._path(key))

    def list(self, prefix: str) -> Iterator[str]:
        with self._named(prefix):
            folder = self._path(prefix if prefix.endswith("/") else prefix.rpartition("/")[0])
            found = [path.relative_to(self.root).as_posix() for path in walk_files(folder)]
        yield from sorted(key for key in found if key.startswith(prefix))

    def find(self, prefixes: Iterable[str]) -> Iterator[str]:
        kept = drop_nested(prefixes)
        folders = dict.fromkeys(prefix.rpartition("/")[0] for prefix in kept)
        found = {key for folder in folders for key in self.list(f"{folder}/" if folder else "")}
        yield from pick_keys(sorted(found), kept)

    def delete(self, key: str) -> None:
        with self._named(key):
            self._path(key).unlink(missing_ok=True)

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    @contextlib.contextmanager
    def lock(self, cell_id: str) -> Iterator[Lock | None]:
        name = f"{cell_id}.lock"
        # Where locks/ belongs to another user or has no locks, the folder of this machine is used.
        with lock_first(self._path(f"locks/{name}"), machine_locks(self.url) / name) as lock:
            yield lock

    def _path(self, key: str) -> Path:
        path = self.root / key
        if ".." in PurePosixPath(key).parts or not path.is_relative_to(self.root):
            raise refuse("a key", key, "one inside the store", "report this")
        return path

    def _named(self, key: str) -> contextlib.AbstractContextManager[None]:
        return _named(f"{self.url}/{key}")


def is_missing(root: Path) -> bool:
    """Returns whether there is nothing at the place of a store.

    Raises:
        InvalidInput: the place cannot be looked at, or is a link that leads nowhere.
    """
    with _named(str(root)):
        return not _is(lambda _: True, root)


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    """Returns whether there is a file of that kind. A link that leads nowhere is an error."""
    try:
        return kind(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        check_links(path)
        return False


@contextlib.contextmanager
def _named(place: str) -> Iterator[None]:
    """Translates the system's errors about a file or folder of the store."""
    try:
        yield
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as error:  # the last two: a name that no file can have, links in a circle
        raise _translate(error, place) from error


def _translate(error: Exception, place: str) -> ExperimentError:
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{place} does not exist; check the store and the run")
    if not isinstance(error, OSError):
        return InvalidInput(f"{place} cannot be used: {error}; correct --store")
    reason = error.strerror or str(error)
    if error.errno in LATER:
        return Transient(f"{place}: {reason}; free space or mend the disk, then launch again")
    culprit = _culprit(error)
    where = "" if culprit in ("", place) else f" at {culprit}"
    advice = "choose a --store that you may read and write, or get the rights on this one"
    refused = Misconfigured if isinstance(error, PermissionError) else InvalidInput
    return refused(f"{place} cannot be used: {reason}{where}; {advice}")


def _culprit(error: OSError) -> str:
    """Returns the file or folder that the system refused; the folder where the file is one of our own asides."""
    if error.filename is None:
        return ""
    path = Path(os.fsdecode(error.filename))
    return str(path.parent if is_aside(path) else path)
