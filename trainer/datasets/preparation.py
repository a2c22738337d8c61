"""Preparing a data set: it is put into the store once, as one verified file, even if several processes try at once."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable

from experiment import keys
from experiment.datasets import DATASETS, DatasetInfo
from experiment.errors import InvalidInput, refuse
from experiment.grid_data import OwnSource
from experiment.own_data import find_info
from experiment.prepared import Manifest, check_origin, read_manifest
from experiment.records import utc_now
from experiment.store import Store
from trainer.datasets import npz, originals
from trainer.datasets.cache import wait_for_lock
from trainer.datasets.dataset import open_prepared
from trainer.datasets.directory import find_originals
from trainer.datasets.overrides import Overrides
from trainer.datasets.own import read_own
from trainer.datasets.split import Original, split_examples

_log = logging.getLogger(__name__)


def prepare_dataset(
    name: str,
    store: Store,
    overrides: Overrides | None = None,
    *,
    own: OwnSource | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Manifest:
    """Returns the manifest of the store's data set, which is made from its source first if it is absent or damaged.

    Args:
        overrides: the user's own sources; by default those of the environment.
        own: a data set of the user's own; without it, one that is not known by name must be in the store.

    Raises:
        InvalidInput: the data set is unknown, the source or the manifest is damaged, the file in the store is damaged
            and the source gives another one, or the store has another data set of this name.
        Transient: the source cannot be reached, or the store failed.
    """
    overrides = overrides or Overrides.from_environment(name, os.environ)
    info = find_info(name, own.data) if own else DATASETS.get(name)
    find_ready = functools.partial(_ready, store, name, info, overrides, own)
    if ready := find_ready():
        return ready
    if info is None:
        allowed = f"{', '.join(DATASETS)}, or one that is in the store"
        raise refuse("data set", name, allowed, "correct its name, or launch the grid that defines it")
    put = functools.partial(_put, store, name, info, find_ready, overrides=overrides)
    try:
        if name == "digits":
            return put(originals.bundled_digits())
        if files := find_originals(name, overrides):
            return put(originals.read_originals(name, files))
        folder = overrides.cache / "downloads"
        with wait_for_lock(folder / f"{name}.lock", sleep):  # other processes wait and find it done
            if ready := find_ready():
                return ready
            if own:
                return put(read_own(name, own, folder / name, sleep))
            return _downloaded(name, overrides, put, sleep)
    except OSError as error:
        raise InvalidInput(
            f"{name} cannot be prepared: {error}; make the files in DATASETS_DIR readable "
            f"and the cache ({overrides.cache}, set by XDG_CACHE_HOME) writable, with room"
        ) from error


def _ready(
    store: Store, name: str, info: DatasetInfo | None, overrides: Overrides, own: OwnSource | None
) -> Manifest | None:
    """Returns the manifest of the store's whole data set.

    Args:
        info: None: only the store knows the data set, as in a pod.
    """
    manifest = read_manifest(store, name)
    if manifest and own:
        check_origin(manifest, own.data.sha256, store.url)
    if manifest is None or not _intact(store, manifest, overrides):
        return None
    has, usual = (manifest.train, manifest.test), (info.train, info.test) if info else None
    if usual and has != usual and not overrides.any_count:
        words = "%s in %s has %s training and %s test images, not the usual %s and %s"
        _log.warning(words, name, store.url, *has, *usual)
    return manifest


def _intact(store: Store, manifest: Manifest, overrides: Overrides) -> bool:
    try:
        open_prepared(store, manifest, cache=overrides.cache)
    except InvalidInput as error:
        _log.warning("%s", error)
        return False
    return True


def _downloaded(
    name: str, overrides: Overrides, put: Callable[[Original], Manifest], sleep: Callable[[float], None]
) -> Manifest:
    """Prepares the data set from downloads, which are kept only if the preparation is interrupted."""
    files = originals.fetch_originals(name, overrides, sleep)
    try:
        manifest = put(originals.read_originals(name, files))
    except InvalidInput:
        shutil.rmtree(overrides.cache / "downloads" / name, ignore_errors=True)
        raise
    shutil.rmtree(overrides.cache / "downloads" / name, ignore_errors=True)
    return manifest


def _put(
    store: Store,
    name: str,
    info: DatasetInfo,
    find_ready: Callable[[], Manifest | None],
    original: Original,
    *,
    overrides: Overrides,
) -> Manifest:
    arrays = split_examples(name, info, original, any_count=overrides.any_count)
    data = npz.encode_arrays(arrays)
    digest = hashlib.sha256(data).hexdigest()
    made = Manifest(
        name=name,
        sha256=digest,
        key=keys.dataset(name, digest),
        train=len(arrays["y_train"]),
        test=len(arrays["y_test"]),
        shape=info.shape,
        source=original.files,
        skipped=original.skipped,
        created=utc_now(),
    )
    if other := find_ready():
        return other  # another process has made it meanwhile
    manifest = read_manifest(store, name)
    return _mend(store, manifest, made, data) if manifest else _publish(store, made, data, overrides)


def _mend(store: Store, manifest: Manifest, made: Manifest, data: bytes) -> Manifest:
    """Restores a missing or damaged file of which the store has the manifest."""
    if made.sha256 != manifest.sha256:
        raise InvalidInput(
            f"{store.url}/{manifest.key} is missing or damaged, and the source at hand gives another file "
            f"(sha256 {made.sha256}); restore it, or give the source that its manifest names, "
            f"or remove {keys.dataset_manifest(manifest.name)} to begin anew with other data"
        )
    store.put(manifest.key, data)
    return manifest


def _publish(store: Store, made: Manifest, data: bytes, overrides: Overrides) -> Manifest:
    """Puts the data first and the manifest last; if another process has put a manifest meanwhile, that one stands."""
    attempt = uuid.uuid4().hex
    if not store.put_once(made.key, data, attempt) and not _intact(store, made, overrides):
        store.put(made.key, data)  # the key holds the sha256: no other bytes are right
    store.put_once(keys.dataset_manifest(made.name), made.to_bytes(), attempt)
    return read_manifest(store, made.name) or made
