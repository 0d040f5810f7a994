"""Media types, and URIs, times and language tags as feed documents may carry them.

Not URL canonicalisation for deduplication: a link keeps every part that it came with.
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

MEDIA_TYPES = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
    "opml": "text/x-opml",
}
"""By format, for ``Content-Type`` (add ``charset=utf-8``) and links."""

MAX_URL = 8_000
"""Characters; servers and browsers give up near there."""

# What RFC 3986 allows in a path or a query, less the square brackets, which belong to IPv6 hosts.
_URI_SIGNS = ";/?:@&=+$,-_.!~*'()"
_URI_TEXT = rf"(?:[A-Za-z0-9{re.escape(_URI_SIGNS)}]++|%[0-9A-Fa-f]{{2}})*+"
_URI = re.compile(rf"{_URI_TEXT}(?:#{_URI_TEXT})?")
_WEB_URI = re.compile(
    rf"https?://[A-Za-z0-9_.-]+(?::[0-9]{{1,5}})?(?![^/?#]){_URI_TEXT}(?:#{_URI_TEXT})?"
)
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def ascii_uri(uri: str) -> str:
    """Return the URI that an IRI maps to (RFC 3987, 3.1): everything else is percent-encoded.

    Host names too, as RFC 3986 (3.2.2) has it: browsers turn them into punycode, and by newer rules
    than the standard library knows.

    Raises:
        ValueError: the authority is malformed (``http://[``).
    """
    if _URI.fullmatch(uri):
        return uri
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, _quoted(parts.netloc, "[]"), *map(_quoted, parts[2:])))


def _quoted(part: str, also_safe: str = "") -> str:
    return quote(_STRAY_PERCENT.sub("%25", part), _URI_SIGNS + "%" + also_safe, errors="ignore")


@lru_cache(maxsize=2_000)  # each address stands in a document three times
def web_url(url: str | None) -> str | None:
    """Return ``url`` as a URI if it is one to follow: http or https with a host; otherwise None."""
    if not url or len(url) > MAX_URL:
        return None
    if _WEB_URI.fullmatch(url):
        return url
    try:
        parts = urlsplit(url)
        followable = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
        return ascii_uri(url) if followable else None
    except ValueError:
        return None


def canonical_id(uri: str) -> str:
    """Return ``uri`` in the form in which identifiers are compared (RFC 3986, 6.2.3).

    Scheme and host in lower case, no default port, a path of at least a slash; an identifier that
    is not http or https stays as it is.
    """
    uri = ascii_uri(uri)
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS:
        return uri
    return urlunsplit(parts._replace(netloc=_canonical_authority(parts), path=parts.path or "/"))


def _canonical_authority(parts: SplitResult) -> str:
    user, at, host_and_port = parts.netloc.rpartition("@")
    host = host_and_port.lower().removesuffix(f":{_DEFAULT_PORTS[parts.scheme]}").removesuffix(":")
    return user + at + host


def language_tag(tag: str | None) -> str | None:
    """Return ``tag`` if it is shaped like a language (RFC 5646, ISO 639), ``en_GB`` mended."""
    mended = (tag or "").strip().replace("_", "-")
    return mended if _LANGUAGE.fullmatch(mended) else None


def rfc3339(time: datetime) -> str:
    """Return an aware ``time`` to the second in UTC: ``2026-11-22T14:05:00Z``."""
    return _utc(time).isoformat(timespec="seconds")[:19] + "Z"


def rfc822(time: datetime) -> str:
    """Return an aware ``time`` as RSS and HTTP write it: ``Sun, 22 Nov 2026 14:05:00 GMT``."""
    return format_datetime(_utc(time), usegmt=True)


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo is UTC else time.astimezone(UTC)
