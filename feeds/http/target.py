"""Where a request goes: a URL taken apart, checked, and put together as it is sent.

Pure. Whatever a feed, a page or a ``Location`` header calls a URL comes through here before
anything is resolved or dialled. Path and query are left as they were given, but for characters
that cannot be sent: decoding ``%2C`` or ``%7E`` would break signed addresses.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urljoin

from yarl import URL

from feeds.http.exchange import ExchangeError
from feeds.http.guard import Guard
from feeds.model import FailureKind

_MAX_URL = 8000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# RFC 3986 reserved and unreserved characters, and the percent sign of what is quoted already.
_SENDABLE = "%:/?#[]@!$&'()*+,;=-._~"
# What needs no spelling out, which is nearly every URL there is: three parses fewer.
_PLAIN_URL = re.compile(
    r"https?://[a-z0-9._-]+(:[1-5]?[0-9]{1,4})?/[A-Za-z0-9%:/?\[\]@!$&'()*+,;=._~-]*"
)
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


class TargetError(Exception):
    """No request can go there. ``kind`` says why for programs, the message for operators."""

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Target:
    """One address that a request may be sent to.

    ``url`` is sent as it stands. ``host`` is in ASCII, without brackets or port. ``origin`` is
    what credentials belong to (RFC 6454).
    """

    url: URL
    host: str
    origin: tuple[str, str, int]


def target_of(url: str, guard: Guard) -> Target:
    """Check ``url`` as far as that goes without resolving its name.

    Raises:
        TargetError: ``BAD_URL`` for what is not an http(s) URL of a host, ``FORBIDDEN_ADDRESS``
            for an address that the guard refuses.
    """
    text = url.strip()
    if len(text) > _MAX_URL:
        raise TargetError(FailureKind.BAD_URL, f"the URL is {len(text)} characters long")
    sent = URL(text, encoded=True) if _PLAIN_URL.fullmatch(text) else _spelled_out(text)
    host = (sent.raw_host or "").lower()
    _check_host(host, text, guard)
    if not sent.port:
        raise TargetError(FailureKind.BAD_URL, f"{_shown(text)} has no usable port")
    return Target(sent, host, (sent.scheme, host, sent.port))


def redirect_url(base: str, location: str) -> str:
    """The absolute URL that a ``Location`` header means (RFC 9110, 10.2.2), without fragment.

    ``location`` is latin-1 text, as headers are kept here; like browsers, it is read as UTF-8 if it
    can be. The result is not checked: give it to :func:`target_of`.
    """
    raw = location.strip().encode("latin-1", "replace")
    try:
        location = raw.decode()
    except UnicodeDecodeError:
        location = quote(raw, safe=_SENDABLE)
    try:
        return urljoin(base, location).partition("#")[0]
    except ValueError:  # brackets that hold no address
        return location


def proxy_url(proxy: str | None) -> URL | None:
    """The proxy's URL as the client takes it; a password in it is the operator's own.

    Raises:
        ExchangeError: for what is no http(s) URL of a host.
    """
    if proxy is None:
        return None
    try:
        url = URL(proxy)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.raw_host:
        raise ExchangeError(
            FailureKind.CONNECT, "cannot be asked: its proxy must be an http:// or https:// URL"
        )
    return url


def _spelled_out(text: str) -> URL:
    """The URL as it is sent: host in ASCII, what cannot be sent percent-encoded, no fragment."""
    if _CONTROL.search(text):
        raise TargetError(FailureKind.BAD_URL, f"{_shown(text)} holds a control character")
    try:
        parsed, given = URL(text), URL(text, encoded=True)
    except ValueError as error:
        raise TargetError(FailureKind.BAD_URL, f"{_shown(text)} is not a URL: {error}") from error
    if parsed.scheme not in {"http", "https"}:
        raise TargetError(
            FailureKind.BAD_URL, f"{_shown(text)} is not an http or https URL, so it is not fetched"
        )
    if parsed.raw_user is not None or parsed.raw_password is not None:
        raise TargetError(
            FailureKind.BAD_URL,
            "the URL holds a user name or password; give them as basic auth instead",
        )
    if not parsed.raw_host:
        raise TargetError(FailureKind.BAD_URL, f"{_shown(text)} does not name a host")
    query = f"?{given.raw_query_string}" if given.raw_query_string else ""
    path = quote((given.raw_path or "/") + query, safe=_SENDABLE, errors="replace")
    return URL(f"{parsed.scheme}://{parsed.raw_authority}{path}", encoded=True)


def _check_host(host: str, text: str, guard: Guard) -> None:
    # The numeric label is the WHATWG URL standard's sign of an IPv4 address in any spelling.
    if ":" in host or _NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            address = str(ip_address(host))
        except ValueError as error:
            # A resolver, here or behind a proxy, may read it as an address that nobody checked.
            raise TargetError(
                FailureKind.BAD_URL, f"{_shown(text)} spells an address oddly"
            ) from error
        refusal = guard.refusal(address)
        if refusal is not None:
            raise TargetError(FailureKind.FORBIDDEN_ADDRESS, refusal)
    elif len(host) > 254 or not _HOST_NAME.fullmatch(host):
        raise TargetError(FailureKind.BAD_URL, f"{_shown(text)} does not name a host")


def _shown(text: str) -> str:
    """The URL as it may stand in a one-line message: short, printable, without a password."""
    shown = re.sub(r"//[^/@]*@", "//", text)
    return repr(shown if len(shown) <= 100 else f"{shown[:100]}...")
