"""A real pod that needs more memory than its limit is killed by the kernel; that is counted, and said with what to set."""

from __future__ import annotations

import pytest

from experiment import keys, records
from experiment.run import read_run
from tests.e2e.real_namespace import trainer
from tests.e2e.test_grid import SLOW, failure_count, uid

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
LITTLE = "160Mi"  # less than the libraries take


def test_a_pod_that_exceeds_its_memory_limit_is_counted_and_named_with_the_setting(namespace):
    (namespace.folder / "slow.toml").write_text(SLOW)
    with namespace.launch("--grid", "slow.toml", "--run", "slow", "--memory", LITTLE, "--retries", "0") as launch:
        assert launch.wait(600) == 1
    (pod,) = namespace.pods("slow")
    ended = trainer(pod)["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"], failure_count(pod)) == ("OOMKilled", 137, "0")

    (cell,) = read_run(namespace.store, "slow").grid.cells
    record = records.parse_record(namespace.store.read(keys.failure(cell.id, uid(pod))), "record")
    reason = f"killed because it exceeded its memory limit of {LITTLE} (setting memory)"
    assert record.message.startswith(
        f"{reason}; each try has as much; once its cell has failed for good, python -m k8s.retry"
    )
    assert record.message.endswith("--memory 320Mi gives it more")
    assert f"failed: {cell.id}: {reason}" in (namespace.folder / "launch.log").read_text()
