"""Secrets that a user may have about are planted and looked for in whatever the suite prints, renders or stores."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from aggregator.__main__ import main as report
from experiment import keys
from experiment.errors import describe_error
from experiment.grid import load_grid
from experiment.program import report_errors
from experiment.run import Run
from experiment.store import open_store
from k8s.launch import main as launch
from trainer.__main__ import main as train
from trainer.datasets import Overrides
from trainer.datasets.preparation import prepare_dataset

DIGEST = "registry.example/a@sha256:" + "0" * 64
SECRETS = {
    name: f"pl4nted-{name}"
    for name in ("key", "id", "session", "token", "proxy", "kube", "profile", "signature", "endpoint")
}


@pytest.fixture
def planted(monkeypatch, tmp_path, impatient_client):
    """An environment and a home full of secrets."""
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".kube").mkdir()
    (home / ".aws/credentials").write_text(
        f"[default]\naws_access_key_id = {SECRETS['id']}\naws_secret_access_key = {SECRETS['profile']}\n"
    )
    (home / ".kube/config").write_text(kubeconfig(SECRETS["kube"]))
    for name, value in {
        "HOME": str(home),
        "KUBECONFIG": str(home / ".kube/config"),
        "AWS_ACCESS_KEY_ID": SECRETS["id"],
        "AWS_SECRET_ACCESS_KEY": SECRETS["key"],
        "AWS_SESSION_TOKEN": SECRETS["session"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "CI_TOKEN": SECRETS["token"],
        "HTTPS_PROXY": f"http://me:{SECRETS['proxy']}@127.0.0.1:9",
        "DATASET_MNIST_URL": f"http://127.0.0.1:9/mnist?X-Amz-Signature={SECRETS['signature']}",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr("experiment.s3.ATTEMPTS", 1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kubeconfig(token: str) -> str:
    cluster, user = {"server": "https://127.0.0.1:9"}, {"token": token}
    context = {"cluster": "c", "user": "u"}
    found = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": context}],
    }
    return json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "x", **found})


def leaks(text: str | bytes) -> list[str]:
    """The names of the secrets that a text holds."""
    whole = text if isinstance(text, bytes) else text.encode()
    return [name for name, secret in SECRETS.items() if secret.encode() in whole]


def stored(folder: Path) -> dict[str, list[str]]:
    """The files under a folder that hold a secret, and which."""
    return {str(f): found for f in folder.rglob("*") if f.is_file() and (found := leaks(f.read_bytes()))}


def test_manifests_and_plans_hold_no_secret(planted, capsys):
    settings = (
        f"--image={DIGEST}",
        f"--aggregator-image={DIGEST}",
        "--namespace=n",
        "--env-secrets=AWS_SECRET_ACCESS_KEY=s3/key",
    )
    for how in (("--dry-run", "client"), ("--plan",)):
        assert (
            launch(["--grid", "full", "--store", "s3://bucket/prefix", "--executor", "kubernetes", *settings, *how])
            == 0
        )

    said = capsys.readouterr()
    assert "kind: Job" in said.out
    assert leaks(said.out + said.err) == []


@pytest.mark.parametrize(
    "setting",
    [
        f"--proxy=http://me:{SECRETS['proxy']}@proxy:3128",
        f"--s3-endpoint=https://me:{SECRETS['endpoint']}@minio:9000",
        f"--env-secrets=AWS_SECRET_ACCESS_KEY={SECRETS['key']}",
        f"--env=AWS_SECRET_ACCESS_KEY={SECRETS['key']}",
        f"--store=s3://me:{SECRETS['key']}@bucket",
    ],
)
def test_a_secret_in_a_wrong_place_is_refused_and_not_repeated(planted, capsys, setting):
    arguments = [
        "--grid",
        "full",
        "--executor",
        "kubernetes",
        "--dry-run",
        "client",
        f"--image={DIGEST}",
        f"--aggregator-image={DIGEST}",
    ]

    assert launch([*arguments, *(() if "store" in setting else ("--store", "s3://bucket/prefix")), setting]) == 42

    said = capsys.readouterr()
    assert "error: " in said.err
    assert leaks(said.out + said.err) == []


def test_a_server_whose_address_holds_a_password_is_named_without_it(planted, monkeypatch, capsys):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:{SECRETS['endpoint']}@127.0.0.1:9")

    assert report_errors(lambda: open_store("s3://bucket/prefix").exists("key")) != 0

    said = capsys.readouterr().err
    assert "127.0.0.1:9" in said
    assert leaks(said) == []


def test_a_mirror_s_signature_is_in_no_message(planted, caplog):
    overrides = Overrides.from_environment("mnist", os.environ)
    with pytest.raises(Exception, match=r"127\.0\.0\.1:9/mnist") as caught:
        prepare_dataset("mnist", open_store(str(planted / "store"), create=True), overrides, sleep=lambda _: None)

    assert leaks(caplog.text + describe_error(caught.value)) == []
    assert stored(planted / "store") == {}


def test_results_logs_records_and_reports_hold_no_secret(planted, monkeypatch, capsys):
    store = open_store(str(planted / "store"), create=True)
    grid = load_grid("smoke").only(["method=single,l2"])
    store.put(keys.grid("r"), Run(name="r", grid=grid, provenance={}).to_bytes())
    run = f"{store.url}/runs/r"

    monkeypatch.setenv("OUTAGE_SECONDS", "0")
    assert train(["--run", run, "--index", "1"]) == 42  # nothing is prepared: a failure record
    assert train(["--prepare", "digits", "--store", store.url]) == 0
    assert train(["--run", run, "--index", "0"]) == 0
    assert report(["--run", run]) == 0

    said = capsys.readouterr()
    assert {k.split("/")[0] for k in store.list("")} >= {"results", "models", "failures", "logs", "reports", "datasets"}
    assert stored(planted / "store") == {}
    assert leaks(said.out + said.err) == []
