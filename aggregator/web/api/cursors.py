"""Cursors: where a list goes on. Opaque to those who use them, and of one kind of list only."""

import base64
import binascii

from aggregator.web.front import NoSuchPageError


def cursor(kind: str, place: str) -> str:
    """The cursor for a place in a kind of list."""
    return base64.urlsafe_b64encode(f"{kind} {place}".encode()).decode().rstrip("=")


def place_in(kind: str, given: str) -> str | None:
    """The place that a cursor stands for; None without a cursor.

    Raises:
        NoSuchPageError: it was handed out by no list of this kind.
    """
    if not given:
        return None
    try:
        decoded = base64.b64decode(given + "=" * (-len(given) % 4), "-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise NoSuchPageError(given) from error
    of, _, place = decoded.partition(" ")
    if of != kind or not place:
        raise NoSuchPageError(given)
    return place
