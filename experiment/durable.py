"""Files that are published whole or not at all, and survive a power cut once they are published."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from experiment.errors import InvalidInput

AT_FDCWD = -100
RENAME_NOREPLACE = 1
# The errors of a file system that lacks an operation: vfat, exFAT, SMB and many FUSE mounts have no hard links.
UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EMLINK})


@contextlib.contextmanager
def write_aside(path: Path, data: bytes) -> Iterator[Path]:
    """Yields a durable file with the data beside ``path``. Its name begins with a dot, which hides it from listings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with aside.open("xb") as file:
            write_through(file, data)
        yield aside
    finally:
        aside.unlink(missing_ok=True)


def is_aside(path: Path) -> bool:
    """Returns whether the path is one that ``write_aside`` made."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def publish_new(aside: Path, path: Path) -> bool:
    """Gives the file its final name unless that name is taken. Returns whether the name is this file's.

    Raises:
        InvalidInput: the file system cannot refuse a name that is taken.
        OSError: the file cannot be published.
    """
    try:
        os.link(aside, path)  # unlike a rename, a link fails if the name is taken
    except FileExistsError:
        # A network file system may lose the answer to a link that it made, and refuse the repeated request.
        return aside.stat().st_nlink > 1
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        if not rename_new(aside, path):
            return False
    sync_folder(path.parent)
    return True


def replace_file(aside: Path, path: Path) -> None:
    """Gives the file its final name, in place of an older file."""
    aside.replace(path)
    sync_folder(path.parent)


def rename_new(aside: Path, path: Path) -> bool:
    """Renames a file unless the new name is taken, in one step of the system. Returns whether it was renamed.

    Raises:
        InvalidInput: the file system has no such rename.
    """
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    failed = rename is None or rename(AT_FDCWD, os.fsencode(aside), AT_FDCWD, os.fsencode(path), RENAME_NOREPLACE) != 0
    if not failed:
        return True
    number = errno.ENOSYS if rename is None else ctypes.get_errno()
    if number == errno.EEXIST:
        return False
    if number not in UNSUPPORTED:
        raise OSError(number, os.strerror(number), str(path))
    lacks = f"the file system of {path.parent} has neither hard links nor renames that fail if the name is taken"
    advice = "choose a --store on another file system (ext4, xfs, btrfs or NFS) or an s3:// store"
    raise InvalidInput(f"{lacks}: two attempts could both commit a cell; {advice}")


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable, where its file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def write_through(file: IO[bytes], data: bytes) -> None:
    """Writes data and waits until the disk has it."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
