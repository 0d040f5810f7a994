"""What a page says of itself: title, authors, publisher, times, language, address, picture.

JSON-LD first, then meta elements, then the markup; where each time came from is kept, because a
guessed one is wrong one time in four. The text is not looked at here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from feeds.model import DateSource
from feeds.page import json_ld
from feeds.page.furniture import same_words, words


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """The facts of a page.

    ``titles`` are all it goes by, best first; ``free`` is its own word on whether it can be read
    without paying (None: it does not say); ``types`` are schema.org and Open Graph type names.
    """

    titles: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    publisher: str | None = None
    published: datetime | None = None
    published_source: DateSource | None = None
    modified: datetime | None = None
    language: str | None = None
    canonical_url: str | None = None
    image: str | None = None
    description: str = ""
    free: bool | None = None
    types: tuple[str, ...] = ()


_PUBLISHED = (
    "article:published_time", "og:published_time", "datepublished", "parsely-pub-date",
    "dcterms.created",
    "dcterms.date", "dc.date.issued", "dc.date", "sailthru.date", "pubdate", "publishdate",
    "publish-date", "publish_date", "publication_date", "article.published", "date", "pubtime",
    "cxenseparse:recs:publishtime",
)  # fmt: skip
_MODIFIED = (
    "article:modified_time", "og:updated_time", "datemodified", "dcterms.modified", "lastmod",
    "last-modified", "article.updated",
)  # fmt: skip
_AUTHORS = ("author", "parsely-author", "sailthru.author", "dc.creator", "dcterms.creator",
            "article:author", "byl")  # fmt: skip
_NO_AUTHOR = re.compile(
    r"^(?:https?:|www\.|@)|@\w+\."
    r"|^(?:admin\w*|editor|staff|unknown|none|null|user|webmaster|author|redaktion)$",
    re.IGNORECASE,
)
_BY = re.compile(r"^(?:by|von|par|por|di|da|door|autor|автор|tác giả)\b[:\s]+", re.IGNORECASE)
_BETWEEN_AUTHORS = re.compile(r"\s*(?:,|;|\||\band\b|\bund\b|\bet\b|&)\s*")
_ISO = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[T ]+(\d\d?):(\d\d)(?::(\d\d))?(?:[.,]\d+)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?)?"
)
_URL_DATE = re.compile(
    r"/((?:19|20)\d\d)[/-](\d\d?)[/-](\d\d?)(?:[/-]|$)|[/_-]((?:19|20)\d\d)(\d\d)(\d\d)(?:[/_.-]|$)"
)
_LONGEST = 2000
"""Characters of a heading or title that are looked at."""
_LANGUAGE = re.compile(r"^[a-zA-Z]{2,3}(?=$|[-_])")


def metadata_of(tree: HtmlElement, url: str) -> PageMetadata:
    """The facts of the page at ``url`` (its final address)."""
    things = json_ld.things_of(tree)
    article = json_ld.article_among(things, url) or {}
    metas = _metas(tree)
    published, source = _published(article, metas, tree, url)
    return PageMetadata(
        titles=_titles(article, metas, tree),
        authors=_authors(article, metas, tree),
        publisher=next(iter(_publishers(article, metas)), None),
        published=published,
        published_source=source,
        modified=_first_time((_text(article, "dateModified"), *_values(metas, _MODIFIED))),
        language=_language(article, metas, tree),
        canonical_url=_canonical(article, metas, tree, url),
        image=_image(article, metas, url),
        description=next(iter(_values(metas, ("og:description", "description"))), ""),
        free=_free(article, metas),
        types=(
            *(name for thing in things for name in json_ld.types_of(thing)),
            *_values(metas, ("og:type",)),
        ),
    )


def parse_time(text: str) -> datetime | None:
    """A time in ISO 8601 (as the web writes it) or RFC 2822, in UTC; read as UTC without a zone."""
    found = _ISO.search(text)
    if not found:
        return _rfc_2822(text)
    year, month, day, hour, minute, second, zone = found.groups()
    day_part = f"{year}-{int(month):02}-{int(day):02}"
    stamp = f"{day_part}T{int(hour or 0):02}:{minute or '00'}:{second or '00'}"
    offset = zone if zone and zone[0] in "+-" else "+00:00"
    try:
        return datetime.fromisoformat(stamp + offset).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _rfc_2822(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _metas(tree: HtmlElement) -> dict[str, list[str]]:
    metas: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        content = " ".join((meta.get("content") or "").split())
        if content:
            for attribute in ("property", "name", "itemprop", "http-equiv"):
                if name := meta.get(attribute):
                    metas.setdefault(name.lower(), []).append(content)
    return metas


def _values(metas: Mapping[str, list[str]], names: Iterable[str]) -> list[str]:
    return [value for name in names for value in metas.get(name, ())]


def _text(thing: json_ld.Thing, key: str) -> str:
    return next(json_ld.texts_of(thing.get(key)), "")


def _titles(
    article: json_ld.Thing, metas: Mapping[str, list[str]], tree: HtmlElement
) -> tuple[str, ...]:
    headings = [_flat(heading) for heading in list(tree.iter("h1"))[:3]]
    page_title = _flat(next(tree.iter("title"), None))
    named = [_text(article, "headline"), *_values(metas, ("og:title", "twitter:title"))]
    # what is printed above the article, where it resembles what the page calls itself elsewhere
    shown = [
        heading
        for heading in headings
        if any(_alike(heading, name) for name in (*named, page_title))
    ]
    site = _values(metas, ("og:site_name",))
    candidates = [_without_site(title, site) for title in (*shown, *named, *headings, page_title)]
    return tuple(dict.fromkeys(title for title in candidates if title))


def _alike(heading: str, name: str) -> bool:
    a, b = set(words(heading)), set(words(name))
    return 2 * len(a & b) > len(a) > 1


def _flat(element: HtmlElement | None) -> str:
    return "" if element is None else " ".join(element.text_content()[:_LONGEST].split())


def _without_site(title: str, site: list[str]) -> str:
    for separator in (" | ", " - ", " \u2013 ", " \u2014 ", " :: ", " • "):
        head, found, tail = title.rpartition(separator)
        if found and head and any(same_words(tail, name) for name in site):
            return head.strip()
    return title


def _authors(
    article: json_ld.Thing, metas: Mapping[str, list[str]], tree: HtmlElement
) -> tuple[str, ...]:
    listed = list(json_ld.texts_of(article.get("author"))) or list(
        json_ld.texts_of(article.get("creator"))
    )
    for source in (listed, _values(metas, _AUTHORS)):
        names = [name for text in source for name in _names(text)]
        if names:
            return tuple(dict.fromkeys(names))[:10]
    return tuple(dict.fromkeys(name for text in _byline_links(tree) for name in _names(text)))


def _names(text: str) -> list[str]:
    text = _BY.sub("", text).strip(" ,;|")
    parts = _BETWEEN_AUTHORS.split(text) if len(text) < 200 else []
    # "Dylan Bailey, MS, RD": what follows a comma is a name only if it looks like one
    names = parts if all(len(part.split()) > 1 for part in parts) else [text]
    return [name for name in names if 2 < len(name) < 100 and not _NO_AUTHOR.search(name)]


def _byline_links(tree: HtmlElement) -> list[str]:
    found = tree.xpath(
        "//a[contains(@rel, 'author')] | //*[@itemprop='author']//*[@itemprop='name']"
        " | //*[@itemprop='author'][not(.//*)]"
    )
    return [_flat(element) for element in found[:3]]


def _publishers(article: json_ld.Thing, metas: Mapping[str, list[str]]) -> list[str]:
    return [
        *json_ld.texts_of(article.get("publisher")),
        *_values(metas, ("og:site_name", "application-name", "dc.publisher")),
    ]


def _published(
    article: json_ld.Thing, metas: Mapping[str, list[str]], tree: HtmlElement, url: str
) -> tuple[datetime | None, DateSource | None]:
    stated = _first_time((_text(article, "datePublished"), _text(article, "dateCreated")))
    if stated:
        return stated, DateSource.JSON_LD
    meant = _first_time(
        (*_values(metas, _PUBLISHED), *_marked_times(tree, "@itemprop='datePublished' or @pubdate"))
    )
    if meant:
        return meant, DateSource.META
    guess = _first_time(
        (*_marked_times(tree, "ancestor::article or ancestor::main"), *_url_dates(url))
    )
    return (guess, DateSource.GUESSED) if guess else (None, None)


def _marked_times(tree: HtmlElement, condition: str) -> list[str]:
    return [time.get("datetime") or _flat(time) for time in tree.xpath(f"//time[{condition}]")[:2]]


def _url_dates(url: str) -> list[str]:
    found = _URL_DATE.search(urlsplit(url).path)
    return ["-".join(part for part in found.groups() if part)] if found else []


def _first_time(texts: Iterable[str]) -> datetime | None:
    times = (parse_time(text) for text in texts if text)
    return next((time for time in times if time and 1990 <= time.year < 2100), None)


def _language(
    article: json_ld.Thing, metas: Mapping[str, list[str]], tree: HtmlElement
) -> str | None:
    root = tree.get("lang") or tree.get("xml:lang") or ""
    said = (
        root,
        _text(article, "inLanguage"),
        *_values(metas, ("content-language", "og:locale", "dc.language")),
    )
    found = (_LANGUAGE.match(text.strip()) for text in said)
    return next((match.group().lower() for match in found if match), None)


def _canonical(
    article: json_ld.Thing, metas: Mapping[str, list[str]], tree: HtmlElement, url: str
) -> str | None:
    links = [
        link.get("href") or ""
        for link in tree.iter("link")
        if (link.get("rel") or "").lower() == "canonical"
    ]
    for link in (*links, *_values(metas, ("og:url",)), json_ld.link_of(article) or ""):
        address = absolute(link, url)
        # a front page is nobody's canonical address but its own
        if address and (urlsplit(address).path.strip("/") or not urlsplit(url).path.strip("/")):
            return address
    return None


def _image(article: json_ld.Thing, metas: Mapping[str, list[str]], url: str) -> str | None:
    named = [
        *_values(metas, ("og:image", "og:image:url", "twitter:image")),
        *json_ld.texts_of(article.get("image"), "url"),
    ]
    return next((address for link in named if (address := absolute(link, url))), None)


def absolute(link: str, base: str) -> str | None:
    """An http(s) address seen from ``base``, without its fragment; None for anything else."""
    try:
        address = urljoin(base, link.strip()).partition("#")[0]
        parts = urlsplit(address)
    except ValueError:
        return None
    return (
        address if link.strip() and parts.scheme in {"http", "https"} and parts.hostname else None
    )


def _free(article: json_ld.Thing, metas: Mapping[str, list[str]]) -> bool | None:
    said = article.get("isAccessibleForFree")
    if said is not None:
        return str(said).lower() not in {"false", "no", "0"}
    tier = next(iter(_values(metas, ("article:content_tier",))), "").lower()
    return None if tier not in {"free", "metered", "locked"} else tier != "locked"
