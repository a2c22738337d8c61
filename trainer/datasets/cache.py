"""The user's cache on this machine: one process at a time writes a file, and other processes see it whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from experiment.locks import lock_file


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Returns the user's cache folder; it is in the temporary directory where there is no writable home."""
    base, home = environ.get("XDG_CACHE_HOME"), environ.get("HOME")
    if base and Path(base).is_absolute():
        return Path(base) / "collaborative-ensembles"
    if home and os.access(home, os.W_OK):
        return Path(home) / ".cache" / "collaborative-ensembles"
    return Path(tempfile.gettempdir()) / f"collaborative-ensembles-{os.getuid()}" / "cache"


@contextlib.contextmanager
def wait_for_lock(lock: Path, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Waits for a lock of this machine and holds it until the block or the process ends.

    Raises:
        OSError: the folder of the lock cannot be written.
    """
    while True:
        with lock_file(lock) as held:
            if held:
                yield
                return
        sleep(0.2)


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file and puts it in place in one step.

    Raises:
        OSError: there is no room, or no right to write.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
