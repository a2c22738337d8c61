"""The S3 client: the user's own AWS configuration, with retries and time limits of this suite."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3.session
from botocore.config import Config

from experiment.s3_errors import CONFIGURATION_ERRORS, translate_error

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEFAULT_REGION = "us-east-1"  # what S3 servers that know no regions expect


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
        max_pool_connections=32,
    )
    try:
        session = boto3.session.Session()
        region = os.environ.get("AWS_REGION") or session.region_name or DEFAULT_REGION
        return session.client("s3", region_name=region, config=config)
    except CONFIGURATION_ERRORS as error:
        raise translate_error(error, place) from error
