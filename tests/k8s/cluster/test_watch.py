"""What a user who waits is told of the whole run, in one line, and when it has ended."""

from __future__ import annotations

from k8s.cluster import watch
from k8s.manifests import names
from tests.k8s.cluster_objects import GRID, job, pod, progress, state_of, view_of

CELL = GRID.cells[3].id
ENDED = [{"type": "Complete", "status": "True"}]


def test_the_line_on_the_whole_run_has_its_speed_and_the_time_that_is_left():
    running = state_of(3, jobs=[job()], pods=[pod(0)], progress={CELL: progress(CELL)})

    line = watch.summarize_cells([running, state_of(0, jobs=[job()], pods=[])])

    assert line == "0 of 2 cells done, 1 running, 1 waiting, 50 images/s, 1 min 01 s left for the running ones"


def test_a_run_has_ended_when_no_job_but_a_preparing_one_is_active():
    preparing = job("r-prepare-digits")
    preparing["metadata"]["labels"] = names.run_labels("r", names.PREPARE)

    assert not watch.run_has_ended(view_of(jobs=[job()]))
    assert watch.run_has_ended(view_of(jobs=[job(conditions=ENDED), preparing]))
