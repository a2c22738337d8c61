"""What docs/kubernetes.md promises exists: its commands, flags, settings, and the table of ends matches the rules."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest

from k8s.manifests import render
from k8s.manifests.settings import Settings
from tests.k8s.factories import launch

TEXT = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text()
COMMANDS = sorted(set(re.findall(r"python -m (k8s\.\w+)([^`\n#]*)", TEXT)))


def help_of(module, capsys):
    with pytest.raises(SystemExit) as left:
        importlib.import_module(module).main(["--help"])
    assert left.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(("module", "rest"), COMMANDS, ids=lambda v: v.strip() or "bare")
def test_every_command_and_flag_exists(module, rest, capsys):
    flags = set(re.findall(r"--[a-z-]+", rest))
    said = help_of(module, capsys)

    assert {f for f in flags if not re.search(rf"{f}\b", said)} == set()


def test_every_verb_of_the_table_exists(capsys):
    verbs = re.findall(r"^\| `(k8s\.\w+)", TEXT, re.MULTILINE)

    assert len(verbs) == 7
    for verb in verbs:
        assert "--namespace" in help_of(verb, capsys)


def test_the_settings_of_the_example_are_settings():
    (block,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    table = tomllib.loads(block.replace("sha256:...", "sha256:" + "0" * 64).replace("REGISTRY/", "registry.example/"))

    made = Settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})

    assert made.of("notmnist").deadline_hours == 300


def test_the_table_of_ends_names_the_codes_that_the_rules_name():
    rules = render.trainer_manifest(launch(), "mnist", "j", 1)["spec"]["podFailurePolicy"]["rules"]
    given_up = {
        c
        for r in rules
        if r["action"] == "FailIndex" and r["onExitCodes"]["containerName"] == "trainer"
        for c in r["onExitCodes"]["values"]
    }
    told = {int(code) for code in re.findall(r"^\| (\d+)[^|]*\| given up at once", TEXT, re.MULTILINE)}

    assert told == given_up
