"""The S3 server and region that the launcher itself uses: pods get the same, unless the settings name others.

The store ``s3://BUCKET/PREFIX`` is another one at another server, so pods that did not get the launcher's server would send
their keys elsewhere. Read as AWS's own tools read it: variables first, then the profile in the configuration file.
"""

from __future__ import annotations

import configparser
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost")


def find_endpoint(environ: Mapping[str, str]) -> str:
    """Returns the URL of the launcher's S3 server; empty if it is AWS."""
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return ""
    profile, services = _profile(environ)
    return next((environ[n] for n in ENDPOINTS if environ.get(n)), "") or services or profile.get("endpoint_url", "")


def find_region(environ: Mapping[str, str]) -> str:
    """Returns the launcher's region; empty if none is set."""
    return next((environ[n] for n in REGIONS if environ.get(n)), "") or _profile(environ)[0].get("region", "")


def is_of_this_machine(endpoint: str) -> bool:
    """Returns whether a URL names the machine that reads it, so that in a pod it means the pod."""
    host = urlsplit(endpoint).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in LOCAL_NAMES or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _profile(environ: Mapping[str, str]) -> tuple[Mapping[str, str], str]:
    """Returns the user's profile, and the endpoint of S3 in its section of services."""
    path = environ.get("AWS_CONFIG_FILE") or f"{environ.get('HOME', '~')}/.aws/config"
    file = configparser.RawConfigParser(default_section="")
    try:
        file.read_string(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError, configparser.Error):
        return {}, ""  # a damaged file is refused where the client is made
    name = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    sections = {
        section.split()[-1] if section.startswith("profile") else section: section for section in file.sections()
    }
    profile = dict(file[sections[name]]) if name in sections else {}
    services = f"services {profile.get('services', '')}"
    nested = file[services].get("s3", "") if file.has_section(services) else ""
    pairs = dict(line.replace(" ", "").split("=", 1) for line in nested.splitlines() if "=" in line)
    return profile, pairs.get("endpoint_url", "")
