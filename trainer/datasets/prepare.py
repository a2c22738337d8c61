"""Makes sure that a store has a data set: once, as one verified file, whoever else does the same at the same time."""

from __future__ import annotations

import hashlib
import os
import uuid
from datetime import UTC, datetime

from experiment import keys
from experiment.cell import refuse
from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from experiment.store import Store
from trainer.datasets import npz
from trainer.datasets.load import open_prepared
from trainer.datasets.manifest import Manifest, read_manifest
from trainer.datasets.originals import read_original
from trainer.datasets.settings import Settings
from trainer.datasets.split import split


def prepare(name: str, store: Store, settings: Settings | None = None) -> Manifest:
    """The manifest of the store's data set, which is made from its source first where it is absent or damaged.

    ``settings`` say where the data set comes from; by default as the environment does.

    Raises:
        InvalidInput: unknown; a source that is not the data set; a damaged manifest; a damaged file of another source.
        Transient: the source cannot be reached, or the store failed.
    """
    if name not in DATASETS:
        raise refuse("data set", name, ", ".join(DATASETS), "correct its name")
    settings = settings or Settings.from_environment(name, os.environ)
    manifest = read_manifest(store, name)
    if manifest and _intact(store, manifest, settings):
        return manifest
    made, data = _make(name, settings)
    if manifest:
        _mend(store, manifest, made, data)
        return manifest
    return _publish(store, made, data, settings)


def _intact(store: Store, manifest: Manifest, settings: Settings) -> bool:
    try:
        open_prepared(store, manifest, cache=settings.cache)
    except InvalidInput:
        return False
    return True


def _make(name: str, settings: Settings) -> tuple[Manifest, bytes]:
    original = read_original(name, settings)
    arrays = split(name, original, any_count=settings.any_count)
    data = npz.encode(arrays)
    digest = hashlib.sha256(data).hexdigest()
    return Manifest(
        name=name,
        sha256=digest,
        key=keys.dataset(name, digest),
        train=len(arrays["y_train"]),
        test=len(arrays["y_test"]),
        shape=DATASETS[name].shape,
        source=original.files,
        skipped=original.skipped,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    ), data


def _mend(store: Store, manifest: Manifest, made: Manifest, data: bytes) -> None:
    if made.sha256 != manifest.sha256:
        raise InvalidInput(f"{store.url}/{manifest.key} is missing or damaged, and the source at hand gives another file "
                           f"(sha256 {made.sha256}); restore it, or give the source that its manifest names, or remove "
                           f"{keys.dataset_manifest(manifest.name)} to begin anew with other data")  # fmt: skip
    store.put(manifest.key, data)


def _publish(store: Store, made: Manifest, data: bytes, settings: Settings) -> Manifest:
    """Data first, manifest last: what a manifest names is there. Another's manifest outranks ours."""
    attempt = uuid.uuid4().hex
    if not store.put_once(made.key, data, attempt) and not _intact(store, made, settings):
        store.put(made.key, data)  # the key names the content: these are the only right bytes
    store.put_once(keys.dataset_manifest(made.name), made.to_bytes(), attempt)
    return read_manifest(store, made.name) or made
