"""A run that reaches its max_dollars, on the real control plane: it is ended, reported, and goes on under a higher ceiling."""

from __future__ import annotations

import pytest

from experiment import keys, spending
from k8s import collect, status
from k8s.cluster import watch
from k8s.manifests import jobs, names
from tests.cluster.simulated_run import cell
from tests.cluster.test_rights import as_account

pytestmark = pytest.mark.cluster
DEAR = '[gold]\nspeed = 1e9\non_demand = 1e7\nspot = 1e7\nnode_minutes = 0\ncell_minutes = 0\nnames = ["gold"]\n'


@pytest.fixture
def dear(run, tmp_path):
    """Flags with a price at which a pod costs thousands of dollars a second, and its training next to nothing."""
    (tmp_path / "table.toml").write_text(DEAR)
    return ("--gpu-table", "table.toml", "--gpu-type", "gold", "--yes")


def test_the_run_is_ended_at_its_ceiling_reported_and_goes_on_with_a_higher_one(run, dear, monkeypatch):
    assert run.launch("--max-dollars", "10", *dear, cells=3)[0] == 0
    run.finish(run.running(0))
    run.running(1)
    made = []
    with as_account(run, monkeypatch, "ensemble-collector") as kube:
        own = jobs.object_name(run.jobs(names.COLLECT)[0])
        collector = collect.Collector(
            kube=kube, store=run.store, run=run.launched(), report=lambda: made.append(1) or 0, poll=0.2, own=own
        )
        code, said = run.verb(lambda _: collector.collect())

    monkeypatch.setenv("KUBECONFIG", str(run.home / "admin.kubeconfig"))  # from here on the launcher's
    assert (code, bool(made)) == (0, True)
    assert "and its max_dollars is $10.00; its cells keep their checkpoints" in said
    assert run.store.exists(keys.epochs(cell(0)))
    assert spending.add_dollars(spending.read_spent(run.store, run.name)) >= 10
    said = run.of_run(status.main)[1]
    assert said.count("its Job was ended, because the run has taken $") >= 2
    assert "1 done, 2 failed" in said

    code, said = run.launch("--max-dollars", "10", *dear, cells=3)
    assert code == 42
    assert "and its run has taken $" in said and "raise --max-dollars" in said

    assert run.launch("--max-dollars", "1e9", *dear, cells=3)[0] == 0
    (again,) = (j for j in run.jobs() if not jobs.has_ended(j))
    assert (again["spec"]["completions"], jobs.number_in(again, names.CEILING)) == (2, 1e9)
    assert run.running(1, job=jobs.object_name(again))


def test_who_waits_ends_a_run_too_whose_jobs_have_not_started(run, dear, monkeypatch):
    monkeypatch.setattr(watch, "POLL", 0.2)
    assert run.launch("--max-dollars", "10", *dear, cells=1, prepares=True)[0] == 0
    spent = spending.Spent(job="earlier", dataset="digits", price=10.0, seconds=3600.0)
    run.store.put(keys.report(run.name, keys.SPENT), spending.spent_to_bytes([spent]))
    for job in run.jobs(names.COLLECT):
        run.kube.delete("Job", jobs.object_name(job))

    code, said = run.verb(lambda _: watch.watch_run(run.kube, run.store, run.launched()))

    assert code == 1
    assert f"failed: {cell(0).id}: its Job was ended, because the run has taken $10.00" in said
    assert run.pods() == []
