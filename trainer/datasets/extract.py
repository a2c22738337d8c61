"""Archives, read without trust: member by member into memory, within limits, and nothing is written to disk."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from experiment.errors import InvalidInput

GZIP_MAGIC = b"\x1f\x8b"
SLACK = 1 << 20  # bytes allowed between two members, and bytes of output before the ratio is checked


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of an archive.

    Attributes:
        members: number of entries of any kind.
        member: bytes of one entry.
        total: bytes of the decompressed whole.
        ratio: decompressed bytes per compressed byte.
    """

    members: int
    member: int
    total: int
    ratio: int = 50


def read_packed(path: Path, limits: Limits) -> bytes:
    """Returns the content of a file, which may be packed by gzip whatever its name.

    Raises:
        InvalidInput: it is damaged, or beyond the limits.
    """
    with path.open("rb") as file:
        is_packed, size = file.read(2) == GZIP_MAGIC, path.stat().st_size
    if is_packed:
        return read_gzip(path, limits)
    if size > limits.member:
        raise _refused(path, f"it has {size:,} bytes", f"at most {limits.member:,}")
    return path.read_bytes()


def read_gzip(path: Path, limits: Limits) -> bytes:
    """Returns the content of a .gz file.

    Raises:
        InvalidInput: it is damaged, or beyond the limits.
    """
    with _opened(path, limits) as stream:
        stream.allow(limits.member)
        parts = []
        while data := stream.read(SLACK):
            parts.append(data)
        return b"".join(parts)


def read_tar_members(path: Path, limits: Limits, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yields (name, content) of the wanted regular files of a .tar.gz, in the archive's order.

    Raises:
        InvalidInput: it is damaged, beyond the limits, or has a member that is a link or a device or leads out of it.
    """
    with _opened(path, limits) as stream:
        stream.allow(0)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            count, passed = 0, 0
            while info := _next(archive, stream, passed):
                count += 1
                _vet(path, info, count, limits)
                passed = info.size
                if info.isreg() and wanted(info.name):
                    stream.allow(info.size)
                    yield info.name, _content(archive, info)
                    passed = 0
                archive.members = []  # type: ignore[attr-defined]  # otherwise all headers stay in memory
        while stream.read(1 << 16):  # gzip compares its checksum only at the end
            pass


def _next(archive: tarfile.TarFile, stream: _Stream, passed: int) -> tarfile.TarInfo | None:
    stream.allow(passed)
    return archive.next()


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    member = archive.extractfile(info)
    data = member.read() if member else b""
    if len(data) != info.size:
        raise tarfile.ReadError(f"{info.name} ends early")
    return data


def _vet(path: Path, info: tarfile.TarInfo, count: int, limits: Limits) -> None:
    """Refuses the whole archive if this member is bad, because the same hand packed the others."""
    name = PurePosixPath(info.name)
    plain = info.isdir() or (info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not info.issparse())
    if not plain:
        raise _refused(path, f"member {info.name!r} is a link, a device or sparse", "plain files and folders")
    if name.is_absolute() or ".." in name.parts or "\\" in info.name or "\0" in info.name:
        raise _refused(path, f"member {info.name!r} leads out of the archive", "paths inside it")
    if not 0 <= info.size <= limits.member:
        raise _refused(path, f"member {info.name!r} has {info.size:,} bytes", f"at most {limits.member:,}")
    if count > limits.members:
        raise _refused(path, f"it has more than {limits.members:,} members", f"at most {limits.members:,}")


def _refused(path: Path, what: str, allowed: str) -> InvalidInput:
    return InvalidInput(f"{path} is refused: {what}; allowed: {allowed}; get the original archive")


@contextlib.contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[_Stream]:
    try:
        with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as unpacked:
            yield _Stream(path, raw, unpacked, limits)
    # on some damaged headers, tarfile lets errors of int() and of unpacking escape
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError, IndexError) as error:
        raise InvalidInput(
            f"{path} is damaged ({error}); allowed: the whole original; remove it and get it again"
        ) from error


class _Stream(io.RawIOBase):
    """Decompressed bytes within an allowance, a total and a ratio, which no header in the archive can raise."""

    def __init__(self, path: Path, raw: IO[bytes], unpacked: gzip.GzipFile, limits: Limits) -> None:
        self._path, self._raw, self._unpacked, self._limits = path, raw, unpacked, limits
        self._count = self._allowed = 0

    def allow(self, size: int) -> None:
        """Allows ``size`` more bytes and some slack."""
        self._allowed = self._count + size + SLACK

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._unpacked.read(size)
        self._count += len(data)
        limits = self._limits
        if self._count > limits.total:
            raise _refused(self._path, f"it unpacks to more than {limits.total:,} bytes", f"at most {limits.total:,}")
        if self._count > limits.ratio * self._raw.tell() + SLACK:
            raise _refused(
                self._path, f"it unpacks to more than {limits.ratio} times its size", f"at most {limits.ratio} times"
            )
        if self._count > self._allowed:
            raise _refused(self._path, "it holds more than it says", f"{SLACK:,} bytes between two members")
        return data
