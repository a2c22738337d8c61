"""Checks of size and checksum, made before anything else opens a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from experiment.errors import InvalidInput
from experiment.prepared import SourceFile
from trainer.datasets.sources import RemoteFile


def verify_file(path: Path, file: RemoteFile, origin: str) -> SourceFile:
    """Returns the record of a file that has the expected size and checksum.

    Raises:
        InvalidInput: its size or checksum is another.
    """
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        raise wrong_file(origin, f"{size:,} bytes", f"{file.size:,} bytes", file)
    algorithm, _, expected = (file.checksum or "").partition(":")
    digest = _digest(path, "sha256")
    found = digest if algorithm == "sha256" else _digest(path, algorithm) if algorithm else ""
    if found != expected:
        raise wrong_file(origin, f"{algorithm} {found}", f"{algorithm} {expected}", file)
    return SourceFile(name=file.name, origin=origin, size=size, sha256=digest, own=file.own)


def wrong_file(origin: str, given: str, allowed: str, file: RemoteFile) -> InvalidInput:
    """Returns the error about a file with another size or checksum than expected."""
    instead = file.instead or f"set DATASET_NAME_SHA256={file.name}=SHA256"
    return InvalidInput(
        f"{origin} has {given}; allowed: {allowed}; get the original file, or {instead} to use this one"
    )


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        # MD5 is what the publishers of the originals give. It guards against damage, not against an attacker.
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
