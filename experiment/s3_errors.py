"""The errors of S3 servers and of the S3 client, translated by class: absent, refused with advice, or transient."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

import botocore.exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from experiment.errors import ExperimentError, InvalidInput, Misconfigured, NotFound, Transient, describe_error

ATTEMPTS = 5  # of one whole operation of ours, each with the client's own 3 tries inside
# The errors of a request. A bad address, number, file or command in the configuration raises an error of Python.
CLIENT_ERRORS = (
    boto.ClientError,
    boto.BotoCoreError,
    ResponseParserError,
    HTTPError,
    OSError,
    ValueError,
    RuntimeError,
)
# The errors of making a client. Sections of a form that the library does not expect raise the last three.
CONFIGURATION_ERRORS = (*CLIENT_ERRORS, AttributeError, KeyError, TypeError)


class Refusal(NamedTuple):
    """A class of refusals: the codes of servers, with ``*`` for any characters, and what the user should do.

    ``Misconfigured`` is for what a person can mend in the surroundings while the same run goes on.
    """

    advice: str
    error: type[InvalidInput]
    codes: str = ""


CREDENTIALS = "correct the credentials"
RIGHTS = "give this identity the rights on the bucket that README names"
OWNER = "ask the owner of the account or bucket to enable it"
REGION = "set AWS_REGION to the bucket's region, or AWS_ENDPOINT_URL to its server"
ENDPOINT = "correct AWS_ENDPOINT_URL: no S3 server answers there"
FULL = "free space or raise the quota, then launch again"
LATER = f"the server failed {ATTEMPTS} times, launch again later"
UNREACHED = "check AWS_ENDPOINT_URL, AWS_REGION and the network, or launch again later"

ABSENT_CODES = "NoSuchKey NoSuchVersion NotFound"
FULL_CODES = "*Quota*Exceeded* *QuotaExceeded *StorageFull InsufficientStorage"
LATER_CODES = (
    "SlowDown* *Throttl* TooManyRequests* TooMuchConcurrency RequestLimitExceeded BandwidthLimitExceeded RateLimit* Busy "
    "ProvisionedThroughputExceeded* *Timeout* PriorRequestNotComplete ClientDisconnect ConnectionClosed* OperationAborted "
    "IncompleteBody BadDigest XAmzContent*Mismatch *ChecksumMismatch* CrcMismatch ServiceUnavailable* InternalError* "
    "*InternalException *InternalFailure ConditionalRequestConflict TemporaryRedirect IDPCommunicationError"
)
# The first entry that has the code counts.
REFUSALS = (
    Refusal("set the clock of this machine", Misconfigured, "*TimeTooSkewed RequestExpired ExpiredRequest"),
    Refusal(
        "log in again, or renew the credentials and the session token",
        Misconfigured,
        "ExpiredToken* InvalidToken* TokenRefreshRequired InvalidIdentityToken* InvalidClient* UnrecognizedClient* "
        "InvalidGrant* IDPRejectedClaim*",
    ),
    Refusal(
        CREDENTIALS,
        Misconfigured,
        "InvalidAccessKey* SignatureDoesNotMatch InvalidSignature* IncompleteSignature* AuthFailure Unauthorized "
        "AuthenticationRequired MissingAuthentication* MissingSecurity* InvalidSecurity CredentialsNotSupported",
    ),
    Refusal("enable the bucket's encryption key and give this identity the rights on it", Misconfigured, "*KMS* *Kms*"),
    Refusal(
        OWNER,
        Misconfigured,
        "*AccountProblem AllAccessDisabled User*Suspended *Disabled InvalidPayer NotSignedUp NotEntitled OptInRequired",
    ),
    Refusal("create the bucket or correct --store", Misconfigured, "NoSuchBucket NoSuchAccessPoint*"),
    Refusal(
        "correct --store",
        InvalidInput,
        "InvalidBucketName SecondLevelDomainForbidden Dotful* InvalidAccessPoint* InvalidURI *InvalidObjectName "
        "KeyTooLong* *InvalidResourceName *ObjectExistsAsDirectory *ParentIsObject",
    ),
    Refusal(
        REGION,
        Misconfigured,
        "PermanentRedirect* AuthorizationHeaderMalformed IllegalLocationConstraint* IncorrectEndpoint EndpointNotFound",
    ),
    Refusal("restore the archived object, then try again", InvalidInput, "InvalidObjectState ObjectNotInActiveTier*"),
    Refusal(
        "use an S3 server and bucket that take GET, PUT with If-None-Match, and DELETE",
        InvalidInput,
        "NotImplemented MethodNotAllowed InvalidBucketState Unsupported*",
    ),
    Refusal(RIGHTS, Misconfigured, "AccessDenied* Forbidden* Unauthorized*"),
)
BY_STATUS = {
    401: Refusal(CREDENTIALS, Misconfigured),
    402: Refusal(OWNER, Misconfigured),
    403: Refusal(RIGHTS, Misconfigured),
    404: Refusal(ENDPOINT, Misconfigured),
    407: Refusal("correct the credentials of the proxy (HTTPS_PROXY)", Misconfigured),
    501: Refusal("use an S3 server that honours If-None-Match", InvalidInput),
}
UNKNOWN = Refusal("check the endpoint, the bucket's settings and --store", InvalidInput)
LATER_STATUSES = frozenset({307, 408, 409, 423, 425, 429})

NETWORK = (
    boto.ConnectionError,
    boto.HTTPClientError,
    boto.IncompleteReadError,
    boto.FlexibleChecksumError,
    HTTPError,
    ConnectionError,
    TimeoutError,
)
# A file that is missing, or an address or header that cannot be sent, also ends a connection.
LOCAL = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError, ValueError)
CUT_OFF = (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError)
# The advice on errors of the client itself. The first entry that has the error counts.
SETUP: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
    ("log in again: aws sso login", (boto.SSOError, boto.TokenRetrievalError, boto.NoAuthTokenError)),
    ("correct AWS_REGION or the profile's region", (boto.InvalidRegionError, boto.NoRegionError)),
    ("correct --store", (boto.ParamValidationError,)),
    ("correct AWS_CA_BUNDLE, or the server's certificate and address", (boto.SSLError, boto.HTTPClientError)),
    (ENDPOINT, (ResponseParserError, boto.EndpointProviderError)),
    (
        "correct the credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)",
        (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.ProfileNotFound),
    ),
)
SETTINGS = "correct the AWS configuration: the variables AWS_* and the files that they name"


def error_code(error: boto.ClientError) -> str:
    """Returns the server's code of an error, or the HTTP status where the server gave no code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def translate_error(error: Exception, place: str) -> ExperimentError:
    """Returns the suite's error for an error of the S3 client; ``place`` names the object."""
    if isinstance(error, boto.ClientError):
        return _translate_answer(error, place)
    causes = tuple(_causes(error))
    if any(isinstance(c, RecursionError) for c in causes):  # the client asks for the bucket's region, and is sent on
        return Misconfigured(f"{place} cannot be used: its server sends each request on to another; {REGION}")
    if any(isinstance(c, NETWORK) for c in causes) and not any(map(_is_local, causes)):
        advice = UNREACHED if isinstance(error, boto.ConnectionError) else LATER
        return Transient(f"{place}: {describe_error(error)}; {advice}")
    if isinstance(error, boto.HTTPClientError) and any(isinstance(c, ValueError) for c in causes):
        reason = "a setting has characters that cannot be sent"  # the library's text would show keys and tokens
        return Misconfigured(f"{place} cannot be used: {reason}; {SETTINGS}")
    advice = next((advice for advice, kinds in SETUP if isinstance(error, kinds)), SETTINGS)
    return Misconfigured(f"{place} cannot be used: {describe_error(error)}; {advice}")


def _translate_answer(error: boto.ClientError, place: str) -> ExperimentError:
    code, status = error_code(error), int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    without_body = error.operation_name == "HeadObject"  # there the status is all that a server can say
    if _has(ABSENT_CODES, code) or (without_body and status == 404):
        return NotFound(f"{place} does not exist; check the store and the run")
    if _has(FULL_CODES, code) or status == 507:
        return Transient(f"{place}: {describe_error(error)}; {FULL}")
    refusal = None if _has(LATER_CODES, code) else _refusal_of(code, status)
    if refusal is None:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        advice = UNREACHED if "html" in headers.get("content-type", "") else LATER  # S3 servers answer in XML
        return Transient(f"{place}: {describe_error(error)}; {advice}")
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    said = f" (it says: {message})" if message not in ("", code) else ""
    return refusal.error(f"{place} is refused by the server: {code}; {refusal.advice}{said}")


def _refusal_of(code: str, status: int) -> Refusal | None:
    """Returns the refusal of this code and status, or None if a later attempt may succeed."""
    if known := next((r for r in REFUSALS if _has(r.codes, code)), BY_STATUS.get(status)):
        return known
    if 300 <= status < 400 and status not in LATER_STATUSES:
        return Refusal(REGION, Misconfigured)
    return UNKNOWN if 400 <= status < 500 and status not in LATER_STATUSES else None


def _has(patterns: str, code: str) -> bool:
    return any(fnmatchcase(code, pattern) for pattern in patterns.split())


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_local(cause: BaseException) -> bool:
    """Returns whether a failed connection is due to a file, an address or a certificate instead of the network."""
    if isinstance(cause, ssl.SSLError):
        return not isinstance(cause, CUT_OFF)
    return isinstance(cause, LOCAL)
