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


@pytest.mark.parametrize(
    ("toml", "said"),
    [("namespaces = 'x'", "correct its name: did you mean namespace\\?"), ("namespace = ", "is not TOML")],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path, toml, said):
    with pytest.raises(InvalidInput, match=said) as caught:
        loaded(tmp_path, toml)

    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_part_of_the_file(tmp_path):
    content = "\ufeffnamespace = 'lab'\r\ngpus = 2\r\n".encode()
    (tmp_path / "own.toml").write_bytes(content)
    parser = argparse.ArgumentParser()
    sources.add_setting_flags(parser)

    found = sources.load_settings(parser.parse_args(["--settings", str(tmp_path / "own.toml")]), {})

    assert (found.namespace, found.gpus) == ("lab", 2)


@pytest.mark.parametrize("content", ["namespace = 'lab'".encode("utf-16"), "namespace = 'läb'".encode("latin-1")])
def test_a_file_in_another_encoding_is_refused(tmp_path, content):
    (tmp_path / "own.toml").write_bytes(content)

    with pytest.raises(InvalidInput, match="a readable UTF-8 TOML file"):
        loaded(tmp_path, flags=["--settings", str(tmp_path / "own.toml")])


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("ENSEMBLES_NAMESPCE", "did you mean ENSEMBLES_NAMESPACE?"),
        ("ENSEMBLES_namespace", "did you mean ENSEMBLES_NAMESPACE?"),
        ("ENSEMBLES_S3_ENDPOINT_URL", "did you mean ENSEMBLES_S3_ENDPOINT?"),
        ("ENSEMBLES_DATASET", "allowed: ENSEMBLES_ with CONTEXT, NAMESPACE, "),
        ("ENSEMBLES_XYZZY_PLUGH", "unset it"),
    ],
)
def test_a_variable_that_names_no_setting_is_refused_by_name(tmp_path, name, advice):
    with pytest.raises(InvalidInput) as caught:
        loaded(tmp_path, environ={name: "x"})

    assert repr(name) in str(caught.value)
    assert advice in str(caught.value)


def test_an_empty_variable_is_as_if_unset(tmp_path):
    environ = {f"ENSEMBLES_{f.name.upper()}": "" for f in dataclasses.fields(Settings) if f.name != "dataset"}

    assert loaded(tmp_path, 'namespace = "file"\nparallelism = 3\n', environ) == Settings(
        namespace="file", parallelism=3
    )


def test_blanks_in_lists_are_no_part_of_their_entries(tmp_path):
    found = loaded(tmp_path, flags=["--tolerations", "a=b:NoSchedule, c ,", "--labels", " team = vision , cost=12"])

    assert (found.tolerations, found.labels) == (("a=b:NoSchedule", "c"), {"team": "vision", "cost": "12"})


def test_a_name_that_comes_twice_in_a_table_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="NAME=VALUE,NAME=VALUE"):
        loaded(tmp_path, flags=["--labels", "team=vision,team=speech"])


def test_the_launchers_server_and_region_are_the_pods_unless_set_otherwise(tmp_path):
    environ = {"AWS_ENDPOINT_URL": "http://10.0.0.1:9000", "AWS_REGION": "eu-central-1"}
    found = loaded(tmp_path, environ=environ)
    other = loaded(tmp_path, 's3_endpoint = "https://minio.example"', environ, ["--s3-region", "lab"])

    assert (found.s3_endpoint, found.s3_region) == ("http://10.0.0.1:9000", "eu-central-1")
    assert (other.s3_endpoint, other.s3_region) == ("https://minio.example", "lab")
    assert loaded(tmp_path, environ={"AWS_ENDPOINT_URL": "localhost:9000"}).s3_endpoint == ""
