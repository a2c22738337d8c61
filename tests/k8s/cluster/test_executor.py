"""Launching on a cluster, as far as no cluster is needed: the plan, and the manifests printed."""

import pytest
import yaml

from experiment import keys
from experiment.grid import load_grid
from experiment.run import Run
from k8s import launch
from k8s.manifests import checks, jobs
from tests.factories import commit
from tests.k8s.api_server import ApiServer
from tests.k8s.factories import AGGREGATOR, IMAGE

IMAGES = ["--image", IMAGE, "--aggregator-image", AGGREGATOR]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """No settings, kubeconfig or cluster but what the test gives."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))


def rehearse(store, capsys, *flags):
    code = launch.main(["--grid", "smoke", "--store", store.url, "--dry-run", "client", *IMAGES, *flags])
    out, err = capsys.readouterr()
    return code, list(yaml.safe_load_all(out)), err


def test_a_client_dry_run_prints_manifests_and_writes_nothing(moto_store, capsys):
    code, manifests, err = rehearse(moto_store, capsys)

    assert code == 0
    assert [m["metadata"]["labels"]["collaborative-ensembles/part"] for m in manifests] == [
        "prepare",
        "trainer",
        "collect",
    ]
    assert manifests[1]["spec"]["completions"] == 4
    assert "GPU-hours" in err
    assert "do not apply these manifests yourself" in err
    assert list(moto_store.list("")) == []
    checks.check_manifests(manifests)


def test_only_missing_cells_are_launched_and_their_job_waits_for_the_pod_that_verifies_the_data(moto_store, capsys):
    cells = load_grid("smoke").cells
    commit(moto_store, cells[1])

    _, manifests, err = rehearse(moto_store, capsys)

    assert [m["spec"]["completions"] for m in manifests] == [1, 3, 1]
    assert [m["spec"].get("suspend", False) for m in manifests] == [False, True, False]
    assert jobs.waits_for_data(manifests[1]) == jobs.object_name(manifests[0])
    assert "4 cells, 1 done, 3 to train" in err
    assert "measured" in err


def test_the_same_launch_makes_the_same_manifests(moto_store, capsys):
    assert rehearse(moto_store, capsys)[1] == rehearse(moto_store, capsys)[1]


def test_a_rehearsal_of_other_cells_under_the_name_of_a_run_is_refused(moto_store, capsys):
    moto_store.put(keys.grid("mine"), Run(name="mine", grid=load_grid("demo")).to_bytes())

    code, _, err = rehearse(moto_store, capsys, "--run", "mine")

    assert (code, "choose another --run" in err) == (42, True)


def test_settings_come_from_a_file_beside_the_user(moto_store, capsys, tmp_path):
    (tmp_path / "cluster.toml").write_text('namespace = "lab"\nparallelism = 2\n')

    _, manifests, _ = rehearse(moto_store, capsys)

    assert {m["metadata"]["namespace"] for m in manifests} == {"lab"}
    assert manifests[1]["spec"]["parallelism"] == 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--store", "somewhere"], "s3://BUCKET/PREFIX, which pods can reach"),
        (["--image", ""], "has no image"),
        (["--image", "r/trainer:v1"], "--allow-tag"),
        (["--gpu-type", "abacus"], "--gpu-table"),
    ],
)
def test_a_launch_that_cannot_work_is_refused_before_anything_is_made(moto_store, capsys, flags, said):
    code, _, err = rehearse(moto_store, capsys, *flags)

    assert (code, err.splitlines()[-1].startswith("error: "), said in err) == (42, True, True)
    assert list(moto_store.list("")) == []


def test_without_a_kubeconfig_the_launch_says_what_to_do(moto_store, capsys):
    code = launch.main(["--grid", "smoke", "--store", moto_store.url, *IMAGES])

    assert code == 42
    assert "set KUBECONFIG or --context" in capsys.readouterr().err


def test_the_plan_needs_no_store_and_no_images(capsys):
    assert launch.main(["--grid", "full", "--plan", "--store", "absent"]) == 0

    out = capsys.readouterr().out
    assert "39 to train" in out
    assert "published K80 speeds" in out


@pytest.fixture
def reached(monkeypatch, tmp_path):
    """An API server with memory, which the kubeconfig of the test names."""
    server = ApiServer()
    server.objects["/api/v1/namespaces/ensembles"] = {"metadata": {"name": "ensembles"}}
    for account in ("ensemble-trainer", "ensemble-collector"):
        server.add("serviceaccounts", {"metadata": {"name": account}}, "/api/v1")
    monkeypatch.setenv("KUBECONFIG", str(server.write_kubeconfig(tmp_path / "kubeconfig")))
    yield server
    server.stop()


def launch_run(store, capsys, *flags):
    code = launch.main(["--grid", "full", "--store", store.url, *IMAGES, *flags])
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--max-dollars", "5"], "error: the forecast of this launch is $8.14; allowed: up to max_dollars, $5.00; "),
        (["--max-dollars", "5", "--yes"], "error: the forecast of this launch is $8.14; allowed: up to max_dollars"),
        (["--ask-above", "5"], "there is no terminal to ask on; give --yes, or raise --ask-above"),
        (["--max-gpus", "2"], "error: setting max_gpus is 2; allowed: at least 3, for one pod of each of the run's 3"),
    ],
)
def test_what_is_above_a_ceiling_creates_nothing(moto_store, reached, capsys, flags, said):
    code, _, err = launch_run(moto_store, capsys, *flags)

    assert (code, said in err.splitlines()[-1]) == (42, True)
    assert reached.names("jobs") == list(moto_store.list("runs/")) == []


@pytest.mark.parametrize("flags", [["--max-dollars", "5"], ["--ask-above", "5"]])
def test_plans_and_rehearsals_say_what_a_launch_would_meet_and_ask_nothing(moto_store, reached, capsys, flags):
    for how in (["--plan"], ["--dry-run", "client"], ["--dry-run", "server"]):
        code, out, err = launch_run(moto_store, capsys, *flags, *how)
        assert (code, "\na launch would " in out + err) == (0, True)


def test_the_gpus_of_a_run_are_shared_by_all_its_jobs_and_shared_anew_by_the_next_launch(moto_store, reached, capsys):
    def parallel():
        jobs = [o for p, o in reached.objects.items() if "/jobs/" in p]
        return sorted(j["spec"]["parallelism"] for j in jobs if j["spec"].get("completionMode") == "Indexed")

    assert launch_run(moto_store, capsys, "--ask-above", "5", "--yes", "--max-gpus", "8")[0] == 0
    assert parallel() == [2, 3, 3]

    code, out, _ = launch_run(moto_store, capsys, "--max-gpus", "3")

    assert (code, parallel()) == (0, [1, 1, 1])
    assert out.count(" -> 1\n") == 3
    assert "nothing to create" in out


@pytest.fixture
def no_credentials(monkeypatch, tmp_path):
    """A user who has never set AWS up."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def test_without_credentials_the_plan_is_made_as_if_nothing_were_finished_and_says_so_first(no_credentials, capsys):
    for executor, last in (("kubernetes", "of all types in the table"), ("local", "4 cells, 0 done, 4 to train")):
        assert launch.main(["--grid", "smoke", "--plan", "--store", "s3://bucket/x", "--executor", executor]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("the store could not be asked, so every cell counts as missing: s3://bucket/x")
        assert "Unable to locate credentials" in lines[0]
        assert [line.split()[2] for line in lines[1:5]] == ["missing"] * 4
        assert last in lines[-1]


def test_without_credentials_manifests_are_shown_and_marked_in_their_first_line(no_credentials, capsys):
    code = launch.main(["--grid", "smoke", "--store", "s3://bucket/x", "--dry-run", "client", *IMAGES])
    out, err = capsys.readouterr()

    assert code == 0
    assert out.startswith("# the store could not be asked, so every cell counts as missing: ")
    assert err.startswith("the store could not be asked, so every cell counts as missing: ")
    assert [m["metadata"]["labels"]["collaborative-ensembles/part"] for m in yaml.safe_load_all(out)] == [
        "prepare",
        "trainer",
        "collect",
    ]


def test_a_launch_without_credentials_is_refused(no_credentials, capsys):
    assert launch.main(["--grid", "smoke", "--store", "s3://bucket/x", *IMAGES]) == 42

    assert "Unable to locate credentials" in capsys.readouterr().err


def test_pods_get_the_launchers_server_and_region_and_a_server_of_this_machine_is_warned_of(moto_store, capsys):
    _, manifests, err = rehearse(moto_store, capsys)
    env = {e["name"]: e.get("value") for e in manifests[1]["spec"]["template"]["spec"]["containers"][0]["env"]}

    assert env["AWS_ENDPOINT_URL_S3"].startswith("http://127.0.0.1:")
    assert env["AWS_REGION"] == "us-east-1"
    assert err.splitlines()[-1].startswith(
        f"warning: the pods' S3 server is {env['AWS_ENDPOINT_URL_S3']}, which in a pod"
    )
    _, manifests, err = rehearse(moto_store, capsys, "--s3-endpoint", "http://minio.storage.svc:9000")
    env = {e["name"]: e.get("value") for e in manifests[2]["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["AWS_ENDPOINT_URL_S3"] == "http://minio.storage.svc:9000"
    assert ("the pods' S3 server: http://minio.storage.svc:9000" in err, "warning" in err) == (True, False)


def test_a_plan_on_a_server_of_this_machine_warns_too(moto_store, capsys):
    assert launch.main(["--grid", "smoke", "--plan", "--store", moto_store.url]) == 0

    assert capsys.readouterr().out.splitlines()[-1].startswith("warning: the pods' S3 server is http://127.0.0.1:")
