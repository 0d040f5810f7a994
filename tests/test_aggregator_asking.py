"""Per-source request settings: what is asked, and whom the secrets reach."""

from typing import Any

import pytest

from aggregator.config.settings import Settings
from aggregator.stages.poll.asking import Asking
from aggregator.stages.poll.schedule import Politeness

URL = "https://times.example/feed.xml"
OWN = {
    "url": URL,
    "username": "ann",
    "password": "s3cret",
    "headers": {"X-Key": "k3y"},
    "user_agent": "other/1",
    "proxy": "http://joe:pr0xy@proxy.example:3128",
    "timeout": "7s",
    "tls_verify": False,
}


def asking(fetch: dict[str, Any] | None = None, **own: Any) -> Asking:
    source = {"url": URL, **own}
    return Asking(Settings.model_validate({"fetch": fetch or {}, "source": [source]}))


def test_a_source_is_asked_with_its_own_settings() -> None:
    request = asking(**OWN).feed(URL, URL)
    assert request.basic_auth == ("ann", "s3cret")
    assert request.headers == {"X-Key": "k3y"}
    assert request.user_agent == "other/1"
    assert request.proxy == "http://joe:pr0xy@proxy.example:3128"
    assert request.timeout == 7
    assert not request.verify_tls


def test_a_source_without_any_is_asked_as_all_are() -> None:
    for source in (URL, "https://unknown.example/"):
        request = asking({"timeout": "9s", "max_bytes": 4096}).feed(source, source)
        assert request.headers == {}
        assert request.basic_auth is request.user_agent is request.proxy is None
        assert (request.timeout, request.max_bytes, request.verify_tls) == (9, 4096, True)


@pytest.mark.parametrize(
    ("url", "at_home"),
    [
        ("https://times.example/2026/a", True),
        ("https://TIMES.example:443/a", True),
        ("http://times.example/a", False),
        ("https://times.example:8443/a", False),
        ("https://www.times.example/a", False),
        ("https://evil.example/", False),
    ],
)
def test_secrets_are_for_the_configured_origin_even_where_a_feed_moved(
    url: str, at_home: bool
) -> None:
    """What a source was trusted with stays with its address in the configuration."""
    for request in (asking(**OWN).page(URL, url), asking(**OWN).feed(URL, url)):
        assert (request.basic_auth is not None) == at_home
        assert bool(request.headers) == at_home
        assert request.verify_tls == (not at_home)
        assert request.proxy is not None
        assert request.user_agent == "other/1"


def test_a_request_does_not_show_its_secrets() -> None:
    shown = repr(asking(**OWN).feed(URL, URL))
    assert not [secret for secret in ("s3cret", "k3y", "pr0xy") if secret in shown]


@pytest.mark.parametrize(
    ("own", "limits"),
    [
        ({}, Politeness(900, 86400)),
        ({"interval": "1h"}, Politeness(900, 86400, 3600)),
        ({"interval": "1m"}, Politeness(60, 86400, 60)),
        ({"interval": "7d"}, Politeness(900, 7 * 86400, 7 * 86400)),
        ({"retry_after": "source"}, Politeness(900, 86400, retry_after_scope="source")),
    ],
)
def test_the_limits_of_a_source(own: dict[str, Any], limits: Politeness) -> None:
    assert asking(**own).politeness(URL) == limits


def test_the_limits_are_those_of_the_settings() -> None:
    fetch = {"min_interval": "1m", "max_interval": "2h", "retry_after": "source"}
    limits = asking(fetch).politeness(URL)
    assert limits == Politeness(60, 7200, retry_after_scope="source")
    assert asking(fetch, retry_after="host").politeness(URL) == Politeness(60, 7200)


def test_the_pause_between_requests_to_a_domain() -> None:
    assert asking({"host_interval": "3s"}).pause(URL) == 3
    assert asking({"host_interval": "3s"}, host_interval="0s").pause(URL) == 0
