"""What the programs share: a run is named by its URL or its name, a foreseen error is one line, every verb explains itself."""

from __future__ import annotations

import argparse
import importlib

import pytest

from experiment.errors import Diverged, InvalidInput, Transient
from k8s import status, verbs


@pytest.mark.parametrize("named", ["url", "name"])
def test_a_run_is_named_by_its_url_or_by_its_name_and_store(launched, capsys, named):
    by_url = ["--run", f"{launched.url}/runs/mine"]
    flags = by_url if named == "url" else ["--run", "mine", "--store", launched.url]

    assert status.main(flags) == 0
    assert "run mine: 1 done, 3 missing" in capsys.readouterr().out


def test_a_run_that_the_store_does_not_have_is_refused_with_those_it_has(launched, capsys):
    assert status.main(["--run", "yours", "--store", launched.url]) == 42

    assert capsys.readouterr().err == "error: the run is 'yours'; allowed: mine; correct --run, or launch a grid\n"


@pytest.mark.parametrize(
    "error", [InvalidInput("two\nlines"), Diverged("two\nlines"), Transient("two\nlines")], ids=repr
)
def test_a_foreseen_error_is_one_line_and_its_exit_code(error, capsys):
    def fail(arguments):
        raise error

    assert verbs.run_verb(fail, argparse.Namespace()) == error.exit_code
    assert capsys.readouterr().err == "error: two lines\n"


@pytest.mark.parametrize("verb", verbs.VERBS)
def test_every_verb_explains_itself_in_plain_text(verb, capsys):
    with pytest.raises(SystemExit) as left:
        importlib.import_module(f"k8s.{verb}").main(["--help"])
    said = capsys.readouterr().out

    assert left.value.code == 0
    assert f"usage: python -m k8s.{verb}" in said
    assert "`" not in said
