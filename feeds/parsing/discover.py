"""Finding a site's feeds: what its HTML names, and where they usually are.

Reads HTML that somebody else fetched; whoever follows what is found fetches it through the guard.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree, html

from feeds.urls import absolute_http_url

_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"}
)
# Also used for what is no feed (oEmbed, REST interfaces), so the address has to look like one.
_VAGUE_TYPES = frozenset(
    {"application/json", "application/xml", "text/xml", "application/x-rss+xml"}
)
_FEED_ADDRESS = re.compile(
    r"(?:^|[/.?=_-])(?:rss|atom|feeds?|rdf)(?:[/.?=_-]|\d?$|xml)|\.(?:rss|atom|rdf)$|^feed:",
    re.IGNORECASE,
)
_LESSER = re.compile(r"comment|kommentar|respon[ds]|repl(?:y|ies)|podcast", re.IGNORECASE)
_GUESSES = (
    *("feed", "feed/", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feeds", "feed.json"),
    *("rss/", "index.rdf", "feeds/posts/default", "blog/feed", "news/rss", "?feed=rss2"),
)
_MAX_LINKS = 32


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page names. ``title`` is what the page calls it, possibly empty."""

    url: str
    title: str = ""


def find_feeds(page: str, page_url: str) -> tuple[FeedLink, ...]:
    """The feeds that the HTML ``page`` at ``page_url`` names, best first.

    ``link rel=alternate`` in the order of the page, feeds of comments last; then plain links that
    look like feeds or have the ``feed:`` scheme. At most 32; relative addresses are resolved
    against ``base href``. Never raises.
    """
    root = _parse(page)
    if root is None:
        return ()
    bases = (element.get("href") for element in root.iter("base"))
    base = absolute_http_url(next(filter(None, bases), ""), page_url) or page_url
    declared = [link for link in root.iter("link") if _declares_feed(link)]
    declared.sort(key=lambda link: bool(_LESSER.search(f"{link.get('title')} {link.get('href')}")))
    linked = [a for a in root.iter("a") if _FEED_ADDRESS.search(a.get("href") or "")]
    found: dict[str, FeedLink] = {}
    for element in (*declared, *linked):
        url = absolute_http_url(_without_feed_scheme(element.get("href") or ""), base)
        if url and url != page_url:
            title = element.get("title") or "".join(element.itertext())
            found.setdefault(url, FeedLink(url, " ".join(title.split())[:200]))
    return tuple(found.values())[:_MAX_LINKS]


def feed_links(page: str, page_url: str) -> tuple[str, ...]:
    """The addresses of :func:`find_feeds`."""
    return tuple(link.url for link in find_feeds(page, page_url))


def guess_feeds(site_url: str) -> tuple[str, ...]:
    """Where the feeds of ``site_url`` usually are, likeliest first; beside it, then at the root."""
    site = absolute_http_url(_without_feed_scheme(site_url))
    if site is None:
        return ()
    parts = urlsplit(site)
    root = f"{parts.scheme}://{parts.netloc}/"
    folder = f"{root}{parts.path.strip('/')}/" if parts.path.strip("/") else root
    below = [f"{folder}{guess}" for guess in _GUESSES[:4]] if folder != root else []
    return tuple(dict.fromkeys([*below, *(f"{root}{guess}" for guess in _GUESSES)]))


def _parse(page: str) -> html.HtmlElement | None:
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    try:
        root = html.document_fromstring(page.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    return root


def _declares_feed(link: html.HtmlElement) -> bool:
    relations = (link.get("rel") or "").lower().split()
    kind = (link.get("type") or "").partition(";")[0].strip().lower()
    address = link.get("href") or ""
    if not address or not {"alternate", "feed", "service.feed"} & set(relations):
        return False
    if kind in _VAGUE_TYPES or "feed" in relations:
        return "feed" in relations or _FEED_ADDRESS.search(address) is not None
    return kind in _TYPES


def _without_feed_scheme(address: str) -> str:
    """``feed://host/`` and ``feed:https://host/`` as what they stand for."""
    address = address.strip()
    if address[:5].lower() != "feed:":
        return address
    rest = address[5:]
    return f"http:{rest}" if rest.startswith("//") else rest
