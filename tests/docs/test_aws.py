"""The commands of docs/aws.md: the suite's by its own flags, AWS's by the SDK's list of operations; the settings by a dry run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from experiment.grid import load_grid
from k8s import launch
from tests.docs.test_kubernetes import help_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "aws.md").read_text()
BLOCKS = [b.replace("\\\n", " ") for b in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)]
LINES = [line for block in BLOCKS for line in block.splitlines()]
SUITE = [re.search(r"python -m ([\w.]+)([^#\n]*)", line).groups() for line in LINES if "python -m" in line]
AWS = sorted({m.group(1).strip() for line in LINES for m in re.finditer(r"\baws ([a-z0-9-]+ [a-z0-9-]+[^|)#]*)", line)})
# What the AWS CLI adds to the SDK's operations.
ADDED = {
    "cloudformation deploy": {"stack-name", "template-file", "capabilities", "parameter-overrides"},
    "eks update-kubeconfig": {"name"},
    "ecr get-login-password": set(),
    "s3 cp": {"recursive"},
    "s3 rb": set(),
}
PROGRAMS = {"aggregator": "aggregator.__main__"}
EVERYWHERE = {"query", "output"}


def flags_of(words):
    return {w.removeprefix("--") for w in words if w.startswith("--")}


def known_flags(service, verb):
    if f"{service} {verb}" in ADDED:
        return ADDED[f"{service} {verb}"]
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    members = model.operation_model(operations[verb]).input_shape.members
    return {xform_name(member, "-") for member in members}


@pytest.mark.parametrize(("module", "rest"), sorted(set(SUITE)), ids=lambda v: v.strip() or "bare")
def test_every_command_of_the_suite_has_these_flags(module, rest, capsys):
    said = help_of(PROGRAMS.get(module, module), capsys)

    assert {f for f in re.findall(r"--[a-z-]+", rest) if not re.search(rf"{f}\b", said)} == set()


@pytest.mark.parametrize("command", AWS)
def test_every_command_of_aws_has_these_flags(command):
    service, verb, *words = shlex.split(command)

    assert flags_of(words) - EVERYWHERE <= known_flags(service, verb)


def test_enough_commands_were_found():
    assert len(AWS) >= 12
    assert len(SUITE) >= 6


def test_the_parameters_and_outputs_are_those_of_the_stack():
    stack = (ROOT / "deploy" / "aws" / "stack.yaml").read_text()
    parameters, outputs = (
        set(re.findall(r"^  (\w+):$", part, re.MULTILINE))
        for part in (stack.split("\nParameters:\n")[1].split("\nConditions:")[0], stack.split("\nOutputs:\n")[1])
    )
    (deploy,) = [c for c in AWS if c.startswith("cloudformation deploy")]

    assert set(re.findall(r"\b([A-Z]\w+)=", deploy)) <= parameters
    assert set(re.findall(r"OutputKey==`(\w+)`", TEXT)) <= outputs


def test_files_that_are_named_exist():
    named = set(re.findall(r"deploy/aws/[\w.-]+", TEXT))

    assert {f for f in named if not (ROOT / f).is_file()} == set()
    assert {f"deploy/aws/{f.name}" for f in (ROOT / "deploy" / "aws").iterdir()} == named


def test_the_settings_make_the_full_grid_by_a_client_dry_run(tmp_path, monkeypatch, capsys):
    text = (ROOT / "deploy" / "aws" / "cluster.toml").read_text()
    filled = text.replace("REGISTRY", "1.dkr.ecr.us-east-1.amazonaws.com/ensembles").replace("DIGEST", "0" * 64)
    (tmp_path / "cluster.toml").write_text(filled)
    monkeypatch.chdir(tmp_path)

    code = launch.main(["--grid", "full", "--store", "s3://bucket/ensembles", "--dry-run", "client"])

    manifests = capsys.readouterr().out
    assert code == 0
    assert manifests.count("collaborative-ensembles/pool: gpu") >= 3
    assert len(load_grid("full").cells) == 39
