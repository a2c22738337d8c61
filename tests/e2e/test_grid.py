"""The whole path in real pods: a grid launched, struck by a kill and an eviction, committed to S3, collected, reported."""

from __future__ import annotations

import io
import json
import re

import pyarrow.parquet as pq
import pytest

from experiment import keys, records, results
from experiment.provenance import read_provenance
from experiment.run import read_run
from k8s.manifests import names
from tests.e2e.real_namespace import trainer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]
SLOW = """
expect = 1
[base]
dataset = "digits"
method = "l2"
alpha = 0.1
members = ["S", "T"]
epochs = 60
batch_size = 32
[member.S]
bricks = 2
blocks = 1
filters = 8
[member.T]
bricks = 2
blocks = 1
filters = 8
[[product]]
seed = 0
"""


def committed(namespace, cell):
    """What a cell's commit says about the attempt that made it."""
    table = results.from_bytes(namespace.store.read(keys.epochs(cell)), "epochs", cell.id)
    assert table.num_rows == cell.epochs * len(cell.models)
    return read_provenance(table.schema, cell.id)


def failures(namespace, cell):
    """The failure records of a cell by their attempts, which are the pods' ids."""
    found = [
        records.parse_record(namespace.store.read(k), k)
        for k in namespace.store.list(keys.folder(keys.FAILURES, cell.id))
    ]
    return {f.attempt: f for f in found}


def uid(pod):
    return pod["metadata"]["uid"]


def test_a_grid_is_trained_in_pods_that_are_killed_and_evicted_and_its_report_lists_every_cell(namespace, images):
    with namespace.launch("--grid", "smoke", "--run", "smoke") as launch:
        killed = namespace.running("smoke", 0)
        namespace.strike(killed)
        evicted = namespace.running("smoke", 1)
        namespace.evict(evicted)
        assert trainer(namespace.ended(killed))["state"]["terminated"]["exitCode"] == 137
        code = launch.wait(900)

    said = (namespace.folder / "launch.log").read_text()
    assert code == 0, said
    assert "4 of 4 cells done" in said
    cells = read_run(namespace.store, "smoke").grid.cells
    made = [committed(namespace, cell) for cell in cells]
    assert {m["image"] for m in made} == {images["trainer"].reference}
    assert not {m["attempt"] for m in made} & {uid(killed), uid(evicted)}

    # What ended the two, in words, though one could leave none itself; only the kill counts as a failure of its index.
    assert failures(namespace, cells[0])[uid(killed)].exit_code == 137
    assert failures(namespace, cells[1])[uid(evicted)].kind == "interrupted"
    counts = {
        i: [failure_count(p) for p in namespace.pods("smoke", i) if uid(p) not in (uid(killed), uid(evicted))]
        for i in range(4)
    }
    assert counts == {0: ["1"], 1: ["0"], 2: ["0"], 3: ["0"]}

    # Restricted by the namespace, not merely asked for; the collecting pod alone may speak to the API server.
    (space,) = namespace.objects("namespaces", f"kubernetes.io/metadata.name={namespace.name}")
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert killed["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    pods = namespace.objects("pods", names.run_selector("smoke"))
    assert {p["metadata"]["labels"][names.PART] for p in pods if _has_token(p)} == {names.COLLECT}

    # The report, made in the cluster by the collecting Job.
    assert b"<html" in namespace.store.read(keys.report("smoke"))
    table = pq.read_table(io.BytesIO(namespace.store.read(keys.report("smoke", "results.parquet"))))
    assert set(table.column("cell_id").to_pylist()) == {cell.id for cell in cells}

    # Whoever asks later hears the same.
    (job,) = namespace.objects("jobs", names.run_selector("smoke", names.TRAINER))
    assert job["status"]["completedIndexes"] == "0-3"
    status = namespace.run(
        "k8s.status", "--run", f"{namespace.store.url}/runs/smoke", "--settings", namespace.settings, "--json"
    )
    assert json.loads(status.stdout)["counts"] == {"done": 4}
    again = namespace.run(
        "k8s.launch",
        "--grid",
        "smoke",
        "--run",
        "smoke",
        "--store",
        namespace.store.url,
        "--settings",
        namespace.settings,
    )
    assert again.returncode == 0
    assert "nothing to create" in again.stdout


def failure_count(pod):
    return pod["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"]


def test_an_evicted_cell_leaves_a_checkpoint_and_143_and_goes_on_from_it(namespace):
    (namespace.folder / "slow.toml").write_text(SLOW)
    with namespace.launch("--grid", "slow.toml", "--run", "slow") as launch:
        first = namespace.running("slow", 0)
        (cell,) = read_run(namespace.store, "slow").grid.cells
        namespace.until(lambda: list(namespace.store.list(keys.folder(keys.CHECKPOINTS, cell.id))), "a checkpoint")
        namespace.evict(first)
        second = namespace.until(lambda: [p for p in namespace.pods("slow") if uid(p) != uid(first)], "another pod")
        assert launch.wait(900) == 0

    assert committed(namespace, cell)["attempt"] == uid(second[0])
    interrupted = failures(namespace, cell)[uid(first)]
    assert (interrupted.kind, interrupted.exit_code) == ("interrupted", 143)
    log = namespace.store.read(keys.log(cell.id, uid(second[0]))).decode()
    (step,) = re.findall(r'"message": "resumed", "step": (\d+)', log)
    assert int(step) > 0


def _has_token(pod):
    return any(
        "serviceAccountToken" in s for v in pod["spec"]["volumes"] for s in v.get("projected", {}).get("sources", [])
    )
