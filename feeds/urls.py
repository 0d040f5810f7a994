"""Whose address a URL is. The only home of the public suffix list."""

from functools import lru_cache
from urllib.parse import urlsplit

from tld import get_fld


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
    found = get_fld(f"http://{host}/", fail_silently=True, search_private=True) if host else None
    return found or host
