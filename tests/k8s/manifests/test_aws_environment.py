"""The launcher's S3 server and region are found where AWS's own tools find them."""

from __future__ import annotations

import pytest
from botocore.session import Session

from k8s.manifests.aws_environment import find_endpoint, find_region, is_of_this_machine

CONFIG = """
[default]
region = eu-central-1
[profile lab]
endpoint_url = https://lab.example:9000
region = lab-1
[profile served]
services = lab
endpoint_url = https://other.example
[services lab]
s3 =
  endpoint_url = https://s3.lab.example
  addressing_style = path
"""


@pytest.mark.parametrize(
    ("environ", "endpoint", "region"),
    [
        ({}, "", "eu-central-1"),
        ({"AWS_PROFILE": "lab"}, "https://lab.example:9000", "lab-1"),
        ({"AWS_PROFILE": "served"}, "https://s3.lab.example", ""),
        ({"AWS_PROFILE": "served", "AWS_ENDPOINT_URL": "http://a"}, "http://a", ""),
        ({"AWS_PROFILE": "lab", "AWS_ENDPOINT_URL": "http://a", "AWS_REGION": "b"}, "http://a", "b"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b"}, "http://b", "eu-central-1"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "c"}, "", "c"),
    ],
)
def test_variables_outrank_the_profile_as_the_client_sees_it(environ, endpoint, region, monkeypatch, tmp_path):
    (tmp_path / "config").write_text(CONFIG)
    environ = {"AWS_CONFIG_FILE": str(tmp_path / "config"), **environ}
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", **environ}.items():
        monkeypatch.setenv(name, value)
    client = Session().create_client("s3", region_name=region or "us-east-1")
    of_client = "" if "amazonaws.com" in client.meta.endpoint_url else client.meta.endpoint_url
    client.close()

    assert (find_endpoint(environ), find_region(environ)) == (endpoint, region)
    assert of_client == endpoint


@pytest.mark.parametrize("content", ["no ini", "[default", "\xff", None])
def test_a_file_that_cannot_be_read_says_nothing(content, tmp_path):
    if content is not None:
        (tmp_path / "config").write_bytes(content.encode("latin-1"))

    assert find_endpoint({"AWS_CONFIG_FILE": str(tmp_path / "config")}) == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "0.0.0.0", "s3.localhost"])
def test_an_address_of_the_reader_itself_is_told_from_others(host):
    assert is_of_this_machine(f"http://{host}:9000")
    assert not is_of_this_machine("http://10.0.0.1:9000")
    assert not is_of_this_machine("https://localhost.example")
    assert not is_of_this_machine("")
