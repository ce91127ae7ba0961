"""Settings: the URL that a message to sign in must name follows from them, and from nothing else."""

from __future__ import annotations

import pytest

from deedlog.api.settings import Settings, read_settings
from deedlog.registry.errors import InvalidData
from deedlog.registry.sign_in import Site


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, Site("http", "127.0.0.1:8000", "http://127.0.0.1:8000")),
        ({"host": "::1", "port": 80}, Site("http", "[::1]", "http://[::1]")),
        ({"host": "web_1"}, Site("http", "web_1:8000", "http://web_1:8000")),
        (
            {"public_url": "https://Deeds.Example.com:443/", "host": "0.0.0.0"},
            Site("https", "deeds.example.com", "https://deeds.example.com"),
        ),
        (
            {"public_url": "https://example.com/deeds/"},
            Site("https", "example.com", "https://example.com/deeds"),
        ),
    ],
)
def test_the_site_is_the_public_url_or_that_of_host_and_port(settings, expected):
    assert Settings(**settings).site == expected


def test_the_port_that_is_listened_on_counts_where_the_command_names_another():
    settings = Settings()
    settings.port = 4711
    assert settings.site.uri == "http://127.0.0.1:4711"


@pytest.mark.parametrize("url", ["deeds.example.com", "ftp://x", "https://user@deeds.example.com", "https://x?y", ""])
def test_a_public_url_that_is_none_is_named_with_its_variable(monkeypatch, url):
    monkeypatch.setenv("DEEDLOG_PUBLIC_URL", url)
    with pytest.raises(InvalidData) as caught:
        read_settings()
    assert caught.value.code == "settings.invalid"
    assert caught.value.params["variable"] == "DEEDLOG_PUBLIC_URL"
    assert "http(s)://HOST" in str(caught.value.params["reason"])
