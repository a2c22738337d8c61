"""Manifests are created once, never changed behind the user's back, and compared with what the server holds."""

from __future__ import annotations

import copy
import dataclasses

import pytest

from experiment.errors import InvalidInput
from k8s.cluster import submit
from k8s.cluster.connect import connect_cluster
from k8s.manifests import render
from tests.k8s.factories import launch, settings

JOB = render.trainer_manifest(launch(), "digits", "full-f7b7a7-digits-123456", 3)


@pytest.fixture
def kube(api):
    with connect_cluster("", "ensembles") as made:
        yield made


def test_a_job_that_is_there_is_left_as_it_is(api, kube):
    said = []
    submit.create_manifests(kube, [JOB], said.append)
    submit.create_manifests(kube, [JOB], said.append)

    assert said == [f"created Job {JOB['metadata']['name']}", f"unchanged Job {JOB['metadata']['name']}"]


def test_a_job_of_that_name_with_another_content_is_refused(api, kube):
    submit.create_manifests(kube, [JOB], lambda _: None)
    other = render.trainer_manifest(launch(memory="20Gi"), "digits", JOB["metadata"]["name"], 3)

    with pytest.raises(InvalidInput, match=r'limits.memory is "12Gi", not "20Gi"'):
        submit.check_on_server(kube, [other], print)


def test_the_commit_of_the_launcher_and_the_parallelism_make_no_difference():
    other = copy.deepcopy(JOB)
    other["spec"]["parallelism"] = 1
    other["metadata"]["labels"]["collaborative-ensembles/commit"] = "later"

    assert submit.job_differences(JOB, other) == []


def test_a_job_of_a_queue_stays_the_same_when_its_parallelism_changes():
    one, many = (
        render.trainer_manifest(
            dataclasses.replace(launch(queue="gpus"), parallelism={"j": n}), "digits", "j", completions=3
        )
        for n in (1, 3)
    )

    assert one["metadata"]["annotations"] != many["metadata"]["annotations"]  # what Kueue may reduce it to
    assert submit.setting_differences(many, submit.sign_manifest(one)) == []


def test_what_admission_made_of_a_job_is_no_other_setting_and_a_setting_that_was_removed_is():
    tolerant = launch(tolerations=("team=vision",))
    sent = submit.sign_manifest(render.trainer_manifest(tolerant, "digits", JOB["metadata"]["name"], 3))
    held = copy.deepcopy(sent)
    pod = held["spec"]["template"]["spec"]
    pod["tolerations"].append({"key": "spot", "operator": "Exists"})
    pod["containers"][0]["image"] = pod["containers"][0]["image"].replace("registry.example", "mirror.example")

    assert (
        submit.setting_differences(render.trainer_manifest(tolerant, "digits", JOB["metadata"]["name"], 3), held) == []
    )
    assert [d.path.split("[")[0] for d in submit.setting_differences(JOB, held)] == [
        "spec.template.spec.tolerations",
        "spec.template.spec.tolerations",
        "spec.template.spec.containers",
    ]


def test_a_namespace_without_its_accounts_is_named(api, kube):
    with pytest.raises(InvalidInput, match="no service account ensemble-trainer"):
        submit.check_namespace(kube, settings())
