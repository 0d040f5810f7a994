"""What a GET says on each hop, and which answers stand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.http.exchange import (
    ExchangeError,
    check_status,
    is_conditional,
    request_headers,
    response_headers,
)
from feeds.model import FailureKind, FetchRequest, Validators

URL = "https://news.example/feed"


def headers(request: FetchRequest, url: str = URL, *, at_home: bool = True) -> dict[str, str]:
    return request_headers(request, "newsfold/1 (+https://x.example)", url, at_home=at_home)


def test_a_plain_request_says_no_more_than_it_must() -> None:
    assert headers(FetchRequest(URL)) == {
        "User-Agent": "newsfold/1 (+https://x.example)",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br, zstd",
    }


def test_operators_headers_replace_the_usual_ones_at_home_only() -> None:
    request = FetchRequest(
        URL, headers={"accept": "text/xml", "USER-AGENT": "mine", "X-Key": "k", "Cookie": "a=b"}
    )
    assert headers(request) == {
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "accept": "text/xml",
        "USER-AGENT": "mine",
        "X-Key": "k",
        "Cookie": "a=b",
    }
    assert headers(request, at_home=False) == headers(FetchRequest(URL))


def test_a_requests_own_user_agent_and_accept_go_everywhere() -> None:
    request = FetchRequest(URL, user_agent="other/2", accept="application/atom+xml")
    for at_home in (True, False):
        sent = headers(request, at_home=at_home)
        assert sent["User-Agent"] == "other/2"
        assert sent["Accept"] == "application/atom+xml"


@pytest.mark.parametrize(
    "name",
    ["Host", "host", "Connection", "If-None-Match", "if-modified-since", "Range", "Content-Length",
     "Transfer-Encoding", "Accept-Encoding", "Proxy-Authorization", "TE", "Upgrade"],
)  # fmt: skip
def test_some_headers_are_not_the_operators_to_set(name: str) -> None:
    assert headers(FetchRequest(URL, headers={name: "x"})) == headers(FetchRequest(URL))


def test_credentials_are_sent_at_home_only() -> None:
    request = FetchRequest(URL, basic_auth=("Aladdin", "open sesame"))
    assert headers(request)["Authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert "Authorization" not in headers(request, at_home=False)


@pytest.mark.parametrize(
    "pair",
    [("X\n", "y"), ("X Y", "z"), ("", "y"), ("X:", "y"), ("Ä", "y"), ("X", "y\r\nZ: z"),
     ("X", "y\x00"), ("X", "\udce9")],
)  # fmt: skip
def test_a_header_that_cannot_be_sent_is_named(pair: tuple[str, str]) -> None:
    with pytest.raises(ExchangeError, match="is malformed") as error:
        headers(FetchRequest(URL, headers=dict([pair])))
    assert error.value.kind is FailureKind.PROTOCOL
    assert repr(pair[0]) in str(error.value)


def test_a_malformed_user_agent_is_named_too() -> None:
    with pytest.raises(ExchangeError, match="'User-Agent' is malformed"):
        headers(FetchRequest(URL, user_agent="a\nb"))


def test_validators_go_to_their_own_url_only() -> None:
    request = FetchRequest(URL, validators=Validators(URL, '"1"', "yesterday"))
    sent = headers(request)
    assert (sent["If-None-Match"], sent["If-Modified-Since"]) == ('"1"', "yesterday")
    assert is_conditional(sent)
    for url in (URL + "?", URL + "/", URL.replace("https", "http"), "https://news.example/FEED"):
        assert not is_conditional(headers(request, url))


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=30))
def test_validators_are_echoed_byte_for_byte_or_not_at_all(raw: bytes) -> None:
    stored = response_headers([(b"ETag", raw)])["etag"]
    sent = headers(FetchRequest(URL, validators=Validators(URL, etag=stored)))
    if "If-None-Match" in sent:
        assert sent["If-None-Match"].encode() == raw  # the client sends headers in UTF-8
    else:
        assert not raw.isascii() or not raw.decode().isprintable()


@pytest.mark.parametrize("etag", ["", None, "a\r\nb", "a\x00", "\u20ac"])
def test_what_cannot_be_a_validator_is_not_sent(etag: str | None) -> None:
    assert not is_conditional(headers(FetchRequest(URL, validators=Validators(URL, etag=etag))))


def test_odd_but_legal_validators_are_sent_as_they_are() -> None:
    for etag in ('W/"abc"', "abc", '"a""b"', "W/abc", '"caf\u00c3\u00a9"', "-1", '"a, b"'):
        sent = headers(FetchRequest(URL, validators=Validators(URL, etag, "0")))
        assert sent["If-None-Match"].encode() == etag.encode("latin-1")
        assert sent["If-Modified-Since"] == "0"


@pytest.mark.parametrize("status", [200, 203, 204, 226, 301, 404, 410, 429, 500, 503, 999])
def test_final_statuses_stand(status: int) -> None:
    check_status(status, conditional=False)


@pytest.mark.parametrize("status", [0, 100, 101, 199, 206, 304])
def test_what_answers_no_plain_get_does_not_stand(status: int) -> None:
    with pytest.raises(ExchangeError) as error:
        check_status(status, conditional=False)
    assert error.value.kind is FailureKind.PROTOCOL


def test_304_answers_a_conditional_get() -> None:
    check_status(304, conditional=True)
    with pytest.raises(ExchangeError):
        check_status(206, conditional=True)


def test_response_headers_are_lower_cased_and_joined() -> None:
    raw = [(b"ETag", b'"\xe9"'), (b"Link", b"<a>"), (b"LINK", b"<b>"), (b"X", b"")]
    assert response_headers(raw) == {"etag": '"\xe9"', "link": "<a>, <b>", "x": ""}
