"""Downloads: mirror after mirror, resumed where they broke off, again with back-off, checked before anyone opens them."""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from experiment.errors import InvalidInput, Transient
from experiment.prepared import SourceFile
from experiment.retry import retry_transient
from trainer.datasets.checksums import verified, wrong
from trainer.datasets.overrides import public
from trainer.datasets.sources import Remote

ROUNDS = 4  # times that the mirrors are tried in turn
TIMEOUT = 20  # seconds without a byte
CHUNK = 1 << 18
SAID = 16 << 20  # bytes between two words about progress
_RETRIED = frozenset({408, 425, 429})  # answers 4xx that mean: later
_log = logging.getLogger(__name__)


def download(file: Remote, folder: Path, *, sleep: Callable[[float], None] = time.sleep) -> tuple[Path, SourceFile]:
    """The verified file in ``folder``, from the first mirror that gives it whole.

    Raises:
        InvalidInput: every mirror has another file, or none at all.
        Transient: no mirror gave it for a reason that may pass.
    """
    target = folder / file.name
    if target.is_file():
        try:
            return target, verified(target, file, public(file.urls[0]))
        except InvalidInput:
            target.unlink()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tries: dict[str, list[Exception]] = {url: [] for url in file.urls}

    def try_mirrors() -> SourceFile:
        for url in _worth_trying(tries):
            try:
                return _fetch(url, file, target)
            except (InvalidInput, OSError, http.client.HTTPException) as error:
                tries[url].append(error)
                _log.warning("%s: %s", public(url), _reason(error))
        raise _given_up(file, tries)

    return target, retry_transient(try_mirrors, attempts=ROUNDS, first_pause=2, longest_pause=30, sleep=sleep)


def _worth_trying(tries: dict[str, list[Exception]]) -> list[str]:
    """All but the mirrors that twice had another file or none: once may be an accident on the way."""
    return [url for url, errors in tries.items() if sum(map(_permanent, errors)) < 2]


def _given_up(file: Remote, tries: dict[str, list[Exception]]) -> InvalidInput | Transient:
    last = {url: errors[-1] for url, errors in tries.items()}
    reasons = "; ".join(f"{public(url)}: {_reason(e)}" for url, e in last.items())
    if not _worth_trying(tries):
        return InvalidInput(
            f"{file.name} cannot be had from any mirror: {reasons}; put it into DATASETS_DIR or correct DATASET_NAME_URL"
        )
    return Transient(f"{file.name} could not be downloaded: {reasons}; try again later, or put it into DATASETS_DIR")


def _permanent(error: Exception) -> bool:
    refused = isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500 and error.code not in _RETRIED
    return refused or isinstance(error, InvalidInput)


def _reason(error: Exception) -> str:
    inner = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
    return " ".join(str(inner).split()) or type(error).__name__


def _fetch(url: str, file: Remote, target: Path) -> SourceFile:
    """One try at one mirror. What it got stays beside the target for the next."""
    part = target.with_name(f"{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")
    have = part.stat().st_size if part.is_file() else 0
    if have > file.most:
        have = 0
    try:
        if not have or have != file.size:
            _receive(url, file, part, have)
        found = verified(part, file, public(url))
    except InvalidInput:
        part.unlink(missing_ok=True)  # begun anew next time: nothing says which byte is wrong
        raise
    part.replace(target)
    return found


def _receive(url: str, file: Remote, part: Path, have: int) -> None:
    headers = {"User-Agent": "collaborative-ensembles", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - Settings admit http and https only
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # what we have is longer than the file, or just as long
            part.unlink(missing_ok=True)
        raise
    with answer:
        start, total = _extent(answer, have)
        if file.size is not None and total is not None and total != file.size:
            raise wrong(public(url), f"{total:,} bytes", f"{file.size:,} bytes", file.name)
        _log.info("downloading %s from byte %s of %s", public(url), start, total)
        with part.open("r+b" if start else "wb") as out:
            out.seek(start)
            end = start + _copy(answer, out, file.most - start, public(url))
            out.truncate()
    if total is not None and end < total:
        raise ConnectionError(f"the connection ended after {end:,} of {total:,} bytes")


def _extent(answer: Any, have: int) -> tuple[int, int | None]:
    """(first byte, bytes of the whole file if known) of an answer; a server without ranges begins at 0."""
    if answer.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if not match or int(match[1]) != have:
            raise ConnectionError(f"the server answered a request from byte {have} with another range")
        return have, None if match[2] == "*" else int(match[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _copy(source: Any, out: IO[bytes], most: int, origin: str) -> int:
    copied = 0
    while data := source.read(CHUNK):
        copied += len(data)
        if copied > most:
            raise InvalidInput(f"{origin} does not end where it should; allowed: {most:,} bytes")
        out.write(data)
        if copied // SAID > (copied - len(data)) // SAID:
            _log.info("%s: %s MiB so far", origin, copied >> 20)
    return copied
