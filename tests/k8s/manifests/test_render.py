"""Manifests: what they hold, what can be set, and that no value a user gives changes their shape."""

import os
from pathlib import Path

import hypothesis
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiment.errors import InvalidInput
from k8s.manifests import checks, render, template
from tests.k8s.factories import IMAGE, RICH, launch, shape_of
from tests.k8s.manifests.test_template import HOSTILE

GOLDEN = Path(__file__).parent / "golden"


def every_part(given_launch):
    return [
        render.prepare_manifest(given_launch, "mnist", "full-f7b7a7-prepare-mnist"),
        render.trainer_manifest(given_launch, "mnist", "full-f7b7a7-mnist-5c9d0e", 13),
        render.collect_manifest(given_launch, "full-f7b7a7-collect-0a1b2c"),
    ]


@pytest.mark.parametrize(("name", "values"), [("plain", {}), ("rich", RICH)])
def test_the_manifests_are_the_golden_ones(name, values):
    """After a wanted change: UPDATE_GOLDEN=1 pytest tests/k8s/manifests/test_render.py, then read the difference."""
    found = every_part(launch(**values))
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(template.to_yaml(found))

    assert found == list(yaml.safe_load_all(path.read_text()))
    checks.check_manifests(found)


def test_a_trainer_pod_runs_one_cell_of_its_job():
    job = render.trainer_manifest(launch(), "mnist", "j", 13)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {e["name"]: e.get("value") for e in container["env"]}

    assert " ".join(container["command"]) == "python -m trainer --run s3://bucket/prefix/runs/full-f7b7a7 --job j"
    assert container["resources"]["limits"] == {"memory": "12Gi", "nvidia.com/gpu": "1"}
    assert (env["IMAGE"], env["GIT_COMMIT"]) == (IMAGE, "c0ffee")
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == 13


def test_without_gpus_none_is_asked_for():
    pod = render.trainer_manifest(launch(gpus=0), "mnist", "j", 1)["spec"]["template"]["spec"]

    assert set(pod["containers"][0]["resources"]["limits"]) == {"memory"}


def test_a_data_sets_own_settings_reach_its_job_only():
    ours = launch(dataset={"notmnist": {"deadline_hours": 2.0, "memory": "30Gi"}})

    assert render.trainer_manifest(ours, "notmnist", "j", 1)["spec"]["activeDeadlineSeconds"] == 7200
    assert render.trainer_manifest(ours, "mnist", "j", 1)["spec"]["activeDeadlineSeconds"] == 168 * 3600


relaxed = hypothesis.settings(deadline=None, max_examples=60)  # the first fill compiles the template
OPTIONS = {
    "namespace": "n",
    "image": IMAGE,
    "queue": "q",
    "priority_class": "p",
    "runtime_class": "r",
    "capacity": "c",
    "s3_endpoint": "http://h",
    "cpu": "1",
    "trainer_account": "a",
}


@relaxed
@given(st.sampled_from(sorted(OPTIONS)), HOSTILE)
def test_a_setting_is_refused_or_stays_in_its_place(name, text):
    expected = shape_of(render.trainer_manifest(launch(**OPTIONS), "mnist", "j", 3))
    try:
        found = render.trainer_manifest(launch(**{**OPTIONS, name: text or OPTIONS[name]}), "mnist", "j", 3)
    except InvalidInput:
        return

    assert shape_of(found) == expected
