"""What the server adds, drops, changes, and what a cluster's admission may change without changing the work."""

from __future__ import annotations

import copy

import pytest

from k8s.manifests import render
from k8s.manifests.differences import find_differences, parse_quantity
from tests.k8s.factories import IMAGE, launch

JOB = render.trainer_manifest(launch(env={"A": "1"}), "notmnist", "run-notmnist-123456", 3)
POD = "spec.template.spec"


def admitted(change):
    """What the server holds after admission changed the Job's pod."""
    job = copy.deepcopy(JOB)
    change(job["spec"]["template"]["spec"], job["spec"])
    return list(find_differences(JOB, job))


def test_fields_and_forms_of_the_server_are_no_difference():
    def stored(pod, spec):
        spec["suspend"] = False
        pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = "1000m"
        pod.pop("imagePullSecrets")

    assert admitted(stored) == []


HARMLESS = {
    "an image from a mirror": (
        lambda pod, _: pod["containers"][0].update(
            image=IMAGE.replace("registry.example", "mirror.example:5000/docker")
        )
    ),
    "a pull secret": lambda pod, _: pod["imagePullSecrets"].append({"name": "mirror"}),
    "a toleration": lambda pod, _: pod["tolerations"].append({"key": "spot", "operator": "Exists"}),
    "a variable": lambda pod, _: pod["containers"][0]["env"].append({"name": "HTTP_PROXY", "value": "http://proxy"}),
    "certificates": lambda pod, _: (
        pod["volumes"].append({"name": "ca", "configMap": {"name": "ca"}}),
        pod["containers"][0]["volumeMounts"].insert(0, {"name": "ca", "mountPath": "/etc/ssl/own"}),
    ),
    "an init container": lambda pod, _: pod["initContainers"].insert(0, {"name": "ca-injector", "image": "x"}),
    "a label of nodes": lambda pod, _: pod["nodeSelector"].update(pool="spot"),
    "an earlier removal": lambda _, spec: spec.update(ttlSecondsAfterFinished=7200),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_an_addition_of_admission_is_found_and_harmless(what):
    found = admitted(HARMLESS[what])

    assert found != []
    assert all(d.harmless for d in found)


GRAVE = {
    f"{POD}.containers[trainer].image": lambda pod, _: pod["containers"][0].update(
        image=IMAGE.replace("a" * 64, "b" * 64)
    ),
    f"{POD}.containers[trainer].env[A].value": lambda pod, _: next(
        e for e in pod["containers"][0]["env"] if e["name"] == "A"
    ).update(value="2"),
    f"{POD}.containers[sidecar]": lambda pod, _: pod["containers"].append({"name": "sidecar", "image": "x"}),
    f"{POD}.containers[trainer].command": lambda pod, _: pod["containers"][0].update(command=["sh"]),
    f"{POD}.volumes[tmp]": lambda pod, _: pod["volumes"].clear(),
    f"{POD}.containers[trainer].resources.limits.memory": lambda pod, _: pod["containers"][0]["resources"][
        "limits"
    ].update(memory="1Gi"),
    "spec.ttlSecondsAfterFinished": lambda _, spec: spec.update(ttlSecondsAfterFinished=60),
    "spec.podFailurePolicy": lambda _, spec: spec.pop("podFailurePolicy"),
}


@pytest.mark.parametrize("path", GRAVE)
def test_what_changes_the_work_is_grave(path):
    found = admitted(GRAVE[path])

    assert [d.path for d in found] == [path]
    assert not found[0].harmless


def test_a_difference_is_one_short_sentence():
    (one,) = admitted(lambda pod, _: pod["containers"][0].update(image="other"))

    assert str(one) == f'{POD}.containers[trainer].image is "other", not "{IMAGE[:86]}...'


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        *[("1000m", "1"), ("1Gi", "1024Mi"), ("0.5", "500m"), ("2k", "2000"), ("0.7", "700m"), ("2.50", "2500m")],
        *[("1.4Gi", "1503238553600m"), ("5000T", "5P"), ("4096Ti", "4Pi"), ("0.0001", "1m"), ("1.0001", "1000100u")],
    ],
)
def test_equal_quantities_are_equal_in_whatever_form_the_server_stores_them(sent, stored):
    assert parse_quantity(sent) == parse_quantity(stored)


@pytest.mark.parametrize(("one", "other"), [("0.7", "701m"), ("1Gi", "1G"), ("1503238553600m", "1.5Gi"), ("1", "1Ki")])
def test_quantities_that_differ_are_told_apart(one, other):
    assert parse_quantity(one) != parse_quantity(other)
