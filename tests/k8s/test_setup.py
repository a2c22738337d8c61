"""Setting a namespace up: printed without a cluster, and the options that make no sense are refused."""

from __future__ import annotations

import pytest
import yaml

from k8s import setup


def test_without_apply_the_manifests_are_printed_and_no_cluster_is_asked(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "absent")

    assert setup.main(["--namespace", "lab", "--quota-gpus", "8"]) == 0

    kinds = [m["kind"] for m in yaml.safe_load_all(capsys.readouterr().out)]
    assert kinds[0] == "Namespace"
    assert kinds[-1] == "ResourceQuota"


def test_an_option_that_cannot_work_is_one_line_and_exit_code_42(capsys):
    assert setup.main(["--trainer-role", "trainer"]) == 42

    assert capsys.readouterr().err == (
        "error: the IAM role is 'trainer'; allowed: arn:aws:iam::ACCOUNT:role/NAME; copy its ARN\n"
    )


@pytest.mark.parametrize("number", ["-1", "many", "", "1.5"])
def test_a_quota_that_is_no_number_of_things_is_refused(number, capsys):
    with pytest.raises(SystemExit) as left:
        setup.main(["--quota-gpus", number])

    assert left.value.code == 2
    assert f"{number!r} given; allowed: a whole number of at least 0" in capsys.readouterr().err


def test_the_help_says_what_a_dry_run_does(capsys):
    with pytest.raises(SystemExit):
        setup.main(["--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert (
        "with --apply: the API server checks the manifests and changes nothing; without --apply it has no effect"
        in said
    )
