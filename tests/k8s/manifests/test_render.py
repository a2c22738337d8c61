"""Manifests: what they hold, what can be set, and that no value a user gives changes their shape."""

import dataclasses
import os
from pathlib import Path

import hypothesis
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiment.errors import InvalidInput
from k8s.manifests import checks, names, render, template
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


def test_a_trainer_pod_of_several_cells_has_workers_and_the_retries_and_hours_of_its_cells():
    own = launch(cells_per_pod=4, workers_per_gpu=2, dataset={"cifar10": {"cells_per_pod": 1, "workers_per_gpu": 1}})
    job, alone = (render.trainer_manifest(own, d, "j", 13) for d in ("mnist", "cifar10"))
    pod = job["spec"]["template"]["spec"]
    command = "python -m trainer --run s3://bucket/prefix/runs/full-f7b7a7 --job j"

    assert " ".join(pod["containers"][0]["command"]) == f"{command} --workers 2"
    assert (job["spec"]["backoffLimitPerIndex"], pod["activeDeadlineSeconds"]) == (12, 2 * 24 * 3600)
    assert " ".join(alone["spec"]["template"]["spec"]["containers"][0]["command"]) == command
    assert alone["spec"]["backoffLimitPerIndex"] == 3
    checks.check_manifests([job, alone])


def test_a_trainer_pod_runs_one_cell_of_its_job():
    job = render.trainer_manifest(launch(), "mnist", "j", 13)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {e["name"]: e.get("value") for e in container["env"]}

    assert " ".join(container["command"]) == "python -m trainer --run s3://bucket/prefix/runs/full-f7b7a7 --job j"
    assert container["resources"]["limits"] == {"memory": "12Gi", "nvidia.com/gpu": "1"}
    assert (env["IMAGE"], env["GIT_COMMIT"]) == (IMAGE, "c0ffee")
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == 13


@pytest.mark.parametrize(("cells", "minimum"), [(1, None), (2, "1"), (3, "2"), (9, "4")])
def test_the_least_parallelism_of_a_queue_is_less_than_that_of_the_job(cells, minimum):
    job = render.trainer_manifest(launch(queue="gpus", queue_minimum=4), "mnist", "j", cells)

    assert job["metadata"]["annotations"].get("kueue.x-k8s.io/job-min-parallelism") == minimum


def test_certificates_are_mounted_in_every_part_and_named_by_their_variables():
    for job in every_part(launch(ca_bundle="company/root.pem")):
        pod = job["spec"]["template"]["spec"]
        (volume,) = [v for v in pod["volumes"] if v["name"] == "ca"]
        assert volume["configMap"] == {"name": "company", "items": [{"key": "root.pem", "path": "bundle.crt"}]}
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
            env = {e["name"]: e.get("value") for e in container["env"]}
            assert {env[v] for v in render.CA_VARIABLES} == {f"{mounts['ca']}/bundle.crt"}


def test_preparing_and_collecting_pods_have_a_place_of_their_own():
    place = {"node_selector": {"pool": "gpu"}, "cpu_node_selector": {"pool": "cpu"}, "cpu_tolerations": ("spot",)}
    prepare, trainer, collect = (
        j["spec"]["template"]["spec"] for j in every_part(launch(**place, priority_class="low"))
    )

    assert trainer["nodeSelector"] == {"kubernetes.io/arch": "amd64", "pool": "gpu"}
    assert prepare["nodeSelector"] == collect["nodeSelector"] == {"kubernetes.io/arch": "amd64", "pool": "cpu"}
    assert prepare["tolerations"] == collect["tolerations"] == [{"key": "spot", "operator": "Exists"}]
    assert {p["priorityClassName"] for p in (prepare, trainer, collect)} == {"low"}


@pytest.mark.parametrize(("given", "held"), [({}, None), ({"do_not_disrupt": "2h"}, "2h")])
def test_trainer_pods_alone_ask_not_to_be_disrupted_and_only_where_that_is_set(given, held):
    found = [
        j["spec"]["template"]["metadata"]["annotations"].get(names.NO_DISRUPTION) for j in every_part(launch(**given))
    ]

    assert found == [None, held, None]


def test_without_gpus_none_is_asked_for():
    pod = render.trainer_manifest(launch(gpus=0), "mnist", "j", 1)["spec"]["template"]["spec"]

    assert set(pod["containers"][0]["resources"]["limits"]) == {"memory"}


def test_a_pod_asks_for_the_disk_that_it_may_use_unless_a_queue_decides_what_may_be_asked_for():
    def disk(**values):
        pod = render.trainer_manifest(launch(scratch="5Gi", **values), "mnist", "j", 1)["spec"]["template"]["spec"]
        return pod["containers"][0]["resources"]["requests"].get("ephemeral-storage")

    assert (disk(), disk(queue="q")) == ("5Gi", None)


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


@pytest.mark.parametrize(
    ("values", "prices", "told"),
    [
        ({}, {}, (None, None)),
        ({"max_dollars": 12345678.5}, {"j": 0.53}, ("0.53", "12345678.5")),
        ({"max_dollars": 5}, {"other": 1.0}, (None, "5")),
    ],
)
def test_who_watches_a_trainer_job_finds_its_price_and_its_ceiling_on_it(values, prices, told):
    made = dataclasses.replace(launch(**values), prices=prices)
    job = render.trainer_manifest(made, "mnist", "j", 3)

    found = job["metadata"]["annotations"]
    assert (found.get(names.PRICE), found.get(names.CEILING)) == told
    assert not job["spec"]["template"]["metadata"]["annotations"].keys() & {names.PRICE, names.CEILING}
