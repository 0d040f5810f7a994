"""What one request says, and which answers to it can stand. Pure; knows no HTTP client.

Validators are opaque here: echoed byte for byte, to the URL they were stored for, or not at all.
"""

import base64
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from feeds.http.decoding import ACCEPT_ENCODING
from feeds.http.headers import NOT_CONFIGURABLE, is_malformed
from feeds.model import FailureKind, FetchRequest, Validators

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECTS_OF_FORMS = frozenset({307, 308})


class ExchangeError(Exception):
    """A request or an answer that cannot stand. The message goes on after the host's name."""

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def request_headers(
    request: FetchRequest, user_agent: str, url: str, *, at_home: bool
) -> dict[str, str]:
    """The headers for one hop of a request, as text that goes out in UTF-8.

    Args:
        request: what was asked for.
        user_agent: for a request that names none.
        url: of this hop.
        at_home: whether the hop has the origin of the request, which alone gets the operator's
            headers and credentials.

    Raises:
        ExchangeError: for an operator's header that cannot be sent.
    """
    headers = {
        "User-Agent": request.user_agent or user_agent,
        "Accept": request.accept,
        "Accept-Encoding": ACCEPT_ENCODING,
    }
    if at_home:
        for name, value in _configured(request):
            _replace(headers, name, value)
    for name, value in headers.items():
        if is_malformed(name, value):
            raise ExchangeError(
                FailureKind.PROTOCOL, f"cannot be asked: the header {name[:40]!r} is malformed"
            )
    if request.form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif request.validators is not None and request.validators.url == url:
        headers.update(_conditions(request.validators))
    return headers


def request_body(request: FetchRequest) -> bytes | None:
    """The body to POST, None for a GET."""
    return None if request.form is None else urlencode(request.form).encode()


def follows(request: FetchRequest, status: int) -> bool:
    """Whether a redirect is followed. A form only where it stays one (RFC 9110, 15.4.8)."""
    return status in (_REDIRECTS if request.form is None else _REDIRECTS_OF_FORMS)


def is_conditional(headers: Mapping[str, str]) -> bool:
    """Whether a request with these headers may be answered with 304."""
    return "If-None-Match" in headers or "If-Modified-Since" in headers


def check_status(status: int, *, conditional: bool) -> None:
    """Accept a final status that answers what was asked.

    Raises:
        ExchangeError: for 1xx, for 206, and for a 304 to a request without validators.
    """
    if status < 200:
        raise ExchangeError(FailureKind.PROTOCOL, f"answers {status}, which is no final status")
    if status == 304 and not conditional:
        raise ExchangeError(
            FailureKind.PROTOCOL, "says 304 (not modified) to a request without validators"
        )
    if status == 206:
        raise ExchangeError(
            FailureKind.PROTOCOL, "sends a part (206) where the whole was asked for"
        )


def response_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Raw header fields as lower-cased names and latin-1 values, repeated ones joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _configured(request: FetchRequest) -> Iterable[tuple[str, str]]:
    for name, value in request.headers.items():
        if name.lower() not in NOT_CONFIGURABLE:
            yield name, value
    if request.basic_auth is not None:
        credentials = ":".join(request.basic_auth).encode()
        yield "Authorization", f"Basic {base64.b64encode(credentials).decode()}"


def _replace(headers: dict[str, str], name: str, value: str) -> None:
    for present in [key for key in headers if key.lower() == name.lower()]:
        del headers[present]
    headers[name] = value


def _conditions(validators: Validators) -> dict[str, str]:
    sent = {
        "If-None-Match": _as_utf8(validators.etag),
        "If-Modified-Since": _as_utf8(validators.last_modified),
    }
    return {name: value for name, value in sent.items() if value}


def _as_utf8(value: str | None) -> str | None:
    """Latin-1 text as the text whose UTF-8, which the client sends, has the same bytes.

    None where there is no such text: a validator is left out rather than altered.
    """
    try:
        text = (value or "").encode("latin-1").decode()
    except UnicodeError:
        return None
    return None if is_malformed("If-None-Match", text) else text
