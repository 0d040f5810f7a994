"""Addresses: made absolute, compared, and reduced to what identifies a document.

Pure text work; nothing here is looked up or fetched. An address that comes out of this module is
http or https, has a host, carries no credentials and is legal ASCII (RFC 3986).
The home of ``tld``.
"""

import re
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

import idna
from tld import get_fld

_MAX_URL = 4096
_DEFAULT_PORTS = {"http": 80, "https": 443}
_WRAPPING = "".join(map(chr, range(33))) + '\x7f\xa0\u200b\u200c\u200d\u2028\u2029\ufeff<>"`'
# The WHATWG URL standard removes these wherever they stand: wrapped lines in hand-made feeds.
_LINE_BREAKS = str.maketrans("", "", "\t\r\n")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# Addresses that need nothing done to them: nearly all of a feed's, at a fifth of the cost.
_PLAIN_HOST = r"https?://[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,3}"
_PLAIN_PATH = r"/(?![./])(?:[A-Za-z0-9_~!$&'()*+,;=:@?-]|[/.](?![./]))*"
_PLAIN = re.compile(f"({_PLAIN_HOST}){_PLAIN_PATH}")
_PLAIN_FROM_ROOT = re.compile(_PLAIN_PATH)
_ILLEGAL = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]|%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def absolute_http_url(url: str, base: str | None = None) -> str | None:
    """``url`` as a browser standing at ``base`` would follow it, or None if that is not http(s).

    Wrapping junk (whitespace, quotes, angle brackets, zero-width characters) is taken off,
    credentials are dropped, the host becomes lower-case ASCII (IDNA 2008 with UTS 46 mapping) and
    illegal characters are percent-encoded; nothing else changes, the fragment included.
    """
    if len(url) <= _MAX_URL:
        if _PLAIN.fullmatch(url):
            return url
        origin = _PLAIN.fullmatch(base) if base and _PLAIN_FROM_ROOT.fullmatch(url) else None
        if origin:
            return f"{origin[1]}{url}"
    url = url.strip(_WRAPPING).translate(_LINE_BREAKS)
    if not url or len(url) > _MAX_URL:
        return None
    try:
        parts = urlsplit(urljoin(base, url) if base else url)
        netloc = _netloc(parts)
    except ValueError:
        return None
    if netloc is None:
        return None
    path = _without_dots(_legal(parts.path))
    result = urlunsplit((parts.scheme, netloc, path, _legal(parts.query), _legal(parts.fragment)))
    return result if len(result) <= _MAX_URL else None


def _netloc(parts: SplitResult) -> str | None:
    """Host and port of an http(s) address, normalised; ValueError for an impossible port."""
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "\\" in parts.netloc:
        return None
    host = _host(parts.hostname)
    if host is None:
        return None
    port = parts.port
    return host if port is None or port == _DEFAULT_PORTS[parts.scheme] else f"{host}:{port}"


@lru_cache(maxsize=4096)
def _host(host: str) -> str | None:
    """A host name in lower-case ASCII, an IPv6 address in brackets, or None if it is neither."""
    if ":" in host:
        return f"[{IPv6Address(host.partition('%')[0])}]"
    try:
        ascii_host = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return None
    ascii_host = ascii_host.rstrip(".")
    return ascii_host if len(ascii_host) < 254 and _HOST.fullmatch(ascii_host) else None


def _legal(text: str) -> str:
    """``text`` with every character that may not stand in an address percent-encoded."""
    return _ILLEGAL.sub(lambda bad: _percent(bad[0]), text)


def _without_dots(path: str) -> str:
    """``path`` with its ``.`` and ``..`` segments resolved (RFC 3986, 5.2.4)."""
    if "/." not in path:
        return path or "/"
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    end = "/" if segments[-1] in {".", ".."} and kept else ""
    return "/" + "/".join(kept) + end


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


# --- what identifies a document ---------------------------------------------------------------

# Parameters that say how a reader came, never what is shown. Sources: the query-stripping lists of
# Firefox and Brave, and the campaign marks large news sites put on their own feeds' links.
_TRACKING = re.compile(
    r"""
    (?: utm_ | at_campaign | at_custom | at_medium | hsa_ | itm_ | mtm_ | oly_ | piwik_ | pk_
      | stm_ | vero_ | wt\.mc_ | _branch_ | guce_referrer | ml_subscriber | fb_action_ ) .*
    | _ga | _gl | _hsenc | _hsmi | _openstat | __hsfp | __hssc | __hstc | __s
    | __twitter_impression | amp_js_v | cmpid | cndid | dclid | dicbo | echobox | ef_id | epik
    | fb_comment_id | fb_ref | fb_source | fbclid | gaa_at | gaa_n | gaa_sig | gaa_ts | gbraid
    | gclid | gclsrc | guccounter | hsctatracking | icid | igsh | igshid | irclickid
    | jsessionid | mc_cid | mc_eid | mkt_tok | mkwid | msclkid | ns_campaign | ns_fee | ns_linkname
    | ns_mchannel | ns_source | ocid | phpsessid | rb_clickid | ref_src | ref_url | s_cid | s_kwcid
    | smid | srsltid | tblci | tduid | traffic_source | trk_contact | trk_msg | ttclid | twclid
    | usqp | wbraid | wickedid | wprov | wt_mc | wt_zmc | wtmc | xtor | yclid | ysclid
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Names that mean something on other sites; with such a value they only say "from the feed".
_FROM_FEED = re.compile(
    r"(?:at_link_type|cmp|emc|feature|from|mod|origin|partner|ref|referr?er|ref_source|source|src|via)"
    r"=(?:rss|feed|feedburner|feedly)(?![a-z])[\w.-]*",
    re.IGNORECASE,
)
_AMP_PARAMETER = re.compile(r"amp(?:=(?:1|true)?)?|outputType=amp", re.IGNORECASE)
_AMP_VIEWERS = re.compile(
    r"https?://(?:(?:www\.)?google\.[a-z.]+/amp|[a-z0-9-]+\.cdn\.ampproject\.org/[cvi])"
    r"(?P<tls>/s)?/(?P<rest>[^/?]+\.[^/?]+/.+)"
)
_AMP_SUFFIX = re.compile(r"(?<=[\w-])\.amp(?P<html>\.html?)?$")
_AMP_SEGMENT = re.compile(r"(?P<article>/[^/]*[-\d][^/]*)(?:/amp)+(?P<slash>/?)$")
_SETTLED = re.compile(
    _PLAIN_HOST.replace(
        "://", r"://(?!m\.|mobile\.|amp\.|[a-z-]+\.m\.|[^/]*google\.|[^/]*ampproject)"
    )
    + r"/(?![./])(?:[A-Za-z0-9_~!$'()*+,=:@-]|/(?![./]|amp(?:/|$))|\.(?![./]|amp))*"
)
_SESSION = re.compile(r";(?:jsessionid|phpsessid)=[^/;]*", re.IGNORECASE)
_MOBILE = re.compile(r"(?:m|mobile|amp)\.")
_MOBILE_INFIX = re.compile(r"^([a-z-]+)\.m\.(?=wiki|wiktionary)")


def canonical_url(url: str, *, keep_fragment: bool = False) -> str | None:
    """The address that identifies the document at ``url``, or None if that is not http(s).

    Taken off: tracking parameters, session ids, AMP wrappers and suffixes, mobile hosts, default
    ports, credentials, empty queries, needless percent-encoding, and the fragment unless it routes
    (``#!``, ``#/``) or ``keep_fragment`` says it matters. Order and spelling of every other
    parameter, the scheme, ``www.`` and a trailing slash stay: on some server they mean something.
    Idempotent.
    """
    if _SETTLED.fullmatch(url) and len(url) <= _MAX_URL:
        return url
    plain = absolute_http_url(url)
    # An AMP viewer may wrap another; every step takes something off, so this ends.
    while plain and (shorter := _canonical_once(plain, keep_fragment)) != plain:
        plain = shorter
    return plain


def _canonical_once(url: str, keep_fragment: bool) -> str | None:
    viewer = _AMP_VIEWERS.fullmatch(url)
    if viewer:
        scheme = "https" if viewer["tls"] else "http"
        return absolute_http_url(f"{scheme}://{viewer['rest']}")
    parts = urlsplit(url)
    fragment = parts.fragment
    if not (keep_fragment or fragment.startswith(("!", "/"))):
        fragment = ""
    return urlunsplit(
        (
            parts.scheme,
            _desktop_host(parts.netloc),
            _article_path(_decoded(parts.path)),
            _meaningful_query(parts.query),
            _decoded(fragment),
        )
    )


def _desktop_host(netloc: str) -> str:
    infix = _MOBILE_INFIX.sub(r"\1.", netloc)
    if infix != netloc:
        return infix
    mobile = _MOBILE.match(netloc)
    if mobile and netloc[mobile.end() :] == registrable_domain(f"http://{netloc}"):
        return f"www.{netloc[mobile.end() :]}"
    return netloc


def _article_path(path: str) -> str:
    path = _SESSION.sub("", _without_dots(path))
    while path.endswith(("%20", "%0A", "%0D", "%09")):
        path = path[:-3]
    path = _AMP_SUFFIX.sub(lambda amp: amp["html"] or "", path)
    return _AMP_SEGMENT.sub(r"\g<article>\g<slash>", path) or "/"


def _meaningful_query(query: str) -> str:
    return "&".join(_decoded(pair) for pair in query.split("&") if pair and not _is_tracking(pair))


def _is_tracking(pair: str) -> bool:
    name = unquote(pair.partition("=")[0])
    return bool(
        _TRACKING.fullmatch(name) or _FROM_FEED.fullmatch(pair) or _AMP_PARAMETER.fullmatch(pair)
    )


def _decoded(text: str) -> str:
    """``text`` with unreserved characters decoded and hex in upper case (RFC 3986, 6.2.2)."""
    if "%" not in text:
        return text

    def one(escape: re.Match[str]) -> str:
        character = chr(int(escape[0][1:], 16))
        return character if character in _UNRESERVED else escape[0].upper()

    return _ESCAPE.sub(one, text)


def address_key(url: str) -> str:
    """What stays of an address when a site moves to https, drops ``www.`` or adds a slash.

    For recognising one document under two spellings, never for fetching. Text that is no http(s)
    address is its own key.
    """
    canonical = canonical_url(url, keep_fragment=True)
    if canonical is None:
        return url
    rest = canonical.partition("://")[2].removeprefix("www.")
    address, mark, fragment = rest.partition("#")
    address, question, query = address.partition("?")
    return f"{address.rstrip('/')}{question}{query}{mark}{fragment}"


# --- whose address is it ----------------------------------------------------------------------


def registrable_domain(url: str) -> str:
    """The domain somebody registered (``bbc.co.uk``), private suffixes such as github.io included.

    The host itself where the public suffix list knows nothing: IP addresses, ``localhost``,
    intranet names. Empty for what has no host.
    """
    try:
        return _registrable(urlsplit(url).hostname or "")
    except ValueError:
        return ""


@lru_cache(maxsize=8192)
def _registrable(host: str) -> str:
    # search_private: two blogs on one hosting platform are two publishers.
    found = get_fld(f"http://{host}/", fail_silently=True, search_private=True) if host else None
    return found or host


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have one scheme, host and port, and so share secrets (RFC 6454)."""
    origins = [_origin(url) for url in (one, other)]
    return origins[0] == origins[1] is not None


def _origin(url: str) -> tuple[str, str | None] | None:
    plain = absolute_http_url(url)
    return None if plain is None else (urlsplit(plain).scheme, urlsplit(plain).netloc)


class CanonicalEvidence(StrEnum):
    """What a page's ``rel=canonical`` turned out to say."""

    NONE = "none"
    BELIEVED = "believed"
    SYNDICATED = "syndicated"
    IGNORED = "ignored"


# What a page may add to its canonical address and still be the same document.
_PAGE_OF_ARTICLE = re.compile(
    r"/?(?:(?:page|seite|p)[/-]?\d{1,3}|\d{1,2}|amp|print|full|all|index\.\w{3,5})?/?"
)


def believe_canonical(page_url: str, claimed: str | None) -> tuple[str, CanonicalEvidence]:
    """The address that identifies a page which claims ``claimed`` as its canonical one.

    Within one registrable domain the claim is believed, unless it names the home page or a section
    above the page: a common template mistake that would make one article of a whole site. Across
    domains the page keeps its own address and the claim is evidence of syndication: the text
    appeared there first. A site that is read over https does not mean its plain-http address.
    ``page_url`` must be http(s).
    """
    own = canonical_url(page_url) or page_url
    absolute = absolute_http_url(claimed, page_url) if claimed else None
    other = canonical_url(absolute) if absolute else None
    if other and own.startswith("https://") and urlsplit(other).netloc == urlsplit(own).netloc:
        other = own[:8] + other.partition("://")[2]
    if other is None or other == own:
        return (
            own,
            CanonicalEvidence.IGNORED if claimed and other is None else CanonicalEvidence.NONE,
        )
    here, there = urlsplit(own), urlsplit(other)
    if _is_above(there, here):
        return own, CanonicalEvidence.IGNORED
    if registrable_domain(own) != registrable_domain(other):
        return own, CanonicalEvidence.SYNDICATED
    return other, CanonicalEvidence.BELIEVED


def _is_above(claimed: SplitResult, page: SplitResult) -> bool:
    """Whether ``claimed`` is a home page, or a section that ``page`` lies in."""
    if claimed.path == "/" and not claimed.query:
        return True
    section = claimed.path.rstrip("/") + "/"
    if claimed.query or not page.path.startswith(section):
        return False
    return _PAGE_OF_ARTICLE.fullmatch(page.path[len(section) :]) is None
