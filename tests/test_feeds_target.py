"""URLs as they are sent, and the odd ones that end safe."""

import ipaddress
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.http.guard import Guard
from feeds.http.target import TargetError, redirect_url, target_of
from feeds.model import FailureKind

GUARD = Guard()


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://Example.COM", "http://example.com/"),
        ("HTTPS://example.com/Feed", "https://example.com/Feed"),
        ("http://example.com?a=1", "http://example.com/?a=1"),
        ("  http://example.com/a b.xml\n", "http://example.com/a%20b.xml"),
        ("http://example.com/a%2Fb%7e?s=%2C%3B+,;'", "http://example.com/a%2Fb%7e?s=%2C%3B+,;'"),
        ("http://example.com/é?ü=1#frag", "http://example.com/%C3%A9?%C3%BC=1"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://example.com:8080/x", "http://example.com:8080/x"),
        ("http://example.com:80/x", "http://example.com/x"),
        ("http://[2606:4700::1111]:8080/x", "http://[2606:4700::1111]:8080/x"),
        ("http://8.8.8.8/x", "http://8.8.8.8/x"),
        ("http://_under.score.example./x", "http://_under.score.example./x"),
        ("http://example.com/\\evil", "http://example.com/%5Cevil"),
        ("http://example.com/%zz%", "http://example.com/%zz%"),
    ],
)
def test_what_is_sent_is_what_was_given(url: str, sent: str) -> None:
    assert str(target_of(url, GUARD).url) == sent


def test_origin_is_scheme_host_and_port() -> None:
    origins = {
        target_of(url, GUARD).origin
        for url in ("http://A.example/x", "http://a.example:80/y?z", "http://a.example")
    }
    assert origins == {("http", "a.example", 80)}
    assert target_of("https://a.example", GUARD).origin == ("https", "a.example", 443)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/feed",
        "//example.com/feed",
        "/feed",
        "file:///etc/passwd",
        "ftp://example.com/x",
        "gopher://example.com/x",
        "data:text/xml,<rss/>",
        "javascript:alert(1)",
        "feed:https://example.com/x",
        "http://",
        "http:///x",
        "http:x",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://:@example.com/",
        "http://8.8.8.8@example.com:80@evil.example/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example.com:http/",
        "http://[::1",
        "http://exa mple.com/",
        "http://exa\tmple.com/",
        "http://exa\x00mple.com/",
        "http://example.com\\@evil.example/",
        "http://ex%41mple.com/",
        "http://a..b/",
        "http://.example.com/",
        "http://" + "a" * 64 + ".com/",
        "http://" + "a." * 130 + "com/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7F.1/",
        "http://0177.0.0.1/",
        "http://0/",
        "http://127.0.0.1./",
        "http://8.8.8.8./",
        "http://1.2.3.4.5/",
        "http://evil.example.0x7f/",
        "http://example.com/" + "a" * 9000,
        "http://exam\udcffple.com/",
    ],
)
def test_what_names_no_host_is_a_bad_url(url: str) -> None:
    with pytest.raises(TargetError) as error:
        target_of(url, GUARD)
    assert error.value.kind is FailureKind.BAD_URL
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/",
        "http://169.254.169.254/latest/meta-data/",
        "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
        "http://①②⑦.⓪.⓪.①/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://[2606:4700::1111%25eth0]/",
        "http://10.0.0.1/",
    ],
)
def test_literal_addresses_are_judged_by_the_guard(url: str) -> None:
    with pytest.raises(TargetError) as error:
        target_of(url, GUARD)
    assert error.value.kind is FailureKind.FORBIDDEN_ADDRESS


def test_an_allowed_literal_address_passes() -> None:
    target = target_of("http://127.0.0.1:8080/x", Guard.allowing(["127.0.0.0/8"]))
    assert target.host == "127.0.0.1"


@settings(deadline=None)
@given(st.text(max_size=30), st.sampled_from(["", "http://", "https://", "http://[", "//"]))
def test_any_text_is_a_target_or_a_target_error(text: str, start: str) -> None:
    try:
        target = target_of(start + text, GUARD)
    except TargetError:
        return
    sent = str(target.url)
    assert sent.isascii()
    assert not set(sent) & set(" \r\n\t\x00")
    assert sent.startswith(("http://", "https://"))


@settings(deadline=None)
@given(
    st.ip_addresses(v=4),
    st.sampled_from(["%d", "0x%x", "0%o"]),
    st.booleans(),
)
def test_no_number_that_a_resolver_reads_as_an_address_passes(
    address: ipaddress.IPv4Address, spelling: str, dot: bool
) -> None:
    host = spelling % int(address) + "." * dot
    try:
        socket.inet_aton(host)
    except OSError:
        return
    with pytest.raises(TargetError):
        target_of(f"http://{host}/", GUARD)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://a.example/b"),
        ("b?x#frag", "https://a.example/dir/b?x"),
        ("//b.example/c", "https://b.example/c"),
        ("http://b.example", "http://b.example"),
        ("?page=2", "https://a.example/dir/feed?page=2"),
        (" /b \t", "https://a.example/b"),
        ("/\u00c3\u00a9", "https://a.example/é"),
        ("/\u00e9", "https://a.example/%E9"),
        ("https://b\u00c3\u00bccher.example/", "https://bücher.example/"),
        ("https:///evil.example", "https://a.example/evil.example"),
        ("http://[oops", "http://[oops"),
        ("/x\u20acy", "https://a.example/x?y"),
    ],
)
def test_where_a_location_leads(location: str, url: str) -> None:
    assert redirect_url("https://a.example/dir/feed?x=1", location) == url


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_location_gives_text(location: str) -> None:
    assert isinstance(redirect_url("https://a.example/", location), str)
