"""Names of files and anchors made from names that a user chose: bounded, of harmless characters, no two alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

MOST = 80  # characters: a name and what is added to it stay below the 255 bytes of common file systems
DIGEST = 10  # hex digits, as in the id of a cell


def make_slugs(texts: Sequence[str]) -> dict[str, str]:
    """Returns a name for each of these texts; file systems that ignore case tell the names apart, too.

    A text keeps its letters and digits. Where two texts would then have one name, or one is longer than ``MOST``, it is
    shortened and ends in a digest of the whole text.
    """
    plain = {text: "".join(c if c.isascii() and c.isalnum() else "-" for c in text) for text in texts}
    owners = Counter(name.casefold() for name in plain.values())
    return {
        text: name if owners[name.casefold()] == 1 and len(name) <= MOST else _shorten(name, text)
        for text, name in plain.items()
    }


def _shorten(name: str, text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST]
    return f"{name[: MOST - DIGEST - 1].rstrip('-')}-{digest}"
