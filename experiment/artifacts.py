"""The artifacts of a cell, its predictions and models: the commit names each by key and digest, and readers follow it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiment import keys
from experiment.errors import InvalidInput, NotFound
from experiment.store import Store

FIELD = "artifacts"  # of the provenance in epochs.parquet: digests by key
MEND = "restore it from a copy, or remove {commit} and launch its run again"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One artifact of a committed cell.

    Attributes:
        key: where it lies.
        sha256: digest of its bytes; empty if its cell was committed before commits named digests.
        commit: the key of the commit that it belongs to.
    """

    key: str
    sha256: str
    commit: str


def compute_digest(data: bytes) -> str:
    """Returns the digest by which a commit names an artifact: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def name_artifacts(digests: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Returns what a commit's provenance says of its artifacts, given their digests by key."""
    return {FIELD: dict(sorted(digests.items()))}


def are_named(provenance: Mapping[str, Any]) -> bool:
    """Returns whether a commit names its artifacts; those of older versions do not."""
    return FIELD in provenance


def list_artifacts(provenance: Mapping[str, Any], commit: str, source: str) -> dict[str, Artifact]:
    """Returns the artifacts that a commit names, by usual key; none if it names none.

    Args:
        provenance: what the commit's file says of its origin.
        commit: the commit's key; ``source`` names it in errors.

    Raises:
        InvalidInput: what is named is no artifact of the cell, or named twice, or has no digest.
    """
    named = provenance.get(FIELD, {})
    found: dict[str, Artifact] = {}
    for key, sha256 in named.items() if isinstance(named, dict) else [("", named)]:
        cell, usual, _ = keys.artifact_of(key) or ("", "", "")
        mine = cell in keys.committed([commit]) and usual.startswith((keys.MODELS, keys.predictions_of(commit)))
        if not mine or usual in found or not _SHA256.fullmatch(str(sha256)):
            given = f"{source} names {key!r} with digest {sha256!r} as an artifact of its cell"
            raise InvalidInput(f"{given}; allowed: its predictions and models, each once; remove it and launch again")
        found[usual] = Artifact(key=key, sha256=sha256, commit=commit)
    return found


def find_artifact(provenance: Mapping[str, Any], usual: str, commit: str, source: str) -> Artifact:
    """Returns the artifact of a usual key that belongs to a commit.

    Raises:
        NotFound: the commit names its artifacts, and none of this usual key.
        InvalidInput: what the commit says of its artifacts cannot be used.
    """
    if not are_named(provenance):
        return Artifact(key=usual, sha256="", commit=commit)
    found = list_artifacts(provenance, commit, source).get(usual)
    if found is None:
        raise NotFound(f"{source} names no {usual} as an artifact of its cell; remove it and launch its run again")
    return found


def read_named(store: Store, provenance: Mapping[str, Any], usual: str, commit: str) -> tuple[bytes, str]:
    """Returns the content of the artifact of a usual key that belongs to a commit, and the name of its place in errors.

    Raises:
        NotFound, InvalidInput: as ``find_artifact`` and ``read_artifact``.
    """
    artifact = find_artifact(provenance, usual, commit, f"{store.url}/{commit}")
    return read_artifact(store, artifact), f"{store.url}/{artifact.key}"


def read_artifact(store: Store, artifact: Artifact) -> bytes:
    """Returns the content of an artifact, checked against the digest that its commit names, if it names one.

    Raises:
        NotFound: there is no such object, and no commit names it.
        InvalidInput: it is not what its commit names: it was changed or removed.
    """
    place = f"{store.url}/{artifact.key}"
    mend = MEND.format(commit=artifact.commit)
    try:
        [data] = store.read_many([artifact.key])
    except NotFound as error:
        if not artifact.sha256:
            raise
        raise InvalidInput(f"{place} does not exist, and {artifact.commit} names it; {mend}") from error
    if artifact.sha256 and (found := compute_digest(data)) != artifact.sha256:
        raise InvalidInput(f"{place} has sha256 {found}, and its commit names {artifact.sha256}; {mend}")
    return data
