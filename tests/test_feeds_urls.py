"""Canonical addresses, registrable domains and whose rel=canonical is believed."""
# ruff: noqa: RUF001 - characters that only look like others are the point

import re
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.urls import (
    CanonicalEvidence,
    absolute_http_url,
    address_key,
    believe_canonical,
    canonical_url,
    registrable_domain,
)

PIECES = """
    http:// https:// www. m. amp. google.com /amp /amp/ .amp .html ?amp=1 & ? # #! ; jsessionid=x
    utm_source=a %20 %2e %2E %41 . .. / // a b-1 1 ü ß ： 。 @ : 80 443 [ ] [::1] \\ < > " ' %zz %
    = cdn.ampproject.org/c/s/ example.com en.m.wikipedia.org /wiki
"""
pieces = st.lists(st.sampled_from([*PIECES.split(), " ", "\t", "\n"]), max_size=9).map("".join)
addresses = st.one_of(
    st.text(max_size=40),
    pieces,
    pieces.map("https://".__add__),
    pieces.map("https://example.com/".__add__),
)


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        # tracking
        ("https://ex.com/a?utm_source=rss&utm_medium=x", "https://ex.com/a"),
        ("https://ex.com/a?id=3&fbclid=IwAR0&p=2", "https://ex.com/a?id=3&p=2"),
        ("https://ex.com/a?UTM_Source=x&gclid=1", "https://ex.com/a"),
        ("https://ex.com/a?at_medium=RSS&at_campaign=KARANGA", "https://ex.com/a"),
        ("https://ex.com/a?partner=rss&emc=rss", "https://ex.com/a"),
        ("https://ex.com/a?source=rss----7f60cf5620c9---4", "https://ex.com/a"),
        ("https://ex.com/a?mod=rss_markets_main", "https://ex.com/a"),
        ("https://ex.com/a?PHPSESSID=0123", "https://ex.com/a"),
        ("https://ex.com/a;jsessionid=AB12?x=1", "https://ex.com/a?x=1"),
        # what means something stays, in its order
        ("https://ex.com/a?source=wire&ref=7&page=2", "https://ex.com/a?source=wire&ref=7&page=2"),
        ("https://ex.com/?p=12", "https://ex.com/?p=12"),
        ("https://ex.com/a?b=2&a=1&b=1", "https://ex.com/a?b=2&a=1&b=1"),
        ("https://ex.com/a?q=a+b%2Bc", "https://ex.com/a?q=a+b%2Bc"),
        ("https://ex.com/a?flag&empty=", "https://ex.com/a?flag&empty="),
        ("https://ex.com/a/", "https://ex.com/a/"),
        ("https://ex.com/a;b=1", "https://ex.com/a;b=1"),
        ("https://ex.com/A/b", "https://ex.com/A/b"),
        ("https://ex.com/?feedback=1", "https://ex.com/?feedback=1"),
        ("http://ex.com/a", "http://ex.com/a"),
        ("https://ex.com//a", "https://ex.com//a"),
        # AMP
        ("https://ex.com/news/a-story/amp/", "https://ex.com/news/a-story/"),
        ("https://ex.com/news/story-1/amp", "https://ex.com/news/story-1"),
        ("https://ex.com/news/story-1.amp", "https://ex.com/news/story-1"),
        ("https://ex.com/news/story.amp.html", "https://ex.com/news/story.html"),
        ("https://ex.com/a?amp", "https://ex.com/a"),
        ("https://ex.com/a?amp=1&x=1", "https://ex.com/a?x=1"),
        ("https://ex.com/a?outputType=amp", "https://ex.com/a"),
        ("https://amp.ex.com/a", "https://www.ex.com/a"),
        ("https://www.google.com/amp/s/www.ex.com/a-1/amp/", "https://www.ex.com/a-1/"),
        ("https://www.google.co.uk/amp/www.ex.com/a", "http://www.ex.com/a"),
        ("https://www-ex-com.cdn.ampproject.org/c/s/www.ex.com/a-1", "https://www.ex.com/a-1"),
        ("https://" + "www.google.com/amp/s/" * 9 + "ex.com/a", "https://ex.com/a"),
        ("https://guitars.example/shop/amp/", "https://guitars.example/shop/amp/"),
        ("https://amp.dev/a", "https://amp.dev/a"),
        # mobile
        ("https://m.ex.co.uk/a", "https://www.ex.co.uk/a"),
        ("https://mobile.ex.com/a", "https://www.ex.com/a"),
        ("https://en.m.wikipedia.org/wiki/Quay", "https://en.wikipedia.org/wiki/Quay"),
        ("https://m.blog.ex.com/a", "https://m.blog.ex.com/a"),
        # fragments
        ("https://ex.com/a#comments", "https://ex.com/a"),
        ("https://ex.com/a#xtor=RSS-3208", "https://ex.com/a"),
        ("https://ex.com/#!/a", "https://ex.com/#!/a"),
        ("https://ex.com/#/a", "https://ex.com/#/a"),
        # spelling
        ("HTTPS://Ex.COM:443/a", "https://ex.com/a"),
        ("http://ex.com:80", "http://ex.com/"),
        ("http://ex.com:8080/a", "http://ex.com:8080/a"),
        ("https://ex.com./a", "https://ex.com/a"),
        ("https://user:pw@ex.com/a", "https://ex.com/a"),
        ("https://bücher.example/ä b?q=ü", "https://xn--bcher-kva.example/%C3%A4%20b?q=%C3%BC"),
        ("https://ex.com/%7euser/%e4%2f", "https://ex.com/~user/%E4%2F"),
        ("https://ex.com/a/../b/./c/..", "https://ex.com/b/"),
        ("https://ex.com/50%", "https://ex.com/50%25"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
        # junk
        (" <https://ex.com/a> ", "https://ex.com/a"),
        ("https://ex.com/a%20", "https://ex.com/a"),
        ("https://ex.com/a?", "https://ex.com/a"),
        ("https://ex.com/a?x=1&&", "https://ex.com/a?x=1"),
        ("https://ex.com/a\n/b", "https://ex.com/a/b"),
        ("https://ex.com/a\u200b", "https://ex.com/a"),
    ],
)
def test_canonical_url(given_url: str, expected: str) -> None:
    assert canonical_url(given_url) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "   ",
        "ex.com/a",
        "/a",
        "//ex.com/a",
        "ftp://ex.com/a",
        "javascript:alert(1)",
        "mailto:a@ex.com",
        "data:text/html,x",
        "http:",
        "http:///a",
        "http:ex.com",
        "http://ex.com:99999/",
        "http://ex.com:x/",
        "http://[::1/",
        "http://[zz]/",
        "http://ex..com/",
        "http://ex.com\\@evil.example/",
        "http://a b/",
        "http://：/",
        "http://" + "a" * 64 + ".com/",
        "https://ex.com/" + "a" * 5000,
    ],
)
def test_what_is_no_http_address_is_none(address: str) -> None:
    assert canonical_url(address) is None
    assert absolute_http_url(address) is None


@given(addresses, st.booleans())
def test_canonical_url_is_idempotent_legal_and_never_raises(url: str, keep: bool) -> None:
    canonical = canonical_url(url, keep_fragment=keep)
    if canonical is not None:
        assert canonical.startswith(("http://", "https://"))
        assert canonical.isascii()
        assert not set(canonical) & set(' <>"\\^`{|}')
        assert canonical_url(canonical, keep_fragment=keep) == canonical
        assert absolute_http_url(canonical) == canonical


@given(addresses, addresses)
def test_absolute_http_url_is_idempotent_and_never_raises(url: str, base: str) -> None:
    absolute = absolute_http_url(url, base)
    if absolute is not None:
        assert absolute_http_url(absolute) == absolute
        assert absolute_http_url(absolute, base) == absolute


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("/b?x#y", "https://ex.com/a/c", "https://ex.com/b?x#y"),
        ("b", "https://ex.com/a/c", "https://ex.com/a/b"),
        ("../../../b", "https://ex.com/a/c", "https://ex.com/b"),
        ("//cdn.ex/x", "https://ex.com/", "https://cdn.ex/x"),
        ("?q", "https://ex.com/a", "https://ex.com/a?q"),
        ("#f", "https://ex.com/a", "https://ex.com/a#f"),
        ("/b", "http://[::1]:8000/", "http://[::1]:8000/b"),
        ("b", None, None),
        ("b", "mailto:x", None),
        ("javascript:x", "https://ex.com/", None),
        ("b", "http://[", None),
    ],
)
def test_relative_addresses_resolve_as_in_a_browser(
    url: str, base: str | None, expected: str | None
) -> None:
    assert absolute_http_url(url, base) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://ex.com/a", "https://www.ex.com/a/"),
        ("https://m.ex.com/a?utm_source=x", "https://www.ex.com/a"),
        ("http://ex.com:80/?p=1", "https://ex.com/?p=1"),
    ],
)
def test_one_document_under_two_spellings_has_one_key(one: str, other: str) -> None:
    assert address_key(one) == address_key(other)


def test_different_documents_have_different_keys() -> None:
    urls = ["http://ex.com/?p=1", "http://ex.com/?p=2", "http://ex.com/a#1", "http://ex.com/a#2"]
    assert len({address_key(url) for url in urls}) == 4


def test_text_that_is_no_address_is_its_own_key() -> None:
    assert address_key("tag:ex.com,2026:1") == "tag:ex.com,2026:1"


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.bbc.co.uk/news", "bbc.co.uk"),
        ("https://a.b.example.com/", "example.com"),
        ("https://ada.github.io/x", "ada.github.io"),
        ("http://127.0.0.1:8000/", "127.0.0.1"),
        ("http://[::1]/", "::1"),
        ("http://localhost/", "localhost"),
        ("http://reader.intranet/", "reader.intranet"),
        ("nonsense", ""),
        ("http://[", ""),
    ],
)
def test_registrable_domain(url: str, domain: str) -> None:
    assert registrable_domain(url) == domain


@given(addresses)
def test_registrable_domain_never_raises(url: str) -> None:
    assert isinstance(registrable_domain(url), str)


PAGE = "https://www.ex.com/news/2026/a-story"


@pytest.mark.parametrize(
    ("claimed", "expected", "evidence"),
    [
        (None, PAGE, CanonicalEvidence.NONE),
        ("", PAGE, CanonicalEvidence.NONE),
        (PAGE, PAGE, CanonicalEvidence.NONE),
        (f"{PAGE}?utm_source=x", PAGE, CanonicalEvidence.NONE),
        ("/news/2026/b-story", "https://www.ex.com/news/2026/b-story", CanonicalEvidence.BELIEVED),
        ("https://ex.com/a-story", "https://ex.com/a-story", CanonicalEvidence.BELIEVED),
        ("https://www.ex.com/", PAGE, CanonicalEvidence.IGNORED),
        ("https://www.ex.com", PAGE, CanonicalEvidence.IGNORED),
        ("/news/", PAGE, CanonicalEvidence.IGNORED),
        ("/news/2026", PAGE, CanonicalEvidence.IGNORED),
        ("javascript:void(0)", PAGE, CanonicalEvidence.IGNORED),
        ("http://[", PAGE, CanonicalEvidence.IGNORED),
        ("https://wire.example/a-story", PAGE, CanonicalEvidence.SYNDICATED),
        ("https://wire.example/", PAGE, CanonicalEvidence.IGNORED),
        ("/?p=12", "https://www.ex.com/?p=12", CanonicalEvidence.BELIEVED),
    ],
)
def test_whose_canonical_is_believed(
    claimed: str | None, expected: str, evidence: CanonicalEvidence
) -> None:
    assert believe_canonical(PAGE, claimed) == (expected, evidence)


@pytest.mark.parametrize("page", ["/page/2", "/2", "/print", "/index.html", "/"])
def test_a_page_of_an_article_may_point_above_itself(page: str) -> None:
    assert believe_canonical(f"{PAGE}{page}", PAGE) == (PAGE, CanonicalEvidence.BELIEVED)


@given(addresses, addresses)
def test_believe_canonical_never_raises(page: str, claimed: str) -> None:
    url, _ = believe_canonical(absolute_http_url(page) or "https://ex.com/x", claimed)
    assert canonical_url(url) == url


def test_a_site_read_over_https_does_not_mean_its_plain_address() -> None:
    plain = PAGE.replace("https://", "http://")
    assert believe_canonical(PAGE, plain) == (PAGE, CanonicalEvidence.NONE)
    other = "http://www.ex.com/news/2026/b-story"
    expected = ("https://www.ex.com/news/2026/b-story", CanonicalEvidence.BELIEVED)
    assert believe_canonical(PAGE, other) == expected


# --- never a change that alters what the address means -------------------------------------------

names = st.from_regex(r"(?:id|p|page|q|v|lang|article|storyid|c\[\]|sort)[0-9]?", fullmatch=True)
values = st.text("abcXYZ0189-._~!$'()*+,;:@/?% äж", max_size=8).map(
    lambda text: quote(text, safe="-._~!$'()*+,;:@/?")
)
pairs = st.lists(st.tuples(names, values).map("=".join) | names, max_size=4)
segments = st.lists(
    st.text("abcXYZ0189-_~!$'()*+,:@ä", min_size=1, max_size=8).map(
        lambda text: quote(text, safe="-_~!$'()*+,:@")
    ),
    max_size=4,
).filter(lambda found: "amp" not in found)
hosts = st.sampled_from(["ex.com", "www.ex.com", "news.ex.co.uk", "ex.com:8080", "[2001:db8::1]"])
tracking = st.sampled_from(
    ["utm_source=rss", "UTM_Medium=feed", "fbclid=Xy", "gclid=1", "at_medium=RSS", "ref=rss"]
)


def spelled(scheme: str, host: str, path: list[str], slash: str, query: list[str]) -> str:
    question = "?" if query else ""
    return f"{scheme}://{host}/{'/'.join(path)}{slash if path else ''}{question}{'&'.join(query)}"


meaningful = st.builds(
    spelled, st.sampled_from(["http", "https"]), hosts, segments, st.sampled_from(["", "/"]), pairs
)


@given(meaningful)
def test_what_an_address_means_stays(url: str) -> None:
    """Scheme, host, port, every segment and every parameter in order; only their escapes differ."""
    canonical = canonical_url(url)
    assert canonical is not None
    before, after = urlsplit(url), urlsplit(canonical)
    assert (after.scheme, after.netloc) == (before.scheme, before.netloc)
    assert [unquote(part) for part in after.path.split("/")] == [
        unquote(part) for part in before.path.split("/")
    ]
    assert [unquote(pair) for pair in after.query.split("&")] == [
        unquote(pair) for pair in before.query.split("&")
    ]


@given(meaningful, st.lists(tracking, min_size=1, max_size=3), st.integers(0, 4))
def test_tracking_wherever_it_stands_changes_nothing(url: str, added: list[str], at: int) -> None:
    address, _, query = url.partition("?")
    given_pairs = query.split("&") if query else []
    tracked = [*given_pairs[:at], *added, *given_pairs[at:]]
    assert canonical_url(f"{address}?{'&'.join(tracked)}") == canonical_url(url)


@given(meaningful, st.sampled_from(["", "#top", "#:~:text=bridge", "#"]))
def test_fragments_and_default_ports_change_nothing(url: str, fragment: str) -> None:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    port = "" if re.search(r":\d+$", host) else {"http": ":80", "https": ":443"}[scheme]
    assert canonical_url(f"{scheme}://{host}{port}{slash}{path}{fragment}") == canonical_url(url)


@given(meaningful, meaningful)
def test_two_addresses_become_one_only_where_they_differ_in_escapes(one: str, other: str) -> None:
    if canonical_url(one) == canonical_url(other):
        assert unquote(one) == unquote(other)
