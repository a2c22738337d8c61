"""Claims: one process of a machine holds a cell until that process ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def claim_file(path: Path) -> Iterator[bool]:
    """Holds a lock file until the block or the process ends. Yields False if another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def machine_claims(url: str) -> Path:
    """Returns the folder of this machine's lock files for a store that has no locks of its own."""
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"collaborative-ensembles-{os.getuid()}" / name
