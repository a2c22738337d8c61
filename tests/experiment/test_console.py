"""What a terminal cannot show is escaped, and bytes that are no text stay as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiment.console import say_beside

PROGRAM = """
import os, sys
from experiment.console import escape_unprintable_output
escape_unprintable_output()
print(sys.argv[1])
print(sys.argv[1], file=sys.stderr)
"""


def printed(text, **environment):
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("LC_", "LANG", "PYTHON"))}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", PROGRAM, text], cwd=root, env=clean | environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr
    return done.stdout.rstrip(b"\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:strict"])
def test_what_the_encoding_lacks_is_escaped(encoding):
    assert printed("/a/\u0434/b", PYTHONIOENCODING=encoding) == rb"/a/\u0434/b"


def test_what_the_encoding_has_is_printed():
    assert printed("/a/\u0434", PYTHONIOENCODING="utf-8").decode() == "/a/\u0434"


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_bytes_that_are_no_text_stay_as_they_are(encoding):
    assert printed(b"/a/\xff", PYTHONIOENCODING=encoding) == b"/a/\xff"


def test_without_a_locale_a_path_keeps_its_bytes():
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    assert printed("/a/\u0434".encode(), **plain) == "/a/\u0434".encode()


def test_a_line_beside_the_output_goes_to_stderr(capsys):
    say_beside("the store is away")

    assert capsys.readouterr() == ("", "the store is away\n")
