"""Makes sure that a store has a data set: once, as one verified file, whoever else does the same at the same time."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable

from experiment import keys
from experiment.datasets import DATASETS
from experiment.errors import InvalidInput, refuse
from experiment.prepared import Manifest, read_manifest
from experiment.records import utc_now
from experiment.store import Store
from trainer.datasets import npz, originals
from trainer.datasets.cache import alone
from trainer.datasets.dataset import open_prepared
from trainer.datasets.overrides import Settings
from trainer.datasets.split import Original, split

_log = logging.getLogger(__name__)


def prepare(
    name: str, store: Store, settings: Settings | None = None, *, sleep: Callable[[float], None] = time.sleep
) -> Manifest:
    """The manifest of the store's data set, which is made from its source first where it is absent or damaged.

    ``settings`` say where the data set comes from; by default as the environment does.

    Raises:
        InvalidInput: unknown; a source that is not the data set; a damaged manifest; a damaged file of another source.
        Transient: the source cannot be reached, or the store failed.
    """
    if name not in DATASETS:
        raise refuse("data set", name, ", ".join(DATASETS), "correct its name")
    settings = settings or Settings.from_environment(name, os.environ)
    if ready := _ready(store, name, settings):
        return ready
    try:
        if name == "digits":
            return _put(store, name, originals.digits(), settings)
        if files := originals.find(name, settings):
            return _put(store, name, originals.read(name, files), settings)
        with alone(settings.cache / "downloads" / f"{name}.lock", sleep):  # the others wait, and find it done
            return _ready(store, name, settings) or _downloaded(store, name, settings, sleep)
    except OSError as error:
        raise InvalidInput(f"{name} cannot be prepared: {error}; make the files in DATASETS_DIR readable "
                           f"and the cache ({settings.cache}, set by XDG_CACHE_HOME) writable, with room") from error  # fmt: skip


def _ready(store: Store, name: str, settings: Settings) -> Manifest | None:
    manifest = read_manifest(store, name)
    if manifest is None or not _intact(store, manifest, settings):
        return None
    usual = DATASETS[name]
    if (manifest.train, manifest.test) != (usual.train, usual.test) and not settings.any_count:
        _log.warning("%s in %s has %s training and %s test images, not the usual %s and %s",
                     name, store.url, manifest.train, manifest.test, usual.train, usual.test)  # fmt: skip
    return manifest


def _intact(store: Store, manifest: Manifest, settings: Settings) -> bool:
    try:
        open_prepared(store, manifest, cache=settings.cache)
    except InvalidInput as error:
        _log.warning("%s", error)
        return False
    return True


def _downloaded(store: Store, name: str, settings: Settings, sleep: Callable[[float], None]) -> Manifest:
    """Prepares from downloads, which are kept for another try only if this one is interrupted."""
    files = originals.fetch(name, settings, sleep)
    try:
        manifest = _put(store, name, originals.read(name, files), settings)
    except InvalidInput:
        shutil.rmtree(settings.cache / "downloads" / name, ignore_errors=True)
        raise
    shutil.rmtree(settings.cache / "downloads" / name, ignore_errors=True)
    return manifest


def _put(store: Store, name: str, original: Original, settings: Settings) -> Manifest:
    arrays = split(name, original, any_count=settings.any_count)
    data = npz.encode(arrays)
    digest = hashlib.sha256(data).hexdigest()
    made = Manifest(
        name=name,
        sha256=digest,
        key=keys.dataset(name, digest),
        train=len(arrays["y_train"]),
        test=len(arrays["y_test"]),
        shape=DATASETS[name].shape,
        source=original.files,
        skipped=original.skipped,
        created=utc_now(),
    )
    if other := _ready(store, name, settings):
        return other  # made by someone else in the meantime
    manifest = read_manifest(store, name)
    return _mend(store, manifest, made, data) if manifest else _publish(store, made, data, settings)


def _mend(store: Store, manifest: Manifest, made: Manifest, data: bytes) -> Manifest:
    """Puts a missing or damaged file back under the manifest that the store has."""
    if made.sha256 != manifest.sha256:
        raise InvalidInput(f"{store.url}/{manifest.key} is missing or damaged, and the source at hand gives another file "
                           f"(sha256 {made.sha256}); restore it, or give the source that its manifest names, or remove "
                           f"{keys.dataset_manifest(manifest.name)} to begin anew with other data")  # fmt: skip
    store.put(manifest.key, data)
    return manifest


def _publish(store: Store, made: Manifest, data: bytes, settings: Settings) -> Manifest:
    """Data first, manifest last: what a manifest names is there. Another's manifest outranks ours."""
    attempt = uuid.uuid4().hex
    if not store.put_once(made.key, data, attempt) and not _intact(store, made, settings):
        store.put(made.key, data)  # the key names the content: these are the only right bytes
    store.put_once(keys.dataset_manifest(made.name), made.to_bytes(), attempt)
    return read_manifest(store, made.name) or made
