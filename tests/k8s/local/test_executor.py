"""The local executor: every cell trained once, in warm workers, whatever fails on the way."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

from experiment import keys, records
from experiment.store import LocalStore
from k8s.local import training
from tests.k8s.local.conftest import ONCE


def test_a_grid_is_trained_and_reported_and_the_last_line_says_where(launcher):
    code, lines, _ = launcher()

    assert code == 0
    assert lines[-2:] == ["report on 6 cells", f"{launcher.store}/reports/six-{lines[-1][-17:-11]}/index.html"]
    assert launcher.commits() == ONCE


def test_a_second_launch_trains_nothing_and_still_reports(launcher):
    _, first, _ = launcher()
    code, second, _ = launcher()

    assert code == 0
    assert second == ["grid six: 6 cells, 6 done, 0 to train", first[1], *first[-2:]]
    assert launcher.commits() == ONCE


def test_a_larger_grid_trains_only_what_is_new(launcher):
    launcher("--only", "method=ce")
    code, lines, _ = launcher()

    assert code == 0
    assert "6 cells, 3 done, 3 to train; about" in lines[0]
    assert launcher.commits() == ONCE


def test_each_worker_is_started_once_and_leaves_its_shape_only_when_that_has_no_cell_left(launcher):
    launcher()
    shapes = defaultdict(list)
    for event in launcher.events("begin"):
        shapes[event["pid"]].append(event["shape"])

    assert len(launcher.events("quit")) == len(shapes) == 2
    for seen in shapes.values():
        assert len([s for s, _ in itertools.groupby(seen)]) == len(set(seen))


def test_a_worker_without_gpu_has_one_thread_unless_more_are_asked_for(launcher):
    launcher("--only", "method=ce")
    launcher("--threads", "3")

    assert [e["threads"] for e in launcher.events("begin")] == ["1"] * 3 + ["3"] * 3


def test_workers_write_summaries_if_asked_to(launcher):
    launcher("--only", "method=ce")
    launcher("--only", "method=l2", "--tensorboard")

    assert [e["tensorboard"] for e in launcher.events("quit")] == [False, False, True, True]


def test_data_sets_are_prepared_once_before_any_cell(launcher):
    launcher()

    assert [e["event"] for e in launcher.events()].index("prepare") == 0
    assert len(launcher.events("prepare")) == 1


def test_what_may_work_another_time_is_tried_again(launcher):
    ends = ("transient", "kill", "exit", "interrupted")
    launcher.behave(ends={str(i): [end] * 2 for i, end in enumerate(ends)})
    code, _, _ = launcher()
    begun = Counter(e["index"] for e in launcher.events("begin"))

    assert code == 0
    assert launcher.commits() == ONCE
    assert begun == {0: 3, 1: 3, 2: 3, 3: 3, 4: 1, 5: 1}
    assert training.ATTEMPTS == 3


def test_a_cell_that_cannot_be_trained_is_given_up_with_its_reason_and_the_others_are_done(launcher):
    ends = ("transient", "kill", "exit", "invalid", "diverged")
    launcher.behave(ends={str(i): [end] * 9 for i, end in enumerate(ends)})
    code, lines, _ = launcher()
    failed = [line for line in lines if line.startswith("failed: ")]
    begun = Counter(e["index"] for e in launcher.events("begin"))

    assert code == 1
    assert begun == {0: 3, 1: 3, 2: 3, 3: 1, 4: 1, 5: 1}
    assert [line.split(": ", 2)[2] for line in failed] == [
        "transient: the cell is transient",
        "error: its worker was killed by SIGKILL (out of memory?)",
        "error: its worker ended with exit code 1: ImportError: no such thing",
        "invalid: the cell is invalid",
        "diverged: the cell is diverged",
    ]
    assert failed[0].startswith("failed: digits-ce-1-s0-")
    assert lines[-2] == "report on 1 cells"


def test_a_diverged_cell_is_set_aside_until_it_is_asked_for(launcher):
    launcher.behave(ends={"0": ["invalid"], "1": ["transient"] * 3, "2": ["diverged"]})
    assert launcher()[0] == 1
    code, lines, _ = launcher()  # trains again what was given up, but not what diverged

    assert code == 1
    assert lines[0].startswith(
        "grid six: 6 cells, 3 done, 2 to train, 1 set aside (--retry-diverged trains them again)"
    )
    assert [line for line in lines if line.startswith("failed: digits-ce-0p01-") and "set aside: the cell is" in line]
    code, lines, _ = launcher("--retry-diverged")
    assert (code, lines[-2]) == (0, "report on 6 cells")


def test_a_worker_killed_outright_leaves_a_failure_record(launcher):
    launcher.behave(ends={"1": ["kill"]})
    launcher()
    store = LocalStore(launcher.store)
    (key,) = store.list(keys.FAILURES)
    failure = records.parse_record(store.read(key), key)

    assert (failure.kind, failure.exit_code, failure.epoch) == ("error", -9, 10)
    assert failure.message == "its worker was killed by SIGKILL (out of memory?)"
    assert failure.attempt == keys.attempt_of(key)[1]


def test_a_data_set_that_cannot_be_prepared_fails_its_cells_with_the_reason(launcher):
    launcher.behave(prepare=42)
    code, lines, _ = launcher()

    assert code == 1
    assert lines.count("report on 0 cells") == 1
    assert (
        sum("data set digits: the archive has a wrong checksum; remove it" in x for x in lines if x[:7] == "failed:")
        == 6
    )
    assert len(launcher.events("prepare")) == 1


def test_a_data_set_whose_preparation_fails_for_now_is_tried_again(launcher):
    launcher.behave(prepare=75)
    launcher()

    assert len(launcher.events("prepare")) == 3


def test_a_trainer_that_cannot_start_is_not_started_for_every_cell(launcher):
    launcher.behave(start=1)
    code, lines, _ = launcher("--seeds", "10")
    failed = [line for line in lines if line.startswith("failed: ")]

    assert code == 1
    assert len(failed) == 60
    assert "no worker starts: its worker ended with exit code 1: ModuleNotFoundError: no tensorflow" in lines[-4]
    assert sum("begins" in line for line in lines) < 6


def test_a_setting_that_no_worker_can_start_with_ends_the_launch_and_fails_no_cell(launcher):
    launcher.behave(start=42)
    code, lines, error = launcher()

    assert code == 42
    assert error.splitlines()[-1] == "error: no worker starts: ModuleNotFoundError: no tensorflow"
    assert not [line for line in lines if line.startswith("failed: ")]
    assert list(LocalStore(launcher.store).list(keys.FAILURES)) == []


def test_two_launches_at_once_do_each_cell_once(launcher):
    launcher.behave(seconds=0.6)
    one, two = launcher.start(), launcher.start()
    outs = [p.communicate(timeout=120) for p in (one, two)]

    assert [one.returncode, two.returncode] == [0, 0], outs
    assert [out.splitlines()[-2] for out, _ in outs] == ["report on 6 cells"] * 2
    assert launcher.commits() == ONCE
    assert len(launcher.events("begin")) == 6


def test_results_land_in_s3_as_well(launcher, moto_store):
    launcher.store = moto_store.url
    code, lines, _ = launcher()

    assert code == 0
    assert lines[-1].startswith(f"{moto_store.url}/reports/six-")
    assert len(keys.committed(moto_store.list(keys.RESULTS))) == 6
    assert launcher.commits() == ONCE
    assert launcher()[1][0] == "grid six: 6 cells, 6 done, 0 to train"
