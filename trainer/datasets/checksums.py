"""Whether a file is the one that was meant, decided before anything opens it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from experiment.errors import InvalidInput
from experiment.prepared import SourceFile
from trainer.datasets.sources import Remote


def verified(path: Path, file: Remote, origin: str) -> SourceFile:
    """What to record of a file that has the expected size and checksum.

    Raises:
        InvalidInput: it has another.
    """
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        raise wrong(origin, f"{size:,} bytes", f"{file.size:,} bytes", file.name)
    algorithm, _, expected = (file.checksum or "").partition(":")
    digest = _digest(path, "sha256")
    found = digest if algorithm == "sha256" else _digest(path, algorithm) if algorithm else ""
    if found != expected:
        raise wrong(origin, f"{algorithm} {found}", f"{algorithm} {expected}", file.name)
    return SourceFile(name=file.name, origin=origin, size=size, sha256=digest)


def wrong(origin: str, given: str, allowed: str, name: str) -> InvalidInput:
    """The error for a file that is not the one that was meant."""
    return InvalidInput(f"{origin} has {given}; allowed: {allowed}; get the original file, or give the sha256 "
                        f"of yours as DATASET_NAME_SHA256={name}=SHA256")  # fmt: skip


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        # MD5 is what the originals' publishers give; it guards against damage, not against an attacker's file.
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
