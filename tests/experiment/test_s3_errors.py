"""Every error of S3 servers and of the client has its class: absent, refused with advice that fits, or transient."""

from __future__ import annotations

import botocore.exceptions as boto
import pytest

from experiment.errors import InvalidInput, Misconfigured, NotFound, Transient
from experiment.s3 import S3Store
from experiment.s3_errors import BY_STATUS, REFUSALS, translate_error
from tests.experiment.servers import error_body

# By advice: the codes of AWS, MinIO, Ceph, Google's XML interface, R2, StorageGRID and the token services, by status.
ADVICE = {
    "log in again": {
        400: "ExpiredToken InvalidToken TokenRefreshRequired ExpiredTokenException InvalidIdentityToken InvalidGrantException",
        403: "InvalidTokenId InvalidClientTokenId UnrecognizedClientException",
    },
    "set the clock": {403: "RequestTimeTooSkewed RequestExpired", 400: "ExpiredRequest"},
    "correct the credentials": {
        401: "Unauthorized AuthenticationRequired 401 Teapot",
        403: "InvalidAccessKeyId SignatureDoesNotMatch InvalidSecurity MissingAuthenticationToken MissingAuthenticationTokenException",
        400: "MissingSecurityHeader IncompleteSignature CredentialsNotSupported",
    },
    "give this identity the rights": {
        403: "AccessDenied AccessDeniedException Forbidden ForbiddenException 403 Teapot",
    },
    "encryption key": {
        400: "KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException XMinioKMSKeyNotFoundException",
        403: "KMS.AccessDeniedException CloudKmsDisabledKey",
    },
    "ask the owner": {
        403: "AccountProblem AllAccessDisabled UserSuspended NotSignedUp UserProjectAccountProblem InvalidPayer NotEntitled",
        402: "PaymentRequired",
    },
    "create the bucket": {404: "NoSuchBucket NoSuchAccessPoint"},
    "correct --store": {
        400: "InvalidBucketName InvalidURI KeyTooLongError KeyTooLong XMinioInvalidObjectName XMinioParentIsObject",
        403: "SecondLevelDomainForbidden",
        409: "XMinioObjectExistsAsDirectory",
    },
    "set AWS_REGION": {
        301: "PermanentRedirect 301",
        302: "302",
        308: "308",
        400: "AuthorizationHeaderMalformed IllegalLocationConstraintException EndpointNotFound",
    },
    "restore the archived object": {403: "InvalidObjectState", 400: "ObjectNotInActiveTierError"},
    "take GET, PUT with If-None-Match": {501: "NotImplemented", 405: "MethodNotAllowed", 409: "InvalidBucketState"},
    "honours If-None-Match": {501: "501 NotBuiltIn"},
    "correct AWS_ENDPOINT_URL": {404: "404 NoSuchRoute"},
    "credentials of the proxy": {407: "407"},
    "check the endpoint": {
        400: "InvalidRequest InvalidArgument Teapot 400",
        411: "MissingContentLength",
        418: "Teapot",
    },
}
REFUSED = [(c, s, advice) for advice, codes in ADVICE.items() for s, names in codes.items() for c in names.split()]
LATER = {
    400: "RequestTimeout RequestTimeoutException PriorRequestNotComplete BadDigest IncompleteBody XAmzContentSHA256Mismatch "
    "ThrottlingException Throttling XAmzContentChecksumMismatch ClientDisconnect KMS.ThrottlingException CrcMismatch",
    307: "TemporaryRedirect 307",
    403: "RequestThrottled RequestThrottledException",
    408: "RequestTimeout 408",
    409: "OperationAborted ConditionalRequestConflict 409 Teapot",
    423: "Locked",
    425: "TooEarly",
    429: "TooManyRequests SlowDown RateLimitExceeded TooManyRequestsException 429",
    500: "InternalError UnknownError 500 KMSInternalException Teapot",
    502: "502 BadGateway",
    503: "SlowDown SlowDownRead ServiceUnavailable XMinioServerNotInitialized 503 Busy",
    504: "GatewayTimeout 504",
}


def answer(code, status, operation="GetObject"):
    """The client's error for an answer of a server."""
    body = {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return boto.ClientError(body, operation)


@pytest.mark.parametrize(("code", "status", "advice"), REFUSED)
def test_what_can_never_work_is_refused_with_advice_that_fits(code, status, advice):
    error = translate_error(answer(code, status), "s3://b/k")

    assert isinstance(error, InvalidInput)
    assert error.exit_code == 42
    assert str(error).startswith(f"s3://b/k is refused by the server: {code}; ")
    assert advice in str(error)
    assert str(error).endswith("(it says: why)")


@pytest.mark.parametrize(("code", "status"), [(c, s) for s, names in LATER.items() for c in names.split()])
def test_what_may_work_later_is_transient(code, status):
    error = translate_error(answer(code, status), "s3://b/k")

    assert isinstance(error, Transient)
    assert str(error).endswith("the server failed 5 times, launch again later")


@pytest.mark.parametrize(
    ("code", "status"),
    [("QuotaExceeded", 403), ("XMinioAdminBucketQuotaExceeded", 400), ("XMinioStorageFull", 507), ("507", 507)],
)
def test_a_full_server_is_transient_and_told_as_a_full_disk_is(code, status):
    error = translate_error(answer(code, status), "s3://b/k")

    assert isinstance(error, Transient)
    assert str(error).endswith("; free space or raise the quota, then launch again")


@pytest.mark.parametrize(("code", "operation"), [("NoSuchKey", "GetObject"), ("404", "HeadObject")])
def test_an_object_that_is_absent_is_not_found(code, operation):
    assert isinstance(translate_error(answer(code, 404, operation), "s3://b/k"), NotFound)


def test_a_404_without_a_code_is_no_absence():
    """A web server that is no S3 server answers so, whatever it is asked for."""
    assert isinstance(translate_error(answer("404", 404), "s3://b/k"), Misconfigured)


def test_an_error_of_no_known_meaning_is_tried_again_later():
    error = boto.ClientError({"Error": {"Code": "Teapot", "Message": "?"}}, "GetObject")

    assert isinstance(translate_error(error, "s3://b/k"), Transient)


def test_what_a_person_can_mend_while_the_run_goes_on_has_a_class_of_its_own():
    own = {code for code, status, _ in REFUSED if type(translate_error(answer(code, status), "k")) is InvalidInput}

    assert {"InvalidObjectState", "NotImplemented", "InvalidBucketName", "InvalidRequest"} <= own
    assert not {"ExpiredToken", "AccessDenied", "RequestTimeTooSkewed", "NoSuchBucket", "PermanentRedirect"} & own


def test_every_refusal_is_reached_by_a_code_or_status_of_these_tests():
    said = {str(translate_error(answer(code, status), "k")) for code, status, _ in REFUSED}
    advice = [r.advice for r in (*REFUSALS, *BY_STATUS.values())]

    assert [a for a in advice if not any(a in text for text in said)] == []


def test_an_error_of_many_lines_is_told_in_one():
    body = {"Error": {"Code": "Odd", "Message": "one\ntwo\n"}, "ResponseMetadata": {"HTTPStatusCode": 400}}

    assert "\n" not in str(translate_error(boto.ClientError(body, "GetObject"), "k"))
    assert "\n" not in str(translate_error(boto.ParamValidationError(report="one\ntwo"), "k"))


VERBS = {
    "read": lambda s: s.read("k"),
    "list": lambda s: list(s.list("")),
    "exists": lambda s: s.exists("k"),
    "put": lambda s: s.put("k", b"x"),
    "put_once": lambda s: s.put_once("k", b"x", "me"),
    "delete": lambda s: s.delete("k"),
}


@pytest.mark.usefixtures("impatient_client")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, error_body("InvalidTokenId"), Misconfigured),
        (400, error_body("KMS.DisabledException"), Misconfigured),
        (400, error_body("InvalidRequest", "Two\nlines"), InvalidInput),
        (405, error_body("MethodNotAllowed"), InvalidInput),
        (404, error_body("NoSuchBucket"), Misconfigured),
        (404, "<html>Not here</html>", Misconfigured),
        (302, "", Misconfigured),
        (418, "", InvalidInput),
        (503, error_body("SlowDown"), Transient),
        (500, "<html>", Transient),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, (int, str)) else value.__name__,
)
def test_every_verb_tells_what_a_server_answers(verb, status, body, error, answering, s3_environment):
    s3_environment(answering(status, body))
    store = S3Store("s3://bucket/p", sleep=lambda _: None)
    with pytest.raises(error) as caught:
        VERBS[verb](store)

    assert type(caught.value) is error
    assert "s3://bucket/p/" in str(caught.value)
    assert "\n" not in str(caught.value)
    store._client.close()


def test_redirects_without_an_end_are_no_outage():
    error = boto.HTTPClientError(error="maximum recursion depth exceeded")
    error.__cause__ = RecursionError("maximum recursion depth exceeded")

    told = translate_error(error, "s3://bucket/p/")
    assert type(told) is Misconfigured
    assert "set AWS_REGION to the bucket's region" in str(told)


def test_what_can_never_work_is_asked_once(answering, s3_environment):
    s3_environment(answering(400, error_body("KMS.DisabledException")))
    waited: list[float] = []
    store = S3Store("s3://bucket/p", sleep=waited.append)
    for verb in VERBS.values():
        with pytest.raises(InvalidInput):
            verb(store)

    assert waited == []
    store._client.close()


@pytest.mark.parametrize("verb", ["list", "exists"])
def test_an_answer_that_is_no_listing_is_no_empty_store(verb, answering, s3_environment):
    s3_environment(answering(200, "<?xml version='1.0'?><feed><title>News</title></feed>"))
    store = S3Store("s3://bucket/p", sleep=lambda _: None)
    with pytest.raises(Misconfigured, match="correct AWS_ENDPOINT_URL: no S3 server answers there"):
        VERBS[verb](store)
    store._client.close()


@pytest.mark.usefixtures("impatient_client")
@pytest.mark.parametrize("status", [200, 500, 502])
def test_a_web_page_in_the_place_of_an_answer_leads_to_the_endpoint(status, answering, s3_environment):
    s3_environment(answering(status, "<html><p>Welcome</html>", "text/html"))
    store = S3Store("s3://bucket/p", sleep=lambda _: None)
    with pytest.raises(Transient, match="check AWS_ENDPOINT_URL, AWS_REGION and the network, or launch again later"):
        list(store.list(""))
    store._client.close()
