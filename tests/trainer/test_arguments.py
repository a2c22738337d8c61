"""What the environment may say to the trainer, and how it is refused."""

import argparse
import socket

import pytest

from experiment.errors import InvalidInput
from experiment.places import Place
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


def test_a_worker_is_the_same_program_and_one_of_a_pod_has_the_pods_seat():
    alone = argparse.Namespace(run="U", job=None, index=None, tensorboard=False)
    of_pod = argparse.Namespace(run="U", job="j", index=3, tensorboard=True)
    job = ["--job", "j", "--index", "3"]

    assert arguments.worker_command(alone)[1:] == ["-m", "trainer", "--run", "U", "--indexes", "-"]
    assert arguments.worker_command(of_pod)[3:] == ["--run", "U", *job, "--indexes", "-", "--tensorboard"]


def test_a_worker_has_its_place_and_the_attempt_of_its_pool():
    shared = Place(name="gpu0", env={"GPU_WORKERS": "4", "B": "c"})
    found = arguments.worker_environ({"A": "b", "B": "b"}, shared, "uid")

    assert found == {"A": "b", "B": "c", "GPU_WORKERS": "4", "ATTEMPT": "uid"}
    assert (arguments.gpu_workers(found), arguments.gpu_workers({})) == (4, 1)


def test_a_pod_tries_a_cell_once_and_a_launchers_pool_perhaps_again():
    assert arguments.name_try("uid", of_pod=True) == "uid"
    names = {arguments.name_try("u" * 64, of_pod=False) for _ in range(3)}
    assert len(names) == 3
    assert all(arguments.attempt_name({"ATTEMPT": name}) == name for name in names)


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

    assert "needs --to litert|litert-int8|onnx|savedmodel" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--pack", "photos", "--out", "x.npz"), "needs --size PIXELS and --out"),
        (("--pack", "photos", "--size", "8"), "needs --size PIXELS and --out"),
        (("--verify-resume", "--grid", "g.toml"), "--grid FILE is of --prepare NAME"),
    ],
)
def test_what_a_flag_needs_is_said(argv, words, capsys):
    with pytest.raises(SystemExit):
        arguments.parse_arguments(argv)

    assert words in capsys.readouterr().err


def test_an_export_is_parsed():
    given = arguments.parse_arguments(["--export", "store", "cell", "ST", "--to", "litert", "--out", "st.tflite"])

    assert (given.export, given.to, str(given.out)) == (["store", "cell", "ST"], "litert", "st.tflite")
