"""Pods' own tokens open the store: a real API server signs them, a real S3 server takes them for credentials with few rights."""

from __future__ import annotations

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from experiment import keys
from experiment.errors import InvalidInput, Misconfigured
from experiment.s3 import S3Store
from tests.cluster.parts import kubectl
from tests.conftest import PASSWORD, USER, run_minio

pytestmark = [pytest.mark.cluster, pytest.mark.s3]
AUDIENCE = "sts.amazonaws.com"  # what EKS gives to pods, too
POLICIES = Path(__file__).parents[2] / "deploy" / "policies"


class Discovery(ThreadingHTTPServer):
    """Serves the API server's discovery document and keys as an S3 server without its certificate can read them."""

    def __init__(self, home: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        document = json.loads(kubectl(home, "get", "--raw", "/.well-known/openid-configuration"))
        document["jwks_uri"] = f"{self.url}/jwks"
        self.answers = {
            "/.well-known/openid-configuration": json.dumps(document),
            "/jwks": kubectl(home, "get", "--raw", "/openid/v1/jwks"),
        }


class _Handler(BaseHTTPRequestHandler):
    server: Discovery

    def log_message(self, *_) -> None:
        """The test says what matters."""

    def do_GET(self) -> None:
        body = self.server.answers.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def trusting_server(simulated_cluster, tmp_path_factory):
    """The URL of an S3 server that takes the cluster's tokens; the policy named as a token's subject is its right."""
    with Discovery(simulated_cluster) as discovery:
        threading.Thread(target=discovery.serve_forever, args=(0.02,), daemon=True).start()
        variables = {
            "MINIO_IDENTITY_OPENID_CONFIG_URL": f"{discovery.url}/.well-known/openid-configuration",
            "MINIO_IDENTITY_OPENID_CLIENT_ID": AUDIENCE,
            "MINIO_IDENTITY_OPENID_CLAIM_NAME": "sub",
        }
        with run_minio(tmp_path_factory.mktemp("minio"), **variables) as url:
            yield url
        discovery.shutdown()


def put_policy(url: str, name: str, policy: str) -> None:
    """Gives the S3 server a policy."""
    request = AWSRequest("PUT", f"{url}/minio/admin/v3/add-canned-policy", data=policy.encode(), params={"name": name})
    S3SigV4Auth(Credentials(USER, PASSWORD), "s3", "us-east-1").add_auth(request)
    prepared = request.prepare()
    urllib.request.urlopen(
        urllib.request.Request(prepared.url, data=policy.encode(), headers=dict(prepared.headers), method="PUT"),
        timeout=20,
    ).close()


def become(home: Path, folder: Path, account: str, url: str, monkeypatch, audience: str = AUDIENCE) -> None:
    """Gives this process what a pod of the account has: a token in a file and the variables that EKS sets."""
    token = folder / f"{account}.token"
    token.write_text(kubectl(home, "create", "token", account, f"--audience={audience}", "--duration=10m").strip())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
    monkeypatch.setenv("AWS_ROLE_ARN", f"arn:aws:iam::123456789012:role/{account}")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))


@pytest.fixture
def web_store(simulated_cluster, trusting_server, bucket_on, tmp_path, monkeypatch):
    """A store, and a function that opens it as a service account whose right is one of deploy/policies."""
    made = bucket_on(trusting_server)
    opened = []

    def open_as(account: str, policy: str, audience: str = AUDIENCE) -> S3Store:
        kubectl(simulated_cluster, "create", "serviceaccount", account)
        text = (POLICIES / f"{policy}.json").read_text().replace("BUCKET", made.bucket).replace("PREFIX", "some/prefix")
        put_policy(trusting_server, f"system:serviceaccount:default:{account}", text)
        become(simulated_cluster, tmp_path, account, trusting_server, monkeypatch, audience)
        opened.append(S3Store(made.url, sleep=lambda _: None))
        return opened[-1]

    yield open_as
    for store in opened:
        store._client.close()


def test_a_pod_s_token_gives_the_rights_of_its_account_and_no_others(web_store):
    store = web_store("web-trainer", "trainer")

    assert store.put_once(f"{keys.RESULTS}x", b"1", "a")
    assert store.read(f"{keys.RESULTS}x") == b"1"
    with pytest.raises(Misconfigured):
        store.delete(f"{keys.RESULTS}x")
    with pytest.raises(Misconfigured):
        store.put(f"{keys.REPORTS}x", b"1")

    collector = web_store("web-collector", "collector")
    collector.put(f"{keys.REPORTS}x", b"1")
    with pytest.raises(Misconfigured):
        collector.put_once(f"{keys.RESULTS}y", b"1", "a")


def test_a_token_for_another_audience_opens_nothing(web_store):
    store = web_store("web-other", "trainer", audience="somebody-else")

    with pytest.raises(InvalidInput, match="azp"):
        store.exists("x")
