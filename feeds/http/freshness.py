"""How long a response says it stays fresh, and when a server asks to be left alone until.

Pure reading of headers (names lower-cased, as in :class:`feeds.model.Response`): what the server
said, in seconds, made safe. Whether and how far it is heeded is not decided here.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_SECONDS = 366 * 86400.0
"""What any stated time is cut down to: beyond a year no server means what it says."""

_DIRECTIVE = re.compile(r'([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;"]+)))?', re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?")
# Enough for any real header; a longer one is cut, so that reading it costs nothing.
_MAX_HEADER = 2000


def fresh_for(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds for which there is no use in asking again (RFC 9111, 4.2).

    ``max-age`` less ``Age``, else ``Expires`` relative to ``Date``. 0 if the response is already
    stale or must not be cached; None if it says nothing, or nothing readable.

    Args:
        headers: by lower-case name.
        now: stands in for a ``Date`` that is missing or unreadable.
    """
    directives = dict(_directives(headers.get("cache-control", "")))
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    age = _seconds(headers.get("age", "")) or 0.0
    lifetime = _seconds(directives.get("max-age", ""))
    if lifetime is None and "expires" in headers:
        expires = _date(headers["expires"])
        # RFC 9111, 5.3: an Expires that is no date, such as 0 or -1, means "already expired".
        lifetime = 0.0 if expires is None else (expires - _sent(headers, now)).total_seconds()
    return None if lifetime is None else _clamp(lifetime - age)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that ``Retry-After`` asks to wait (RFC 9110, 10.2.3); None if it asks nothing.

    A date counts from the response's own ``Date``, so that a wrong clock on either side does not
    matter. What lies in the past, or below zero, is 0; fractions are kept; the rest is None.

    Args:
        headers: by lower-case name.
        now: stands in for a ``Date`` that is missing or unreadable.
    """
    text = headers.get("retry-after", "")
    seconds = _seconds(text)
    if seconds is not None:
        return seconds
    moment = _date(text)
    return None if moment is None else _clamp((moment - _sent(headers, now)).total_seconds())


def _directives(cache_control: str) -> Iterator[tuple[str, str]]:
    """Name and argument of each directive; of repeated ones, the first counts (RFC 9111, 4.2.1)."""
    for match in reversed(list(_DIRECTIVE.finditer(cache_control[:_MAX_HEADER]))):
        yield match[1].lower(), match[2] or match[3] or ""


def _seconds(text: str) -> float | None:
    # Repeated headers arrive joined: the first value is as good as any.
    text = text[:_MAX_HEADER].partition(",")[0].strip()
    return _clamp(float(text)) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> datetime | None:
    """An HTTP date in any of its three forms (RFC 9110, 5.6.7), or what mail makes of it."""
    try:
        moment = parsedate_to_datetime(text[:_MAX_HEADER])
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _sent(headers: Mapping[str, str], now: datetime) -> datetime:
    return _date(headers.get("date", "")) or now


def _clamp(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_SECONDS)
