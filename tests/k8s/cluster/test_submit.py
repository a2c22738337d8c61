"""Manifests are created once, never changed behind the user's back, and compared with what the server holds."""

from __future__ import annotations

import copy

import pytest

from experiment.errors import InvalidInput
from k8s.cluster import submit
from k8s.cluster.kube import connect_cluster
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
        submit.check_on_server(kube, [other])


def test_the_commit_of_the_launcher_and_the_parallelism_make_no_difference():
    other = copy.deepcopy(JOB)
    other["spec"]["parallelism"] = 1
    other["metadata"]["labels"]["collaborative-ensembles/commit"] = "later"

    assert submit.job_differences(JOB, other) == []


def test_a_namespace_without_its_accounts_is_named(api, kube):
    with pytest.raises(InvalidInput, match="no service account ensemble-trainer"):
        submit.check_namespace(kube, settings())
