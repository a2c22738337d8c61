"""Settings are checked when made; file, environment and flags outrank one another in this order."""

import argparse
import dataclasses

import pytest

from experiment.errors import InvalidInput
from k8s.manifests import sources
from k8s.manifests.settings import Settings


def loaded(tmp_path, toml="", environ=None, flags=()):
    (tmp_path / "cluster.toml").write_text(toml)
    parser = argparse.ArgumentParser()
    sources.add_arguments(parser)
    return sources.load(parser.parse_args(flags), environ or {}, tmp_path)


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
    sources.add_arguments(parser)
    flags = {a.dest for a in parser._actions} - {"help", "settings"}

    assert flags == {f.name for f in dataclasses.fields(Settings)} - {"dataset"}


def test_one_data_set_may_have_its_own_values(tmp_path):
    found = loaded(tmp_path, 'cpu = "2"\n[dataset.notmnist]\ncpu = "7"\ndeadline_hours = 300\n')

    assert (found.of("mnist").cpu, found.of("notmnist").cpu) == ("2", "7")
    assert found.of("notmnist").deadline_hours == 300


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("namespaces = 'x'", "correct its name"),
        ("namespace = 'X'", "a-z, 0-9"),
        ("namespace = 3", "text"),
        ("gpus = -1", "0 to 64"),
        ("gpus = true", "a whole number"),
        ("cpu = 'two'", "a quantity"),
        ("deadline_hours = inf", "a finite number"),
        ("ttl_hours = 0.5", "1 to 8760"),
        ("grace_seconds = 130", "30 to 115"),
        ("image = 'r/trainer:v1'", "--allow-tag"),
        ("image = 'r/trainer'", "--allow-tag"),
        ("image = 'r/x@sha256:12'", "REPOSITORY@sha256:DIGEST"),
        ("tolerations = ['a b']", "KEY"),
        ("tolerations = 'a'", "a list of texts"),
        ("instance_types = ['g4dn.xlarge', 'a b']", "a label's value"),
        ("s3_endpoint = 'minio:9000'", "http"),
        ("[labels]\n'bad key' = 'x'", "what Kubernetes takes"),
        ("[labels]\nteam = 'no spaces'", "what Kubernetes takes"),
        ('[annotations]\nnote = "two\\nlines"', "printable"),
        ("[annotations]\nnote = '\U0001f600'", "printable"),
        ("[env]\nATTEMPT = 'x'", "not ATTEMPT"),
        ("[env]\nAWS_SECRET_ACCESS_KEY = 'x'", "env_secrets"),
        ("[env_secrets]\nTOKEN = 'secret'", "what Kubernetes takes"),
        ("[dataset.imagenet]\ncpu = '1'", "correct its name"),
        ("[dataset.mnist]\nnamespace = 'x'", "set it for all data sets"),
        ("namespace = ", "is not TOML"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(tmp_path, toml, said):
    with pytest.raises(InvalidInput, match=said) as caught:
        loaded(tmp_path, toml)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("flags", [["--gpus", "one"], ["--labels", "team"], ["--settings", "absent.toml"]])
def test_a_flag_that_cannot_be_read_is_refused(tmp_path, flags):
    with pytest.raises(InvalidInput, match=r"correct it|check --settings"):
        loaded(tmp_path, flags=flags)


def test_a_tag_is_accepted_on_request(tmp_path):
    assert loaded(tmp_path, flags=["--allow-tag", "--image", "r/trainer:v1"]).image == "r/trainer:v1"
