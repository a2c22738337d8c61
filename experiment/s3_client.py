"""The S3 client: the user's own AWS configuration, with retries and time limits of this suite."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING, Any

import boto3.session
import botocore.session
from botocore.config import Config
from botocore.utils import parse_timestamp

from experiment.s3_errors import CONFIGURATION_ERRORS, translate_error

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEFAULT_REGION = "us-east-1"  # what S3 servers that know no regions expect
MOST_CONNECTIONS = 32


def make_client(place: str) -> S3Client:
    """Returns a client for the store at ``place``.

    Region, endpoint, addressing style, profile and credentials come from the user's variables and files. Where they
    name an endpoint and no style, the client puts the bucket into the path: few servers have a host name per bucket.

    Raises:
        Misconfigured: the user's configuration cannot be used.
        Transient: the credentials come from a server that does not answer.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=MOST_CONNECTIONS,
    )
    try:
        session = boto3.session.Session(botocore_session=_start_session())
        region = os.environ.get("AWS_REGION") or session.region_name or DEFAULT_REGION
        return session.client("s3", region_name=region, config=config)
    except CONFIGURATION_ERRORS as error:
        raise translate_error(error, place) from error


def _start_session() -> botocore.session.Session:
    """Returns a session whose clients parse listings quickly: two thirds of the work went into times of last change."""
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse_time)
    return session


def parse_time(value: Any) -> dt.datetime:
    """Returns the time that a server's answer holds, as the client would."""
    try:
        return dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):  # a number, or in the form of headers
        return parse_timestamp(value)
