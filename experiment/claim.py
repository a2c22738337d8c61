"""Claims: one process of a machine holds a cell until that process ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def claim_file(path: Path) -> Iterator[bool]:
    """Holds a lock file until the block or the process ends. Yields False if another process holds it.

    Raises:
        OSError: the file cannot be opened, or its file system has no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open_lock(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextlib.contextmanager
def hold_lock(*paths: Path) -> Iterator[bool]:
    """Holds the first of these lock files that can be locked. Yields False if another process holds it.

    Where none can be locked, nothing is held, as between machines: two processes may then train the same cell, and
    ``put_once`` keeps the result of one. This costs time, never a result.
    """
    with contextlib.ExitStack() as stack:
        held = True
        for path in paths:
            with contextlib.suppress(OSError):
                held = stack.enter_context(claim_file(path))
                break
        yield held


def machine_claims(url: str) -> Path:
    """Returns the folder of this machine's lock files for a store whose own lock files cannot be used."""
    name = hashlib.sha256(os.fsencode(url)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"collaborative-ensembles-{os.getuid()}" / name


def _open_lock(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except PermissionError:
        return path.open("rb")  # another user's file: a lock needs no right to write
