"""The policies of deploy/policies are enough for a run, and nothing more: MinIO's own engine judges them, and ours the bucket's."""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from pathlib import Path

import boto3
import botocore.exceptions as boto
import pytest

from aggregator.__main__ import main as report
from experiment import keys
from experiment.errors import Misconfigured
from experiment.grid import load_grid
from experiment.s3 import S3Store
from experiment.store import check_conditional_writes
from k8s.cleanup import spent_keys
from k8s.planning.freeze import freeze_grid
from tests.conftest import PASSWORD, USER
from tests.deploy.policy_engine import Judge
from trainer.__main__ import main as train

ROOT = Path(__file__).parents[2]
ROLES = ("trainer", "collector", "launcher")
FOLDERS = {
    v for n, v in vars(keys).items() if n.isupper() and not n.startswith("_") and isinstance(v, str) and v.endswith("/")
}


def documented(bucket: str, prefix: str, folder: Path) -> dict[str, dict]:
    """The policies as the command in deploy/policies/README.md fills them, by name."""
    (command,) = re.findall(
        r"^mkdir.*?^done$", (ROOT / "deploy/policies/README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    command = command.replace("my-bucket", bucket).replace("grids/paper", prefix).replace("deploy/", f"{ROOT}/deploy/")
    subprocess.run(["bash", "-euc", command], cwd=folder, check=True)
    return {path.stem: json.loads(path.read_text()) for path in (folder / "policies").glob("*.json")}


class Guarded:
    """A store that obeys the policies. ``become`` makes a role of this process."""

    def __init__(self, url: str, monkeypatch, credentials) -> None:
        self.url, self.monkeypatch, self.credentials = url, monkeypatch, credentials
        self.opened: list[S3Store] = []

    def become(self, role: str) -> S3Store:
        for name, value in self.credentials(role).items():
            self.monkeypatch.setenv(name, value)
        self.opened.append(S3Store(self.url, sleep=lambda _: None))
        return self.opened[-1]


def keys_of(role: str) -> dict[str, str]:
    """What our judge takes for a role."""
    return {"AWS_ACCESS_KEY_ID": role, "AWS_SECRET_ACCESS_KEY": "any"}


@pytest.fixture
def judged(moto_server, s3_environment, monkeypatch, tmp_path):
    """A store before which our judge stands, with the bucket's policy."""
    s3_environment(moto_server)
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    client.close()
    policies = documented(bucket, "some/prefix", tmp_path)
    with Judge(moto_server, policies.pop("bucket"), policies) as judge:
        s3_environment(judge.url)
        guarded = Guarded(f"s3://{bucket}/some/prefix", monkeypatch, keys_of)
        yield guarded
        for store in guarded.opened:
            store._client.close()


@pytest.fixture
def minio_guarded(minio_store, minio_server, monkeypatch, tmp_path):
    """A store on MinIO, which hands out credentials that its own engine holds to the policies."""
    policies = documented(minio_store.bucket, "some/prefix", tmp_path)

    def session(role: str) -> dict[str, str]:
        if role == "root":
            return {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": PASSWORD, "AWS_SESSION_TOKEN": ""}
        sts = boto3.client(
            "sts",
            region_name="us-east-1",
            aws_access_key_id=USER,
            aws_secret_access_key=PASSWORD,
            aws_session_token=None,
        )
        policy = json.dumps(policies[role], separators=(",", ":"))
        given = sts.assume_role(RoleArn="arn:x:ignored:by:minio:", RoleSessionName=role, Policy=policy)["Credentials"]
        sts.close()
        names = {
            "AWS_ACCESS_KEY_ID": "AccessKeyId",
            "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
            "AWS_SESSION_TOKEN": "SessionToken",
        }
        return {variable: given[name] for variable, name in names.items()}

    guarded = Guarded(minio_store.url, monkeypatch, session)
    yield guarded
    for store in guarded.opened:
        store._client.close()


@pytest.fixture(params=["judged", pytest.param("minio_guarded", marks=pytest.mark.s3)])
def guarded(request):
    """A store that obeys the policies, judged by MinIO or by us."""
    return request.getfixturevalue(request.param)


def test_the_rights_of_the_roles_are_enough_for_a_run(guarded, monkeypatch, tmp_path):
    """Launch, preparation, training, a failure, the report and the clearing up, each by its role alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CHECKPOINT_SECONDS", "0")
    grid = load_grid("smoke").only(["method=single"])
    (cell,) = grid.cells
    store = guarded.become("launcher")
    check_conditional_writes(store)
    run = freeze_grid(store, "smoke", grid, {})

    guarded.become("trainer")
    assert train(["--prepare", "digits", "--store", guarded.url]) == 0
    assert train(["--run", f"{guarded.url}/runs/smoke", "--index", "0"]) == 0

    store = guarded.become("collector")
    store.put_once(keys.failure(cell.id, "pod"), b"{}", "collector")
    assert report(["--run", f"{guarded.url}/runs/smoke"]) == 0

    store = guarded.become("launcher")
    assert store.exists(keys.report("smoke"))
    for key in spent_keys(store, run, everything=True):
        store.delete(key)
    assert store.exists(keys.epochs(cell))


WRITES = {
    "trainer": {keys.RUNS, keys.REPORTS, keys.THROUGHPUT, ""},
    "collector": FOLDERS - {keys.REPORTS, keys.FAILURES, keys.LOOKS} | {""},
    "launcher": FOLDERS - {keys.RUNS, keys.THROUGHPUT, keys.LOOKS} | {""},
}
REMOVES = {role: FOLDERS - {keys.CHECKPOINTS, keys.PROGRESS, keys.LEASES} | {""} for role in ("trainer", "launcher")}
REMOVES["collector"] = FOLDERS | {""}


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_does_not_need_is_denied(guarded, role):
    root = guarded.become("root")
    for folder in FOLDERS | {""}:
        root.put_once(f"{folder}there", b"1", "root")
    store = guarded.become(role)
    refused = [
        *((f"writes {f}new", lambda f=f: store.put_once(f"{f}new", b"1", "me")) for f in WRITES[role]),
        *((f"removes {f}there", lambda f=f: store.delete(f"{f}there")) for f in REMOVES[role]),
    ]

    assert [what for what, try_it in refused if not is_refused(try_it)] == []
    assert {f for f in FOLDERS if root.read(f"{f}there") != b"1"} == set()


def is_refused(operation) -> bool:
    try:
        operation()
    except (Misconfigured, boto.ClientError) as error:
        return "AccessDenied" in f"{error} {error.__cause__}"
    return False


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_nothing_beside_the_store(guarded, role):
    root = guarded.become("root")
    root._client.put_object(Bucket=root.bucket, Key="other/secret", Body=b"1")
    guarded.become(role)
    other = S3Store(f"s3://{root.bucket}/other", sleep=lambda _: None)
    guarded.opened.append(other)

    assert is_refused(lambda: other.read("secret"))
    assert is_refused(lambda: list(other.list("")))
    assert is_refused(lambda: other.exists("secret"))


def test_the_bucket_keeps_what_is_written_once_from_everybody(judged):
    root = judged.become("root")
    for role in (*ROLES, "root"):
        store = judged.become(role)
        for folder in (keys.RESULTS, keys.MODELS, keys.RUNS):
            root.put_once(f"{folder}there", b"1", "first")
            copied = {"Bucket": store.bucket, "Key": store._key(f"{folder}there"), "CopySource": f"{store.bucket}/x"}

            assert is_refused(lambda store=store, folder=folder: store.put(f"{folder}there", b"2"))
            assert is_refused(lambda store=store, folder=folder: store.put(f"{folder}new", b"2"))
            assert is_refused(lambda store=store, copied=copied: store._client.copy_object(**copied))
            assert store.read(f"{folder}there") == b"1"


def test_every_folder_of_the_store_is_somebodys_to_write():
    written = {
        resource.removeprefix("arn:aws:s3:::BUCKET/PREFIX/").removesuffix("*")
        for role in ROLES
        for statement in json.loads((ROOT / f"deploy/policies/{role}.json").read_text())["Statement"]
        for resource in statement["Resource"]
        if statement["Action"] == "s3:PutObject"
    }

    assert written == FOLDERS | {keys.PROBE}
