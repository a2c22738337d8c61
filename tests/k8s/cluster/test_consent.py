"""The question before a launch spends much: asked on a real terminal, refused without one."""

from __future__ import annotations

import io
import os
import pty

import pytest

from experiment.errors import InvalidInput
from k8s.cluster.consent import ask_for_consent
from tests.k8s.factories import settings


@pytest.fixture
def terminal(monkeypatch):
    """Standard input as a terminal; types what it is called with."""
    mine, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield lambda text: os.write(mine, text.encode())
    os.close(mine)


@pytest.mark.parametrize("answer", ["y\n", "Yes\n"])
def test_on_a_terminal_a_yes_launches(terminal, capsys, answer):
    terminal(answer)

    ask_for_consent(25, settings(), yes=False)

    out, err = capsys.readouterr()
    assert err == "the forecast of this launch is $25.00, above ask_above, $20.00; launch? [y/N] "
    assert out == ""


@pytest.mark.parametrize("answer", ["\n", "n\n", "yeah\n", "\x04"])
def test_on_a_terminal_anything_else_does_not(terminal, answer):
    terminal(answer)

    with pytest.raises(InvalidInput, match="nothing was created"):
        ask_for_consent(25, settings(), yes=False)


@pytest.mark.parametrize("stdin", [io.StringIO("y\n"), None])
def test_without_a_terminal_it_is_refused_and_the_flag_named(monkeypatch, stdin):
    monkeypatch.setattr("sys.stdin", stdin)

    with pytest.raises(
        InvalidInput, match=r"\$25\.00, above ask_above, \$20\.00, .*; give --yes, or raise --ask-above"
    ):
        ask_for_consent(25, settings(), yes=False)


@pytest.mark.parametrize(
    ("dollars", "values", "yes"), [(20, {}, False), (25, {"ask_above": 25}, False), (1e6, {}, True)]
)
def test_little_money_and_a_flag_need_no_answer(monkeypatch, capsys, dollars, values, yes):
    monkeypatch.setattr("sys.stdin", None)

    ask_for_consent(dollars, settings(**values), yes=yes)

    assert capsys.readouterr() == ("", "")
