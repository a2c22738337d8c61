r"""Output that every terminal takes: a character that its encoding lacks is printed as an escape, such as ``\u0434``."""

from __future__ import annotations

import codecs
import io
import sys

HANDLER = "escape-unprintable"


def escape_unprintable_output() -> None:
    """Makes stdout and stderr print what their encoding lacks as escapes instead of ending the program.

    A path may hold any character, and the encoding is the user's (PYTHONIOENCODING, LANG). Bytes of a path that are no text
    are printed as they are.
    """
    codecs.register_error(HANDLER, _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)


def say_beside(line: str) -> None:
    """Prints a line on stderr; on a terminal over a line that is printed in place, and again soon."""
    print(f"\r\033[K{line}" if sys.stderr.isatty() else line, file=sys.stderr, flush=True)


def _escape(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    first = error.object[error.start]
    try:
        return first.encode("ascii", "surrogateescape"), error.start + 1
    except UnicodeEncodeError:
        return first.encode("ascii", "backslashreplace"), error.start + 1
