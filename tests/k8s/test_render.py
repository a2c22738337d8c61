"""Manifests: what they hold, what can be set, and that no value a user gives changes their shape."""

import os
import string
from pathlib import Path

import hypothesis
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiment.errors import InvalidInput
from k8s.manifests import checks, names, render, template
from tests.k8s.settings_of import IMAGE, launch

GOLDEN = Path(__file__).parent / "golden"
RICH = {
    "max_failed": 5, "parallelism": 4, "capacity": "spot", "instance_types": ("g4dn.xlarge", "g5.xlarge"),
    "node_selector": {"disk": "ssd"}, "tolerations": ("nvidia.com/gpu:NoSchedule", "team=vision"), "priority_class": "low",
    "runtime_class": "nvidia", "queue": "gpus", "queue_priority": "urgent", "labels": {"team": "yes"},
    "annotations": {"note": 'a "quoted": #value'}, "env": {"TF_CPP_MIN_LOG_LEVEL": "1"},
    "env_secrets": {"AWS_SECRET_ACCESS_KEY": "s3/secret"}, "s3_endpoint": "http://10.0.0.1:9000", "s3_region": "eu-central-1",
    "pull_secrets": ("registry",), "tensorboard": True, "gpu_resource": "nvidia.com/mig-1g.10gb",
}  # fmt: skip


def every_part(given_launch):
    return [
        render.prepare(given_launch, "mnist", "full-f7b7a7-prepare-mnist"),
        render.trainer(given_launch, "mnist", "full-f7b7a7-mnist-5c9d0e", 13),
        render.collect(given_launch, "full-f7b7a7-collect-0a1b2c"),
    ]


@pytest.mark.parametrize(("name", "values"), [("plain", {}), ("rich", RICH)])
def test_the_manifests_are_the_golden_ones(name, values):
    """After a wanted change: UPDATE_GOLDEN=1 pytest tests/k8s/test_render.py, then read the difference."""
    found = every_part(launch(**values))
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(template.to_yaml(found))

    assert found == list(yaml.safe_load_all(path.read_text()))
    checks.check(found)


def test_a_trainer_pod_runs_one_cell_of_its_job():
    job = render.trainer(launch(), "mnist", "j", 13)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {e["name"]: e.get("value") for e in container["env"]}

    assert container["command"] == [
        "python",
        "-m",
        "trainer",
        "--run",
        "s3://bucket/prefix/runs/full-f7b7a7",
        "--job",
        "j",
    ]
    assert container["resources"]["limits"] == {"memory": "12Gi", "nvidia.com/gpu": "1"}
    assert (env["IMAGE"], env["GIT_COMMIT"]) == (IMAGE, "c0ffee")
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == 13


def test_without_gpus_none_is_asked_for():
    pod = render.trainer(launch(gpus=0), "mnist", "j", 1)["spec"]["template"]["spec"]

    assert set(pod["containers"][0]["resources"]["limits"]) == {"memory"}


def test_a_data_sets_own_settings_reach_its_job_only():
    ours = launch(dataset={"notmnist": {"deadline_hours": 2.0, "memory": "30Gi"}})

    assert render.trainer(ours, "notmnist", "j", 1)["spec"]["activeDeadlineSeconds"] == 7200
    assert render.trainer(ours, "mnist", "j", 1)["spec"]["activeDeadlineSeconds"] == 168 * 3600


def test_a_template_that_lacks_a_value_is_an_error():
    with pytest.raises(Exception, match=r"undefined|not JSON"):
        template.document("trainer", {"job": "j"})


relaxed = hypothesis.settings(deadline=None, max_examples=60)  # the first fill compiles the template
HOSTILE = st.text(alphabet=st.sampled_from(string.printable + "é\u0085\u2028'\"{}%#:\n"), max_size=40)
KEYS = st.text(alphabet=string.ascii_letters + string.digits + "\"': #{}%\n", min_size=1, max_size=20)


def shape(value):
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    return [shape(v) for v in value] if isinstance(value, list) else type(value).__name__


VALUES = {
    "job": "j", "namespace": "n", "run_url": "s3://b/runs/r", "labels": {}, "job_labels": {}, "annotations": {},
    "job_annotations": {}, "pull_secrets": [], "scratch": "1Gi", "grace_seconds": 100, "ttl_seconds": 1, "env": [], "account": "a",
    "image": "i", "refresh_seconds": "60", "requests": {}, "limits": {},
}  # fmt: skip


@relaxed
@given(st.sampled_from(sorted(k for k, v in VALUES.items() if isinstance(v, str))), HOSTILE)
def test_no_text_in_any_place_injects_a_key(place, text):
    expected = shape(template.document("collect", VALUES))
    try:
        found = template.document("collect", {**VALUES, place: text})
    except InvalidInput:
        return

    assert shape(found) == expected
    assert text in str(found) or repr(text)[1:-1] in str(found) or not text


@relaxed
@given(st.dictionaries(KEYS, HOSTILE, max_size=4))
def test_a_table_arrives_as_it_is_or_is_refused(table):
    try:
        found = template.document(
            "collect", {**VALUES, "labels": table, "env": [{"name": "A", "value": v} for v in table.values()]}
        )
    except InvalidInput:
        return

    assert found["spec"]["template"]["metadata"]["labels"] == table
    assert [e["value"] for e in found["spec"]["template"]["spec"]["containers"][0]["env"][1:]] == list(table.values())


OPTIONS = {"namespace": "n", "image": IMAGE, "queue": "q", "priority_class": "p", "runtime_class": "r", "capacity": "c",
           "s3_endpoint": "http://h", "cpu": "1", "trainer_account": "a"}  # fmt: skip


@relaxed
@given(st.sampled_from(sorted(OPTIONS)), HOSTILE)
def test_a_setting_is_refused_or_stays_in_its_place(name, text):
    expected = shape(render.trainer(launch(**OPTIONS), "mnist", "j", 3))
    try:
        found = render.trainer(launch(**{**OPTIONS, name: text or OPTIONS[name]}), "mnist", "j", 3)
    except InvalidInput:
        return

    assert shape(found) == expected


def test_names_are_built_and_parsed_alike():
    job = names.trainer_job("run", "mnist", [1, 2])

    assert job == names.trainer_job("run", "mnist", [1, 2]) != names.trainer_job("run", "mnist", [1, 3])
    assert names.trainer_job("run", "mnist", [1, 2], taken={job}) not in (
        job,
        names.trainer_job("run", "mnist", [1, 3]),
    )
    assert names.prepare_job("run", "mnist") == "run-prepare-mnist"
    assert names.prepare_job("run", "mnist", {"run-prepare-mnist"}) == "run-prepare-mnist-1"
    assert names.prepared_dataset("run-prepare-mnist-1") == names.prepared_dataset("run-prepare-mnist") == "mnist"
    assert names.prepared_dataset(job) is None


def test_the_indexes_in_a_jobs_status_are_read():
    assert names.indexes_of("1,3-5,7") == {1, 3, 4, 5, 7}
    assert names.indexes_of(None) == names.indexes_of("") == set()
