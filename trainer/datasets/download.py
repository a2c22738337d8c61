"""Downloads: from one mirror after another, resumed where they broke off, retried with back-off, verified before use."""

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
from trainer.datasets.checksums import verify_file, wrong_file
from trainer.datasets.overrides import public_url
from trainer.datasets.sources import RemoteFile

ROUNDS = 4  # tries at all the mirrors
TIMEOUT = 20  # seconds without a byte after which a connection is given up
CHUNK = 1 << 18
SAID = 16 << 20  # bytes between two lines about progress
_RETRIED = frozenset({408, 425, 429})  # the 4xx answers after which another try may succeed
_log = logging.getLogger(__name__)


def download_file(
    file: RemoteFile, folder: Path, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[Path, SourceFile]:
    """Returns the verified file in ``folder`` and its record, from the first mirror that gives it whole.

    Raises:
        InvalidInput: every mirror has a different file or none.
        Transient: a mirror could not give the file, for a reason that may pass.
    """
    target = folder / file.name
    if target.is_file():
        try:
            return target, verify_file(target, file, public_url(file.urls[0]))
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
                _log.warning("%s: %s", public_url(url), _reason(error))
        raise _given_up(file, tries)

    return target, retry_transient(try_mirrors, attempts=ROUNDS, first_pause=2, longest_pause=30, sleep=sleep)


def _worth_trying(tries: dict[str, list[Exception]]) -> list[str]:
    """Returns the mirrors without those that twice had a different file or none; once may be an accident on the way."""
    return [url for url, errors in tries.items() if sum(map(_permanent, errors)) < 2]


def _given_up(file: RemoteFile, tries: dict[str, list[Exception]]) -> InvalidInput | Transient:
    last = {url: errors[-1] for url, errors in tries.items()}
    reasons = "; ".join(f"{public_url(url)}: {_reason(e)}" for url, e in last.items())
    if not _worth_trying(tries):
        advice = "put it into DATASETS_DIR or correct DATASET_NAME_URL"
        return InvalidInput(f"no mirror has the right {file.name}: {reasons}; {advice}")
    return Transient(f"{file.name} could not be downloaded: {reasons}; try again later, or put it into DATASETS_DIR")


def _permanent(error: Exception) -> bool:
    refused = isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500 and error.code not in _RETRIED
    return refused or isinstance(error, InvalidInput)


def _reason(error: Exception) -> str:
    inner = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
    return " ".join(str(inner).split()) or type(error).__name__


def _fetch(url: str, file: RemoteFile, target: Path) -> SourceFile:
    """Tries one mirror once. The bytes that came stay in a file beside the target for the next try."""
    part = target.with_name(f"{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")
    have = part.stat().st_size if part.is_file() else 0
    if have > file.most:
        have = 0
    try:
        if not have or have != file.size:
            _receive(url, file, part, have)
        found = verify_file(part, file, public_url(url))
    except InvalidInput:
        part.unlink(missing_ok=True)  # nothing tells which byte is wrong: the next try begins anew
        raise
    part.replace(target)
    return found


def _receive(url: str, file: RemoteFile, part: Path, have: int) -> None:
    headers = {"User-Agent": "collaborative-ensembles", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - only http and https get here
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # the part is as long as the file, or longer
            part.unlink(missing_ok=True)
        raise
    with answer:
        start, total = _extent(answer, have)
        if file.size is not None and total is not None and total != file.size:
            raise wrong_file(public_url(url), f"{total:,} bytes", f"{file.size:,} bytes", file)
        _log.info("downloading %s from byte %s of %s", public_url(url), start, total)
        with part.open("r+b" if start else "wb") as out:
            out.seek(start)
            end = start + _copy(answer, out, file.most - start, public_url(url))
            out.truncate()
    if total is not None and end < total:
        raise ConnectionError(f"the connection ended after {end:,} of {total:,} bytes")


def _extent(answer: Any, have: int) -> tuple[int, int | None]:
    """Returns (first byte, size of the whole file if known) of an answer; a server without ranges begins at 0."""
    if answer.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if not match or int(match[1]) != have:
            raise ConnectionError(f"the server answered a request from byte {have} with another range")
        return have, None if match[2] == "*" else int(match[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _copy(source: Any, out: IO[bytes], most: int, origin: str) -> int:
    copied = 0
    while data := source.read1(CHUNK):  # what has come, however little: it is kept if the program is told to stop
        copied += len(data)
        if copied > most:
            raise InvalidInput(f"{origin} does not end where it should; allowed: {most:,} bytes")
        out.write(data)
        if copied // SAID > (copied - len(data)) // SAID:
            _log.info("%s: %s MiB so far", origin, copied >> 20)
    return copied
