"""Minting the identity of stories: ``tag:`` URIs (RFC 4151)."""

import secrets
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # no vowel but a and e, nothing to mistake
_LENGTH = 12  # 30^12: that two of ten million stories meet has a chance of one in ten thousand


def random_slug() -> str:
    """A short name that says nothing and is not used twice."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def mint_identity(
    authority: str, now: datetime, slug: Callable[[], str] = random_slug
) -> tuple[str, str]:
    """A new story's ``tag:`` URI and slug.

    ``authority`` is a host name that was the operator's on the day of ``now``; the URI stays good
    when the host is given up later.
    """
    name = slug()
    return f"tag:{authority},{now:%Y-%m-%d}:story/{name}", name


def authority_of(base_url: str) -> str:
    """The naming authority that goes with a public address."""
    host = urlsplit(base_url).hostname or "localhost"
    return host if ":" not in host else "localhost"  # RFC 4151 has no place for IPv6 literals
