"""Locks on files: one process of a machine holds one until it ends, however it ends. What holds between machines is a lease."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

BOOT = Path("/proc/sys/kernel/random/boot_id")  # of the system that keeps the locks, in a container too


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A lock that this process holds.

    Attributes:
        place: what was locked: a name that no other file of any machine has; empty where nothing could be locked.
    """

    place: str


@contextlib.contextmanager
def lock_file(path: Path) -> Iterator[Lock | None]:
    """Holds a lock file until the block or the process ends. Yields None if another process holds it.

    Raises:
        OSError: the file cannot be opened, or its file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open_lock(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield Lock(place=_place(file))


@contextlib.contextmanager
def lock_first(*paths: Path) -> Iterator[Lock | None]:
    """Holds the first of these lock files that can be locked. Yields None if another process holds it.

    Where none can be locked, nothing is held, as between machines.
    """
    with contextlib.ExitStack() as stack:
        lock: Lock | None = Lock(place="")
        for path in paths:
            with contextlib.suppress(OSError):
                lock = stack.enter_context(lock_file(path))
                break
        yield lock


def machine_locks(url: str) -> Path:
    """Returns the folder of this machine's lock files for a store whose own lock files cannot be used."""
    name = hashlib.sha256(os.fsencode(url)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"collaborative-ensembles-{os.getuid()}" / name


def _open_lock(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except PermissionError:
        return path.open("rb")  # another user's file: a lock needs no right to write


def _place(file: IO[bytes]) -> str:
    try:
        boot = BOOT.read_text().strip()
    except OSError:  # not Linux
        return ""
    found = os.fstat(file.fileno())
    return f"{boot}/{found.st_dev}/{found.st_ino}"
