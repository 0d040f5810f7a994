"""Serving stored bytes by HTTP's rules: entity tags, conditional requests, content codings.

Pure decisions on header values (RFC 9110); what answers the request is the caller's. ``headers``
are looked up in lower case, so that a case-insensitive mapping serves as well as a plain one.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256

IDENTITY = "identity"

_SUFFIXES = {IDENTITY: "", "gzip": "-gz", "br": "-br", "zstd": "-zst"}
_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_CODING = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]+)(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?")
# IMF-fixdate, and the two obsolete forms that a recipient must still accept (RFC 9110, 5.6.7).
_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
    r"|[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}"
)
_BELIEVABLE = timedelta(days=7)


def strong_etag(body: bytes, coding: str = IDENTITY) -> str:
    """Return the entity tag of ``body`` (before coding) as sent in ``coding``.

    A strong tag must differ between codings (RFC 9110, 8.8.3.3), hence ``"…"`` and ``"…-gz"``.
    """
    return f'"{sha256(body).hexdigest()[:32]}{_SUFFIXES[coding]}"'


def is_not_modified(
    headers: Mapping[str, str], etag: str, last_modified: datetime | None = None
) -> bool:
    """Whether a GET or HEAD with ``headers`` is to be answered by 304 (RFC 9110, 13.2.2).

    If-None-Match decides where it is present, by weak comparison; else If-Modified-Since, to the
    second, unless it is no HTTP date, or lies so far ahead that a clock must have been wrong.
    ``etag`` is that of the coding that would be sent.
    """
    if (tags := headers.get("if-none-match")) is not None:
        return tags.strip() == "*" or etag.removeprefix("W/") in _ENTITY_TAG.findall(tags)
    since = _http_date(headers.get("if-modified-since", ""))
    if since is None or last_modified is None:
        return False
    modified = last_modified.replace(microsecond=0)
    return modified <= since <= modified + _BELIEVABLE


def _http_date(text: str) -> datetime | None:
    if not _HTTP_DATE.fullmatch(text.strip()):
        return None
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def negotiate_coding(accept_encoding: str | None, available: Sequence[str]) -> str | None:
    """Return the content coding to send (RFC 9110, 12.5.3).

    Args:
        accept_encoding: the field's value, None where the request has none (which means that any
            coding will do: no coding is sent, for the sake of clients that know none).
        available: the codings at hand besides ``identity``, best first; that order decides among
            codings that the client likes equally.

    Returns:
        One of ``available``, or ``identity``; None if the client accepts neither, which calls for
        406 or, as the RFC allows, for sending ``identity`` all the same.
    """
    if accept_encoding is None:
        return IDENTITY
    weights = _weights(accept_encoding)
    candidates = [
        (coding, weights.get(coding, weights.get("*", 0.0))) for coding in dict.fromkeys(available)
    ]
    # Unless it is mentioned, no coding at all is acceptable, but liked less than what is.
    candidates.append((IDENTITY, weights.get(IDENTITY, weights.get("*", 0.0001))))
    coding, weight = max(candidates, key=lambda candidate: candidate[1])
    return coding if weight > 0 else None


def _weights(accept_encoding: str) -> dict[str, float]:
    """Return the weight by coding; malformed members are skipped, ``x-gzip`` means ``gzip``."""
    members = (_CODING.fullmatch(part.strip()) for part in accept_encoding.lower().split(","))
    return {member[1].removeprefix("x-"): float(member[2] or 1) for member in members if member}
