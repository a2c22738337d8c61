"""Every known pitfall of a Job is named before a server sees it, and a good Job passes."""

import copy

import pytest

from experiment.errors import InvalidInput
from k8s.manifests import checks, render
from tests.k8s.factories import launch

RUN = "a" * 30  # the longest name that a run may have
GOOD = render.trainer_manifest(launch(run=RUN), "notmnist", f"{RUN}-notmnist-123456", 10_000)


def changed(path, value):
    """The good Job with one place set to a value, or removed."""
    job = copy.deepcopy(GOOD)
    *way, last = path
    here = job
    for step in way:
        here = here[step]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return job


SPEC, POD = ["spec"], ["spec", "template", "spec"]
CONTAINER = [*POD, "containers", 0]


def test_the_longest_names_and_largest_jobs_that_a_launch_makes_pass():
    assert checks.find_problems(GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["metadata", "name"], "a" * 60, "its last pod would be called"),
        (["metadata", "labels"], {"team": "a b"}, "cannot be given"),
        ([*SPEC, "parallelism"], 100_001, "parallelism is 100001"),
        ([*SPEC, "completions"], 100_001, "max_failed is -1"),
        ([*SPEC, "podFailurePolicy", "rules"], [], "does not ignore disruptions"),
        ([*SPEC, "podFailurePolicy", "rules", 1, "onExitCodes", "values"], [43, 42], "not in order"),
        ([*SPEC, "podFailurePolicy", "rules", 1, "onExitCodes", "values"], [0, 42], "not in order"),
        ([*SPEC, "backoffLimitPerIndex"], None, "one bad cell would stop the others"),
        ([*SPEC, "podReplacementPolicy"], "TerminatingOrFailed", "two pods could train one cell"),
        ([*SPEC, "ttlSecondsAfterFinished"], 60, "removed 60 s after its end"),
        ([*POD, "restartPolicy"], "OnFailure", "restartPolicy is not Never"),
        ([*POD, "terminationGracePeriodSeconds"], 300, "grace period is 300 s"),
        ([*POD, "securityContext", "runAsUser"], 0, "user other than root"),
        ([*CONTAINER, "image"], "r/trainer:latest", "other than latest"),
        ([*CONTAINER, "image"], "", "has no image"),
        ([*CONTAINER, "securityContext", "readOnlyRootFilesystem"], False, "root file system"),
        ([*CONTAINER, "securityContext", "allowPrivilegeEscalation"], True, "keeps privileges"),
        ([*CONTAINER, "resources", "limits"], {}, "lacks a request"),
        (["metadata", "annotations"], {"note": "x" * 1_000_001}, "bytes; allowed"),
    ],
)
def test_a_pitfall_is_named(path, value, said):
    job = changed(path, value)

    assert any(said in p for p in checks.find_problems(job))
    with pytest.raises(InvalidInput, match="correct the settings"):
        checks.check_manifests([job])


def test_the_first_rule_must_be_the_one_for_disruptions():
    rules = GOOD["spec"]["podFailurePolicy"]["rules"]

    assert checks.find_problems(changed([*SPEC, "podFailurePolicy", "rules"], rules[::-1])) == [
        "the first rule does not ignore disruptions: a lost node would cost a retry"
    ]
