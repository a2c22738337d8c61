"""Settings come from file, environment and flags, which outrank one another in this order."""

from __future__ import annotations

import argparse
import dataclasses

import pytest

from experiment.errors import InvalidInput
from k8s.manifests import sources
from k8s.manifests.settings import Settings


def loaded(tmp_path, toml="", environ=None, flags=()):
    (tmp_path / "cluster.toml").write_text(toml)
    parser = argparse.ArgumentParser()
    sources.add_setting_flags(parser)
    return sources.load_settings(parser.parse_args(flags), environ or {}, tmp_path)


def test_a_flag_outranks_the_environment_which_outranks_the_file(tmp_path):
    toml = 'namespace = "file"\ngpu_type = "l4"\nqueue = "file"\n'
    environ = {"ENSEMBLES_GPU_TYPE": "a100", "ENSEMBLES_QUEUE": "environment"}

    found = loaded(tmp_path, toml, environ, ["--queue", "flag"])

    assert (found.namespace, found.gpu_type, found.queue) == ("file", "a100", "flag")


def test_every_kind_of_value_can_be_given_as_text(tmp_path):
    environ = {"ENSEMBLES_ALLOW_TAG": "true", "ENSEMBLES_LABELS": "team=vision,cost=12"}
    flags = [
        "--gpus",
        "2",
        "--deadline-hours",
        "1.5",
        "--tolerations",
        "a=b:NoSchedule,c",
        "--env",
        "A=x=y",
        "--image",
        "r/i:1",
    ]

    found = loaded(tmp_path, "", environ, flags)

    assert (found.allow_tag, found.gpus, found.deadline_hours) == (True, 2, 1.5)
    assert found.tolerations == ("a=b:NoSchedule", "c")
    assert (found.labels, found.env) == ({"team": "vision", "cost": "12"}, {"A": "x=y"})


def test_there_is_a_flag_for_every_setting_but_the_tables():
    parser = argparse.ArgumentParser()
    sources.add_setting_flags(parser)
    flags = {a.dest for a in parser._actions} - {"help", "settings"}

    assert flags == {f.name for f in dataclasses.fields(Settings)} - {"dataset"}


@pytest.mark.parametrize("flags", [["--gpus", "one"], ["--labels", "team"], ["--settings", "absent.toml"]])
def test_a_flag_that_cannot_be_read_is_refused(tmp_path, flags):
    with pytest.raises(InvalidInput, match=r"correct it|check --settings"):
        loaded(tmp_path, flags=flags)


def test_a_tag_is_accepted_on_request(tmp_path):
    assert loaded(tmp_path, flags=["--allow-tag", "--image", "r/trainer:v1"]).image == "r/trainer:v1"


@pytest.mark.parametrize(("toml", "said"), [("namespaces = 'x'", "correct its name"), ("namespace = ", "is not TOML")])
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, toml, said):
    with pytest.raises(InvalidInput, match=said) as caught:
        loaded(tmp_path, toml)

    assert "\n" not in str(caught.value)
