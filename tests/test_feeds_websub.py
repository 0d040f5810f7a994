"""What hubs, publishers and subscribers say to each other."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.websub import (
    DEFAULT_LEASE,
    MAX_CHALLENGE,
    Advert,
    Intent,
    advert,
    is_signed,
    link_header,
    link_targets,
    publish_form,
    read_intent,
    subscription_form,
)

URL = "https://times.example/feed"
HUB, OTHER = "https://hub.example/", "https://hub2.example/"


def signature(body: bytes, secret: str, method: str = "sha256") -> str:
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


# --- what is advertised -------------------------------------------------------------------------


def test_links_are_read_as_the_rfc_has_them() -> None:
    header = (
        '<https://hub.example/>; rel="hub", </feed>; rel=self; type="a,b", '
        '<x>; title="; rel=hub", <https://hub2.example/>;REL = "Alternate hub" , '
        "<ftp://x/>; rel=hub"
    )
    assert list(link_targets(header, URL)) == [
        ("hub", HUB),
        ("self", URL),
        ("alternate", OTHER),
        ("hub", OTHER),
    ]


def test_headers_come_before_the_document() -> None:
    headers = {"link": f'<{HUB}>; rel="hub", <{HUB}>; rel="hub"'}
    assert advert(headers, URL, (OTHER,), "https://times.example/self") == Advert(
        (HUB,), "https://times.example/self"
    )
    headers = {"link": f'<{HUB}>; rel="hub", </own>; rel="self"'}
    assert advert(headers, URL, (), None) == Advert((HUB,), "https://times.example/own")


def test_a_document_without_hub_advertises_nothing() -> None:
    assert advert({}, URL, (), URL) is None
    assert advert({"link": f'<{URL}>; rel="self"'}, URL, (), URL) is None


def test_a_document_without_self_is_known_by_where_it_was_read() -> None:
    assert advert({}, URL, (HUB, OTHER, HUB), None) == Advert((HUB, OTHER), URL)


def test_what_is_written_reads_back() -> None:
    header = link_header((HUB, OTHER), URL)
    assert list(link_targets(header, "https://x.example/")) == [
        ("hub", HUB),
        ("hub", OTHER),
        ("self", URL),
    ]


@given(st.text(alphabet='<>;,="rel hubself/\\', max_size=200))
def test_any_header_gives_absolute_links(header: str) -> None:
    assert all(target.startswith("http") for _, target in link_targets(header, URL))


# --- forms --------------------------------------------------------------------------------------


def test_a_hub_is_asked_for_a_lease_and_given_a_secret() -> None:
    assert subscription_form(URL, "https://news.example/websub/t", "s") == {
        "hub.mode": "subscribe",
        "hub.topic": URL,
        "hub.callback": "https://news.example/websub/t",
        "hub.lease_seconds": "864000",
        "hub.secret": "s",
    }


def test_a_hub_is_told_of_one_address() -> None:
    assert publish_form(URL) == {"hub.mode": "publish", "hub.url": URL}


# --- intents ------------------------------------------------------------------------------------


def asked(**changes: str) -> dict[str, str]:
    query = {"mode": "subscribe", "topic": URL, "challenge": "c", "lease_seconds": "60"} | changes
    return {f"hub.{name}": value for name, value in query.items()}


def test_a_question_is_read() -> None:
    assert read_intent(asked()) == Intent("subscribe", URL, "c", 60)


@pytest.mark.parametrize("lease", ["", "0", "-1", "1e3", "soon", "9" * 13])
def test_a_lease_that_says_nothing_is_the_usual_one(lease: str) -> None:
    assert read_intent(asked(lease_seconds=lease)) == Intent("subscribe", URL, "c", DEFAULT_LEASE)


def test_a_denial_is_read_with_its_reason_in_one_line() -> None:
    query = asked(mode="denied", reason="no\nroom" + "!" * 500)
    intent = read_intent(query)
    assert intent is not None
    assert (intent.mode, intent.topic, intent.reason[:8]) == ("denied", URL, "no room!")
    assert len(intent.reason) == 200


@pytest.mark.parametrize(
    "query",
    [
        {},
        asked(mode="unsubscribe"),
        asked(mode="publish"),
        asked(challenge=""),
        asked(challenge="x" * (MAX_CHALLENGE + 1)),
    ],
)
def test_everything_else_is_no_question_of_ours(query: dict[str, str]) -> None:
    assert read_intent(query) is None


# --- signatures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_the_recommendation_is_checked(method: str) -> None:
    good = signature(b"body", "secret", method)
    assert is_signed(b"body", good, "secret")
    assert is_signed(b"body", good.upper(), "secret"), "hexadecimal in either case"
    assert not is_signed(b"body!", good, "secret")
    assert not is_signed(b"body", good, "secret!")
    assert not is_signed(b"body", good[:-1] + ("0" if good[-1] != "0" else "1"), "secret")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256",
        "sha256=",
        "=" + "0" * 64,
        hashlib.sha256(b"body").hexdigest(),
        "md5=" + hmac.new(b"secret", b"body", "md5").hexdigest(),
        signature(b"body", "secret").replace("sha256", "sha512"),
        "sha256=" + "é" * 64,
    ],
)
def test_what_is_no_signature_signs_nothing(header: str | None) -> None:
    assert not is_signed(b"body", header, "secret")
