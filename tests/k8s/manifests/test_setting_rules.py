"""A setting that cannot work is refused when it is made, with what is allowed."""

from __future__ import annotations

import tomllib

import pytest

from experiment.errors import InvalidInput
from k8s.manifests.setting_rules import check_type
from k8s.manifests.settings import Settings


def settings_of(toml):
    return Settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in tomllib.loads(toml).items()})


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("namespace = 'X'", "a-z, 0-9"),
        ("namespace = 3", "text"),
        ("gpus = -1", "0 to 64"),
        ("gpus = true", "a whole number"),
        ("cpu = 'two'", "a quantity"),
        ("cells_per_pod = 0", "1 to 1000"),
        ("workers_per_gpu = 2", "1 to cells_per_pod, 1"),
        ("cells_per_pod = 4\ngpus = 2", "0 or 1 with cells_per_pod 4"),
        ("[dataset.mnist]\nworkers_per_gpu = 2", "1 to cells_per_pod, 1"),
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
        ("s3_endpoint = 'http://[::1'", "a port up to 65535"),
        ("s3_endpoint = 'http://minio:99999'", "a port up to 65535"),
        ("proxy = 'http://proxy:3128:1'", "a port up to 65535"),
        ("notify = 'hooks.example/x'", "http"),
        ("notify = 'https://hooks.example/two words'", "http"),
        ("notify = 'https://ann:secret@hooks.example/'", "without a user"),
        ("[labels]\n'bad key' = 'x'", "what Kubernetes takes"),
        ("[labels]\nteam = 'no spaces'", "what Kubernetes takes"),
        ('[annotations]\nnote = "two\\nlines"', "printable"),
        ("[annotations]\nnote = '\U0001f600'", "printable"),
        ("[env]\nATTEMPT = 'x'", "names other than ATTEMPT"),
        ("[env]\nAWS_SECRET_ACCESS_KEY = 'x'", "env_secrets"),
        ("[env_secrets]\nTOKEN = 'secret'", "NAME=SECRET/KEY"),
        ("[dataset.Image-Net]\ncpu = '1'", "correct its name"),
        ("[dataset.mnist]\nnamespace = 'x'", "set it for all data sets"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(toml, said):
    with pytest.raises(InvalidInput, match=said) as caught:
        settings_of(toml)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "value"), [("int", True), ("float", float("nan")), ("Mapping[str, str]", {"a": 1})])
def test_a_value_of_another_type_is_refused(kind, value):
    with pytest.raises(InvalidInput, match="setting x is"):
        check_type("x", value, kind)


LONG = "a" * 200


@pytest.mark.parametrize(
    "toml",
    [
        *["pull_secrets = ['ghcr.io']", "trainer_account = 'team.trainer'", "collector_account = 'team.collector'"],
        *["priority_class = 'low.priority'", "runtime_class = 'nvidia.v2'", "queue = 'team.gpus'"],
        *[
            "queue_priority = 'team.urgent'",
            "[env_secrets]\nTOKEN = 'my.secret/key.file'",
            "[env]\n'my.setting-1' = 'x'",
        ],
        *[f"pull_secrets = ['{LONG}']", "instance_types = ['g4dn.xlarge']", "gpu_resource = 'amd.com/gpu'"],
        *["[labels]\n'team.example.org/cost-center' = '4.2'", "[node_selector]\n'cloud.example.com/pool' = 'gpu.v1'"],
    ],
)
def test_names_with_dots_are_taken_where_kubernetes_takes_them(toml):
    settings_of(toml)


@pytest.mark.parametrize(
    "toml",
    [
        *[
            "namespace = 'team.lab'",
            "priority_class = '.low'",
            "pull_secrets = ['Ghcr.io']",
            "trainer_account = 'a..b'",
        ],
        *[f"queue = '{'a' * 64}'", f"pull_secrets = ['{'a' * 254}']", "runtime_class = 'a_b'", "[env]\n'1A' = 'x'"],
    ],
)
def test_names_that_kubernetes_does_not_take_are_refused(toml):
    with pytest.raises(InvalidInput, match="allowed: "):
        settings_of(toml)
