"""A launch whose store fails one request in ten and whose workers die: every cell is committed exactly once."""

from __future__ import annotations

from tests.k8s.rough_run import FAILING, FailingProxy, RoughRun


def test_under_ten_per_cent_faults_every_cell_is_committed_once_with_the_retries_that_are_promised(
    moto_server, moto_store, s3_environment, tmp_path
):
    with FailingProxy(moto_server) as proxy:
        s3_environment(proxy.url)
        run = RoughRun(tmp_path, moto_store.url, cells=24)
        run.check_first_launch(run.launch()[0])
        run.check_last_launch(run.launch()[0])

    assert proxy.failed >= FAILING * proxy.requests / 2 > 10
