"""The errors of the suite. Each has the exit code that tells Kubernetes and the local executor what to do next."""

from __future__ import annotations

import re
from typing import ClassVar

COMMITTED = 0
USER_OF_URL = re.compile(r"(?<=://)[^\s/?#]+@")


class ExperimentError(Exception):
    """The base of all errors for the user. The text is one line: what was given, what is allowed, what to do."""

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "error"


class InvalidInput(ExperimentError):
    """The cell or its input can never work: a bad setting, a wrong checksum, a foreign file. It is never retried."""

    exit_code = 42
    kind = "invalid"


class Misconfigured(InvalidInput):
    """The surroundings refuse: credentials, rights, names, the clock. A person can mend them without another cell."""


class Diverged(ExperimentError):
    """A cost became infinite or not a number. The same cell would diverge again, so it is never retried."""

    exit_code = 43
    kind = "diverged"


class Transient(ExperimentError):
    """The store or a download failed after its own retries. A later attempt may succeed.

    Attributes:
        after: seconds for which the server asks to be left alone.
    """

    after: float = 0.0
    exit_code = 75
    kind = "transient"


class Interrupted(ExperimentError):
    """The process was told to stop (SIGTERM, Ctrl-C). Another attempt goes on from the committed checkpoint."""

    exit_code = 143
    kind = "interrupted"


class NotFound(ExperimentError):
    """The store holds no object under this key."""

    exit_code = 42
    kind = "missing"


def refuse(what: str, given: object, allowed: str, do: str) -> InvalidInput:
    """Returns the error about an input, in its one form: what was given, what is allowed, what to do."""
    return InvalidInput(f"{what} is {given!r}; allowed: {allowed}; {do}")


KINDS: dict[str, type[ExperimentError]] = {c.kind: c for c in (InvalidInput, Diverged, Transient, Interrupted)}
PERMANENT = frozenset(c.kind for c in (InvalidInput, Diverged))


def describe_error(error: BaseException) -> str:
    """Returns the error as one line that any terminal and record can hold."""
    return escape_controls(hide_passwords(" ".join(f"{error}".split())) or type(error).__name__)


def hide_passwords(text: str) -> str:
    """Returns the text with ``***`` for user and password of every URL in it: libraries repeat whole URLs in their errors."""
    return USER_OF_URL.sub("***@", text)


def escape_controls(text: str, keep: str = "") -> str:
    """Returns the text with all that steers a terminal as escapes; characters of ``keep`` stay as they are."""
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)


def kind_of(exit_code: int) -> str:
    """Returns the kind of failure that an exit code stands for; ``error`` for every other non-zero code."""
    return next((kind for kind, c in KINDS.items() if c.exit_code == exit_code), ExperimentError.kind)
