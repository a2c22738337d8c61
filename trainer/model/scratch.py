"""Files that a library can only write to a path: in a temporary folder, whose faults are named."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Iterator
from pathlib import Path

from experiment.errors import InvalidInput, Transient

_MAY_PASS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@contextlib.contextmanager
def scratch_file(name: str) -> Iterator[Path]:
    """Yields a path of this name in a new temporary folder, which is removed at the end.

    Raises:
        InvalidInput: there is no temporary folder that can be written.
        Transient: there is no room in it, or its disk failed.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / name
    except OSError as error:
        kind = Transient if error.errno in _MAY_PASS else InvalidInput
        allowed = "a temporary folder that can be written, with room"
        raise kind(f"{name} cannot be written ({error}); allowed: {allowed}; set TMPDIR to one") from error
