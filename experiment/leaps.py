"""Looks for the keys that begin with any of many prefixes in a sorted listing, and leaps over what lies between them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

FEWEST, MOST = 16, 1000  # keys on a page; no S3 server gives more
Page = Callable[[str, str, int], tuple[Sequence[str], bool]]


def drop_nested(prefixes: Iterable[str]) -> list[str]:
    """Returns the prefixes that begin with no other one, sorted."""
    kept: list[str] = []
    for prefix in sorted(set(prefixes)):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return kept


def pick_keys(found: Iterable[str], prefixes: Sequence[str]) -> Iterator[str]:
    """Yields the keys that begin with one of the prefixes, which are as ``drop_nested`` returns them."""
    for key in found:
        place = bisect_right(prefixes, key) - 1
        if place >= 0 and key.startswith(prefixes[place]):
            yield key


def shared_beginning(prefixes: Sequence[str]) -> str:
    """Returns what all of these sorted texts begin with."""
    if not prefixes:
        return ""
    first, last = prefixes[0], prefixes[-1]
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def leap_pages(prefixes: Iterable[str], page: Page) -> Iterator[str]:
    """Yields the keys that begin with any of the prefixes, sorted.

    The pages that are asked for are at most as many as the prefixes, and those that the keys found fill: what else lies in
    the listing costs nothing. Pages grow while they settle several prefixes, so a dense listing is read at full speed.

    Args:
        page: returns the first keys after a key among those with a common prefix, at most so many, sorted, and whether
            there are more.
    """
    kept = drop_nested(prefixes)
    common, waiting = shared_beginning(kept), deque(kept)
    after, size, more = "", FEWEST, True
    while waiting and more:
        after = max(after, waiting[0][:-1])  # a key that is the prefix itself comes after it
        found, more = page(common, after, size)
        yield from pick_keys(found, kept)
        last, before = found[-1] if found else after, len(waiting)
        while waiting and waiting[0] < last and not last.startswith(waiting[0]):
            waiting.popleft()
        is_dense = before - len(waiting) > 1 or (waiting and last.startswith(waiting[0]))
        size = min(4 * size, MOST) if is_dense else FEWEST
        after = last
