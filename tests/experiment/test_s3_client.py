"""The S3 client is the user's own: whatever their AWS configuration says holds, and what is wrong in it is one line."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from botocore.awsrequest import AWSResponse
from botocore.utils import parse_timestamp

from experiment.errors import Misconfigured, Transient
from experiment.s3 import S3Store
from experiment.s3_client import parse_time
from experiment.store import open_store

KEYS = "aws_access_key_id = a\naws_secret_access_key = b\n"
ROLE = "role_arn = arn:aws:iam::123456789012:role/x\n"
SSO = "sso_account_id = 1\nsso_role_name = r\nsso_region = eu-west-1\nsso_start_url = https://sso.invalid/start\n"
OUR_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def configure(s3_environment, moto_server, monkeypatch, tmp_path):
    """Sets variables (None removes one) and writes the user's configuration file, used without our own keys."""

    def use(text: str = "", **variables: str | None) -> None:
        s3_environment(moto_server)
        changes = dict(variables)
        if text:
            path = tmp_path / "config"
            path.write_text(text)
            changes = {**dict.fromkeys(OUR_KEYS), "AWS_CONFIG_FILE": str(path), "AWS_PROFILE": "mine", **changes}
        for name, value in changes.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return use


def profile(settings: str, more: str = "") -> str:
    return f"[profile mine]\n{settings}{more}"


WITHOUT_KEYS: dict[str, str | None] = dict.fromkeys(OUR_KEYS)
BAD_VARIABLES = {
    "an unknown profile": ({"AWS_PROFILE": "nope"}, "nope.*; correct the credentials"),
    "an endpoint without scheme": ({"AWS_ENDPOINT_URL": "localhost:9000"}, "localhost:9000; correct the AWS conf"),
    "an S3 endpoint without scheme": ({"AWS_ENDPOINT_URL_S3": "localhost"}, "localhost; correct the AWS conf"),
    "an endpoint with a blank": ({"AWS_ENDPOINT_URL": "http://my server"}, "correct the AWS configuration"),
    "an endpoint of another scheme": ({"AWS_ENDPOINT_URL": "ftp://localhost"}, "correct AWS_ENDPOINT_URL"),
    "an endpoint with a port that cannot be": ({"AWS_ENDPOINT_URL": "http://h:99999"}, "correct AWS_ENDPOINT_URL"),
    "a region with blanks": ({"AWS_REGION": "eu west 1"}, "eu west 1.*; correct AWS_REGION"),
    "a default region with blanks": ({"AWS_REGION": None, "AWS_DEFAULT_REGION": "eu west 1"}, "; correct AWS_REGION"),
    "a key without its secret": ({"AWS_SECRET_ACCESS_KEY": None}, "AWS_SECRET_ACCESS_KEY.*; correct the credentials"),
    "no credentials": (WITHOUT_KEYS, "; correct the credentials"),
    "a key with a line end": ({"AWS_ACCESS_KEY_ID": "a\n"}, "characters that cannot be sent; correct the AWS"),
    "a token with a line end": ({"AWS_SESSION_TOKEN": "to\nken"}, "characters that cannot be sent; correct the AWS"),
    "a token file that is missing": (
        {**WITHOUT_KEYS, "AWS_WEB_IDENTITY_TOKEN_FILE": "/none", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x"},
        "/none.*; correct the AWS configuration",
    ),
    "credentials of a container elsewhere": (
        {**WITHOUT_KEYS, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.org/"},
        "; correct the AWS configuration",
    ),
    "a number that is none": ({**WITHOUT_KEYS, "AWS_METADATA_SERVICE_TIMEOUT": "x"}, "; correct the AWS configuration"),
    "unknown defaults": ({"AWS_DEFAULTS_MODE": "wild"}, "wild.*; correct the AWS configuration"),
    "an unknown use of checksums": ({"AWS_REQUEST_CHECKSUM_CALCULATION": "wild"}, "wild.*; correct the AWS conf"),
}
BAD_FILES = {
    "a source profile that is missing": (profile(ROLE + "source_profile = gone"), "gone.*; correct the AWS conf"),
    "a role without a source": (profile(ROLE), "; correct the credentials"),
    "roles in a circle": (profile(ROLE + "source_profile = mine"), ""),
    "a credential process that fails": (profile("credential_process = /bin/false"), "; correct the credentials"),
    "a credential process that is missing": (profile("credential_process = /no/program"), "/no/program"),
    "a credential process of another form": (profile("credential_process = echo hello"), "; correct the AWS conf"),
    "a credential process that gives a list": (profile("credential_process = echo []"), "; correct the AWS conf"),
    "a command with an open quote": (profile("credential_process = echo 'x"), "; correct the AWS configuration"),
    "credentials that are expired": (
        profile(
            """credential_process = echo '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", """
            """"SessionToken": "c", "Expiration": "2020-01-01T00:00:00Z"}'"""
        ),
        "; correct the AWS configuration",
    ),
    "no token of a single sign-on": (profile(SSO), "; log in again: aws sso login"),
    "a session of single sign-on that is missing": (
        profile("sso_session = gone\nsso_account_id = 1\nsso_role_name = r"),
        "gone.*; correct the AWS configuration",
    ),
    "a file that is no INI": ("this is no INI", "config; correct the AWS configuration"),
    "an unknown style": (profile(KEYS + "s3 =\n  addressing_style = wild"), "wild.*; correct the AWS conf"),
    "a style outside its section": (profile(KEYS + "s3 = virtual"), "; correct the AWS configuration"),
}


def refused(message: str) -> None:
    with pytest.raises(Misconfigured, match=f"^s3://bucket/p.* cannot be used: .*{message}") as caught:
        list(open_store("s3://bucket/p").list(""))
    assert caught.value.exit_code == 42
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", BAD_VARIABLES)
def test_a_variable_that_cannot_be_used_is_told_in_one_line(name, configure):
    variables, message = BAD_VARIABLES[name]
    configure(**variables)
    refused(message)


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_used_is_told_in_one_line(name, configure):
    text, message = BAD_FILES[name]
    configure(text)
    refused(message)


def test_no_error_shows_a_secret(configure):
    configure(AWS_SESSION_TOKEN="hidden\ntoken")
    with pytest.raises(Misconfigured) as caught:
        list(open_store("s3://bucket/p").list(""))

    assert "hidden" not in str(caught.value)


def test_credentials_from_a_server_that_is_away_are_transient(configure, monkeypatch):
    monkeypatch.setattr("experiment.s3.ATTEMPTS", 1)
    configure(**WITHOUT_KEYS, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:9/")
    with pytest.raises(Transient):
        S3Store("s3://bucket/p", sleep=lambda _: None)


LISTING = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


class Body(io.BytesIO):
    """The body of an answer."""

    def stream(self, **_):
        yield self.read()


def sent(store: S3Store) -> tuple[str, str]:
    """The URL and the signing region of a request of the store, which never leaves this process."""
    seen = []

    def answer(request, **_):
        seen.append(request)
        return AWSResponse(request.url, 200, {}, Body(LISTING))

    store._client.meta.events.register("before-send.s3", answer)
    assert not store.exists("k")
    store._client.close()
    region = seen[0].headers["Authorization"].decode().split("/")[2]
    return seen[0].url.partition("?")[0], region


@pytest.mark.parametrize("style", ["", "s3 =\n  addressing_style = auto\n", "s3 =\n  addressing_style = path\n"])
def test_the_bucket_is_in_the_path_of_an_own_endpoint_where_nothing_else_is_said(style, configure):
    configure(profile(KEYS + style), AWS_ENDPOINT_URL="http://storage:9000")

    assert sent(S3Store("s3://bucket/p")) == ("http://storage:9000/bucket", "us-east-1")


def test_the_user_s_style_and_region_hold(configure):
    text = profile(KEYS + "region = eu-west-3\ns3 =\n  addressing_style = virtual\n")
    configure(text, AWS_ENDPOINT_URL="http://storage:9000", AWS_REGION=None)

    assert sent(S3Store("s3://bucket/p")) == ("http://bucket.storage:9000/", "eu-west-3")


@pytest.mark.parametrize(
    "text",
    [
        "endpoint_url = http://storage:9000\n",
        "services = here\n[services here]\ns3 =\n  endpoint_url = http://storage:9000\n",
    ],
)
def test_an_endpoint_of_the_profile_is_used_with_the_bucket_in_the_path(text, configure):
    configure(profile(KEYS, text), AWS_ENDPOINT_URL=None)

    assert sent(S3Store("s3://bucket/p"))[0] == "http://storage:9000/bucket"


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ({"AWS_REGION": None, "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": None}, "eu-west-3"),
    ],
)
def test_a_variable_outranks_the_region_of_the_profile(variables, region, configure):
    configure(profile(KEYS + "region = eu-west-3\n"), **variables)

    assert sent(S3Store("s3://bucket/p"))[1] == region


AMAZON = {"auto": "https://bucket.s3.eu-west-3.amazonaws.com/", "path": "https://s3.eu-west-3.amazonaws.com/bucket"}


@pytest.mark.parametrize("style", AMAZON)
def test_without_an_endpoint_the_bucket_is_in_amazon_s_host_name_unless_the_user_says_path(style, configure):
    text = profile(KEYS + f"s3 =\n  addressing_style = {style}\n")
    configure(text, AWS_ENDPOINT_URL=None, AWS_REGION="eu-west-3")

    assert sent(S3Store("s3://bucket/p"))[0] == AMAZON[style]


def test_retries_and_time_limits_are_ours_whatever_the_user_s_say(configure):
    configure(
        profile(KEYS + "retry_mode = adaptive\nmax_attempts = 50\n"), AWS_MAX_ATTEMPTS="40", AWS_RETRY_MODE="legacy"
    )
    store = S3Store("s3://bucket/p")
    config = store._client.meta.config
    store._client.close()

    assert (config.retries["mode"], config.retries["total_max_attempts"]) == ("standard", 3)
    assert (config.connect_timeout, config.read_timeout) == (5, 30)


def test_a_server_of_the_user_s_own_certificate_is_used(secure_server, configure):
    url, certificate = secure_server
    configure(AWS_ENDPOINT_URL=url, AWS_CA_BUNDLE=str(certificate))
    with pytest.raises(Misconfigured, match="NoSuchBucket"):
        list(open_store("s3://bucket/p").list(""))


@pytest.mark.usefixtures("impatient_client")
@pytest.mark.parametrize("bundle", [None, "/no/bundle", "/", "garbage"])
def test_certificates_that_are_missing_or_wrong_are_told_in_one_line(bundle, secure_server, configure, tmp_path):
    (tmp_path / "garbage").write_text("garbage")
    path = str(tmp_path / "garbage") if bundle == "garbage" else bundle
    configure(AWS_ENDPOINT_URL=secure_server[0], AWS_CA_BUNDLE=path)
    refused("; correct AWS_CA_BUNDLE")


@pytest.mark.usefixtures("impatient_client")
def test_a_server_that_speaks_no_tls_is_told_in_one_line(configure, answering):
    configure(AWS_ENDPOINT_URL=answering(404).replace("http", "https"))
    refused("; correct AWS_CA_BUNDLE, or the server's certificate and address")


def test_times_of_listings_are_parsed_without_the_slow_parser(moto_store, monkeypatch):
    moto_store.put("a", b"x")
    whole = moto_store._client.list_objects_v2(Bucket=moto_store.bucket)["Contents"][0]["LastModified"]
    monkeypatch.setattr("experiment.s3_client.parse_timestamp", lambda _: pytest.fail("parsed slowly"))

    assert moto_store._client.list_objects_v2(Bucket=moto_store.bucket)["Contents"][0]["LastModified"] == whole
    assert abs(dt.datetime.now(dt.UTC) - whole) < dt.timedelta(minutes=5)


@pytest.mark.parametrize(
    "value",
    ["2026-11-27T21:00:00Z", "2026-11-27T21:00:00.123Z", "Fri, 27 Nov 2026 21:00:00 GMT", 1700000000, "1700000000.5"],
)
def test_times_of_every_form_are_what_the_client_makes_of_them(value):
    assert parse_time(value) == parse_timestamp(value)
