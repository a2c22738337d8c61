"""The user's patch of the pods: merged as the server would, into every part, checked, and refused in one line."""

from __future__ import annotations

import pytest

from experiment.errors import InvalidInput
from k8s.manifests import checks, render
from k8s.manifests.patch import read_patch
from tests.k8s.factories import launch

PATCH = """
metadata:
  annotations: {sidecar.istio.io/inject: "false"}
spec:
  dnsPolicy: None
  enableServiceLinks: null
  volumes:
    - {name: tmp, emptyDir: {sizeLimit: 20Gi}}
    - {name: data, persistentVolumeClaim: {claimName: data}}
  containers:
    - name: trainer
      resources: {limits: {cpu: "4"}}
      env: [{name: HOME, value: /work}]
      volumeMounts: [{name: data, mountPath: /data}]
"""


def patched(text, tmp_path, **values):
    path = tmp_path / "patch.yaml"
    path.write_text(text)
    given = launch(**values)
    own = render.Launch(
        store=given.store,
        run=given.run,
        grid="g",
        git_commit="",
        settings=given.settings,
        pod_patch=read_patch(str(path)),
    )
    return [
        render.trainer_manifest(own, "mnist", "r-mnist-123456", 2),
        render.prepare_manifest(own, "mnist", "r-prepare-mnist"),
        render.collect_manifest(own, "r-collect-123456"),
    ]


def test_a_patch_is_merged_into_the_pods_of_every_part(tmp_path):
    trainer, prepare, collect = patched(PATCH, tmp_path)

    for job in (trainer, prepare, collect):
        pod = job["spec"]["template"]["spec"]
        assert pod["dnsPolicy"] == "None"
        assert "enableServiceLinks" not in pod
        assert {v["name"]: v for v in pod["volumes"]}["tmp"]["emptyDir"] == {"sizeLimit": "20Gi"}
        assert job["spec"]["template"]["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
    (own,) = trainer["spec"]["template"]["spec"]["containers"]
    assert own["resources"]["limits"] == {"memory": "12Gi", "nvidia.com/gpu": "1", "cpu": "4"}
    assert [e["value"] for e in own["env"] if e["name"] == "HOME"] == ["/work"]
    assert [m["mountPath"] for m in own["volumeMounts"]] == ["/tmp", "/data"]
    checks.check_manifests([trainer, prepare, collect])


def test_a_container_of_one_part_is_added_to_no_other(tmp_path):
    _, prepare, collect = patched(PATCH, tmp_path)

    assert [c["name"] for c in prepare["spec"]["template"]["spec"]["containers"]] == ["prepare"]
    assert [c["name"] for c in collect["spec"]["template"]["spec"]["containers"]] == ["collect"]


@pytest.mark.parametrize(
    "text",
    [
        "spec: {containers: [{name: trainer, securityContext: {readOnlyRootFilesystem: false}}]}",
        "spec: {containers: [{name: trainer, securityContext: null}]}",
        "spec: {containers: [{name: extra, image: x}]}",
        "spec: {restartPolicy: OnFailure}",
        "spec: {securityContext: null}",
        "spec: {terminationGracePeriodSeconds: 600}",
    ],
)
def test_what_a_patch_makes_is_checked_like_all_else(text, tmp_path):
    with pytest.raises(InvalidInput, match="correct the settings"):
        checks.check_manifests(patched(text, tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spec: [1]", "pod_patch.spec in the patch"),
        ("spec: {containers: {name: trainer}}", "a list of tables with name"),
        ("spec: {volumes: [tmp]}", "a list of tables with name"),
        ("spec: {tolerations: x}", "pod_patch.spec.tolerations in the patch"),
        ("kind: Pod", "metadata and spec of a pod template"),
        ("- 1", "metadata and spec of a pod template"),
        ("", "metadata and spec of a pod template"),
        ("a: [", "a YAML file"),
    ],
)
def test_a_patch_that_is_none_is_refused_in_one_line(text, said, tmp_path):
    with pytest.raises(InvalidInput, match="allowed: ") as refused:
        patched(text, tmp_path)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_patch_that_is_missing_is_named():
    with pytest.raises(InvalidInput, match=r"setting pod_patch.*nowhere\.yaml"):
        read_patch("nowhere.yaml")
