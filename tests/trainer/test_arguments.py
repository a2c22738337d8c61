"""What the environment may say to the trainer, and how it is refused."""

import argparse
import socket

import pytest

from experiment.errors import InvalidInput
from trainer import arguments


def test_without_an_environment_the_defaults_hold():
    assert arguments.checkpoint_seconds({}) == 60
    assert arguments.is_deterministic({}) is True
    assert len({arguments.attempt_name({}) for _ in range(3)}) == 3


def test_what_is_given_is_taken():
    assert arguments.checkpoint_seconds({"CHECKPOINT_SECONDS": "0.5"}) == 0.5
    assert arguments.is_deterministic({"DETERMINISTIC": "0"}) is False
    assert arguments.attempt_name({"ATTEMPT": "9a-b_c"}) == "9a-b_c"


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [
        (arguments.checkpoint_seconds, "CHECKPOINT_SECONDS", "-1"),
        (arguments.checkpoint_seconds, "CHECKPOINT_SECONDS", "soon"),
        (arguments.checkpoint_seconds, "CHECKPOINT_SECONDS", "inf"),
        (arguments.is_deterministic, "DETERMINISTIC", "maybe"),
        (arguments.attempt_name, "ATTEMPT", "../up"),
        (arguments.gpu_workers, "GPU_WORKERS", "0"),
        (arguments.gpu_workers, "GPU_WORKERS", "two"),
        (arguments.attempt_name, "ATTEMPT", "x" * 65),
    ],
)
def test_what_cannot_be_is_refused_by_name(function, name, value):
    with pytest.raises(InvalidInput, match=f"{name} is .*; allowed: "):
        function({name: value})


def test_a_worker_of_a_pod_has_the_pods_attempt_and_seat_and_of_several_its_share():
    given = argparse.Namespace(run="U", job="j", index=3, tensorboard=True)
    command = arguments.worker_command(given)

    assert command[1:] == [
        "-m",
        "trainer",
        "--run",
        "U",
        "--job",
        "j",
        "--index",
        "3",
        "--indexes",
        "-",
        "--tensorboard",
    ]
    alone = arguments.worker_environ({"A": "b"}, "uid", 1)
    assert alone == {"A": "b", "ATTEMPT": "uid"}
    assert arguments.gpu_workers(alone) == 1
    shared = arguments.worker_environ({"OMP_NUM_THREADS": "7"}, "uid", 4)
    assert arguments.gpu_workers(shared) == 4
    assert (shared["OMP_NUM_THREADS"], int(shared["TF_NUM_INTRAOP_THREADS"]) >= 1) == ("7", True)


def test_the_pods_of_one_index_of_one_job_share_a_seat_and_no_others():
    def holder(job, index, **environ):
        given = argparse.Namespace(job=job, index=index)
        return arguments.cell_holder(given, "full", environ)

    first = holder("full-cifar10-1", 3, JOB_UID="u-1")
    assert (first.name, first.seat) == ("run full, Job full-cifar10-1, index 3", "u-1/3")
    assert first == holder("full-cifar10-1", 3, JOB_UID="u-1")
    assert holder("full-cifar10-1", 3, JOB_UID="u-2").seat == "u-2/3"
    for outside in (holder(None, 3), holder("full-cifar10-1", 3), holder(None, None, JOB_UID="u-1")):
        assert outside.seat == ""
        assert outside.name == f"run full on {socket.gethostname()}"


@pytest.mark.parametrize(
    "argv",
    [
        ("--export", "store", "cell", "ST"),
        ("--to", "litert", "--prepare", "digits", "--store", "s"),
        ("--out", "x", "--verify-resume"),
    ],
)
def test_an_export_and_its_format_are_given_together(argv, capsys):
    with pytest.raises(SystemExit):
        arguments.parse_arguments(argv)

    assert "needs --to litert|litert-int8|savedmodel" in capsys.readouterr().err


def test_an_export_is_parsed():
    given = arguments.parse_arguments(["--export", "store", "cell", "ST", "--to", "litert", "--out", "st.tflite"])

    assert (given.export, given.to, str(given.out)) == (["store", "cell", "ST"], "litert", "st.tflite")
