"""Which request headers an operator may set, and which can be sent at all. Pure, and light."""

import re

# An operator's header may not break the framing of the request, nor pretend to validators.
NOT_CONFIGURABLE = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")


def is_malformed(name: str, value: str) -> bool:
    """Whether a header cannot stand in a request."""
    return not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value)


def header_problem(name: str, value: str) -> str | None:
    """Why an operator's header is not sent, in words that do not show its value; None if it is."""
    if is_malformed(name, value):
        return f"the header {name[:40]!r} is malformed: it takes a name and a value in one line"
    if name.lower() in NOT_CONFIGURABLE:
        return f"the header {name!r} is Newsfold's own and cannot be set"
    return None
