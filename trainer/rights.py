"""What an attempt will do to the store, tried before any attempt is made: by the pod that prepares a data set."""

from __future__ import annotations

import uuid

from experiment import keys
from experiment.errors import InvalidInput
from experiment.store import Store

CONTENT = b"A preparing pod writes, reads and removes this object, as attempts will do with theirs.\n"


def check_rights(store: Store) -> None:
    """Writes an object once where attempts write theirs, reads it and removes it.

    Raises:
        InvalidInput: the store let a second write replace the first, or gave other bytes back; ``Misconfigured`` where it
            refused.
        Transient: it gave no answer.
    """
    attempt = uuid.uuid4().hex
    key = keys.progress(f"probe-{attempt}")
    is_first = store.put_once(key, CONTENT, attempt)
    is_replaced = store.put_once(key, CONTENT, uuid.uuid4().hex)
    found = store.read(key)
    store.delete(key)
    if not is_first or is_replaced or found != CONTENT:
        advice = "give a store that honours If-None-Match and gives back what was written"
        raise InvalidInput(f"{store.url} did not keep {key} as it was written first; {advice}")
