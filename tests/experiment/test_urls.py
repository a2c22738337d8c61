"""The addresses of servers: what no request could be sent to is told from what may answer."""

from __future__ import annotations

import pytest

from experiment.urls import names_server


@pytest.mark.parametrize(
    "url", ["http://host", "https://host:443/a/b?c=d", "http://10.0.0.1:9000", "http://[::1]:80/", "http://a_b.c"]
)
def test_an_address_of_a_server_is_known(url):
    assert names_server(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:80",
        "ftp://host",
        "http://",
        "http://:80",
        "http://h:0",
        "http://h:x",
        "http://h:65536",
        "http://[::1",
        "http://a b",
        "http://h/é",
    ],
)
def test_what_names_no_server_is_told(url):
    assert not names_server(url)
