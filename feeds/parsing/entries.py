"""From what a document says to what a reader sees: cleaned, bounded, dated, identified.

Knows no syntax (the readers do) and no history (the daemon does). Pure: every entry depends on its
own item, on what the feed says of all, and on the time; only its guid on the other items.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import NamedTuple, TypeVar

from feeds.clean import looks_like_html, one_line, plain_text, sanitise, text_to_html
from feeds.model import Enclosure, FeedEntry, ParsedFeed
from feeds.parsing.dates import believed, read_date
from feeds.parsing.hints import poll_hints
from feeds.parsing.identity import entry_key, hashed_guid, tell_apart
from feeds.parsing.raw import Prose, RawEntry, RawFeed, RawFile
from feeds.urls import absolute_http_url, canonical_url

MAX_TITLE = 500
"""Characters of a title, as plain text."""
MAX_CONTENT = 500_000
"""Characters of a summary or content, as it stands in the document."""
MAX_NAME = 200
"""Characters of an author or category."""
MAX_LISTED = 32
"""Authors, categories, enclosures or hubs."""

_T = TypeVar("_T")
_LANGUAGE = re.compile(r"([A-Za-z]{2,8})((?:[-_][A-Za-z0-9]{1,8}){0,4})")
_MAIL_AND_NAME = re.compile(r"\S+@\S+\s+\(([^()]+)\)")
_NAME_AND_MAIL = re.compile(r"([^<>()]+?)\s*(?:<[^<>]*@[^<>]*>|\([^()]*@[^()]*\))")
_ADDRESS_TAIL = re.compile(r'((?:href|src|poster|cite)="[^"?#]*)[?#][^"]*"')
_FIRST_IMAGE = re.compile(r'<img src="([^"]+)"')


@dataclass(frozen=True, slots=True)
class _Feed:
    """What an entry takes from its feed, and where what was wrong is counted."""

    url: str
    link_base: str
    language: str | None
    authors: list[str]
    now: datetime
    problems: Counter[str]


class _Seen(NamedTuple):
    """What a reader sees of an entry."""

    title: str
    summary_html: str
    content_html: str
    canonical_url: str | None
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    enclosures: tuple[Enclosure, ...]


def finish_feed(
    raw: RawFeed, url: str, now: datetime, ambiguous: Collection[str] = frozenset()
) -> ParsedFeed:
    """The feed that ``raw`` describes, read at ``url``.

    Entries marked to be skipped only show among ``known_seen``. ``ambiguous`` guids are told apart
    even where they occur once (:func:`feeds.parsing.identity.tell_apart`). What exceeds a bound is
    cut or
    dropped, and said in ``problems``.
    """
    site_url = absolute_http_url(raw.link, url) if raw.link else None
    # RSS knows no base; what is relative there is meant from the site, often not the feed's host.
    link_base = site_url if site_url and raw.format in {"rss", "rdf"} else url
    language, problems = language_tag(raw.language), Counter[str]()
    feed = _Feed(url, link_base, language, raw.authors, now, problems)
    return ParsedFeed(
        format=raw.format,
        title=_title(raw.title, feed),
        site_url=site_url,
        language=language,
        entries=tuple(_finish_all(raw.entries, feed, ambiguous)),
        hints=poll_hints(raw),
        hubs=tuple(_addresses(raw.hubs, url)),
        self_url=absolute_http_url(raw.self_url, url) if raw.self_url else None,
        icon=absolute_http_url(raw.icon, link_base) if raw.icon else None,
        rights=_title(raw.rights, feed) or None,
        problems=(*raw.problems, *(f"{what} ({count})" for what, count in (+problems).items())),
        known_seen=frozenset(entry.digest for entry in raw.entries if entry.skip and entry.digest),
    )


def _finish_all(
    raw_entries: list[RawEntry], feed: _Feed, ambiguous: Collection[str]
) -> list[FeedEntry]:
    found = [entry for entry in raw_entries if entry.skip or _says_anything(entry)]
    titles = [_title(entry.title, feed) for entry in found]
    named = list(zip(found, titles, strict=True))
    heads = [(_key(entry, title), entry.link, title) for entry, title in named]
    guids = tell_apart(heads, ambiguous)
    feed.problems["items with nothing in them were dropped"] += len(raw_entries) - len(found)
    feed.problems["items that repeat others were dropped"] += guids.count(None)
    return [
        _finish(entry, guid, title, feed)
        for (entry, title), guid in zip(named, guids, strict=True)
        if guid is not None and not entry.skip
    ]


def language_tag(text: str) -> str | None:
    """A language tag in its usual spelling (``en_us`` is ``en-US``), None for what is none."""
    found = _LANGUAGE.fullmatch(text.strip())
    if not found:
        return None
    subtags = found[2].replace("_", "-").split("-")
    return "-".join([found[1].lower(), *(s.upper() if len(s) == 2 else s for s in subtags[1:])])


def _says_anything(entry: RawEntry) -> bool:
    said = (entry.guid, entry.link, entry.title, entry.summary, entry.content)
    return any(said) or bool(entry.files)


def _key(entry: RawEntry, title: str) -> str:
    """The guid before duplicates are told apart. One that is made up survives edits of the text."""
    key = entry_key(entry.guid, entry.link)
    if key:
        return key
    text = title or plain_text((entry.content or entry.summary).value[:MAX_CONTENT])
    return hashed_guid(text, entry.published or entry.updated)


def _finish(entry: RawEntry, guid: str, title: str, feed: _Feed) -> FeedEntry:
    url = _url(entry, feed)
    summary, content = (_html(prose, url, feed) for prose in (entry.summary, entry.content))
    published, updated = (
        believed(read_date(text), feed.now) for text in (entry.published, entry.updated)
    )
    seen = _Seen(
        title,
        "" if summary == content else summary,
        content,
        url and canonical_url(url, keep_fragment=_fragment_matters(url, entry.guid)),
        _names(map(_person, entry.authors or feed.authors), "authors", feed),
        _names(entry.categories, "categories", feed),
        _enclosures(entry.files, feed),
    )
    return FeedEntry(
        **seen._asdict(),
        guid=guid,
        url=url,
        published=published or updated,
        updated=updated,
        published_guessed=published is None and updated is None,
        language=language_tag(entry.language) or feed.language,
        image=_image(entry, content or summary, feed),
        content_hash=_content_hash(seen),
        raw_digest=entry.digest,
        source_title=_title(entry.source_title, feed) or None,
        source_url=absolute_http_url(entry.source_url, feed.url) if entry.source_url else None,
    )


def _url(entry: RawEntry, feed: _Feed) -> str | None:
    base = absolute_http_url(entry.base, feed.url) if entry.base else feed.link_base
    link = f"//{entry.link}" if entry.link.startswith("www.") else entry.link
    url = absolute_http_url(link, base) if link else None
    return url or (absolute_http_url(entry.guid) if entry.guid_is_link else None)


def _fragment_matters(url: str, guid: str) -> bool:
    """Whether the publisher itself tells documents apart by it, as changelogs on one page do."""
    _, mark, fragment = url.partition("#")
    return bool(mark) and "=" not in fragment and guid.strip().endswith(f"#{fragment}")


def _title(title: Prose, feed: _Feed) -> str:
    is_html = looks_like_html(title.value) if title.is_html is None else title.is_html
    value = title.value[: 20 * MAX_TITLE]
    text = plain_text(value) if is_html else one_line(value)
    return _cut(text, MAX_TITLE, "titles", feed)


def _html(prose: Prose, entry_url: str | None, feed: _Feed) -> str:
    if not prose:
        return ""
    value = _cut(prose.value, MAX_CONTENT, "contents", feed)
    if prose.is_html is False or (prose.is_html is None and not looks_like_html(value)):
        return text_to_html(value)
    if "<" not in value:
        return text_to_html(unescape(value))
    stated = absolute_http_url(prose.base, feed.url) if prose.base else None
    return sanitise(value, stated or entry_url or feed.link_base)


def _person(author: str) -> str:
    author = author[: 2 * MAX_NAME].strip()
    found = _MAIL_AND_NAME.fullmatch(author) or _NAME_AND_MAIL.fullmatch(author)
    return found[1] if found else author


def _names(values: Iterable[str], what: str, feed: _Feed) -> tuple[str, ...]:
    """Plain, bounded, each once whatever its case."""
    plain = (plain_text(value[: 4 * MAX_NAME]) for value in values)
    once: dict[str, str] = {}
    for name in filter(None, plain):
        once.setdefault(name.casefold(), name)
    names = [_cut(name, MAX_NAME, what, feed) for name in _first(list(once.values()), what, feed)]
    return tuple(names)


def _enclosures(files: list[RawFile], feed: _Feed) -> tuple[Enclosure, ...]:
    found: dict[str, Enclosure] = {}
    for file in _first(files, "enclosures", feed):
        url = absolute_http_url(file.url, feed.link_base)
        if url:
            length = int(file.length) if file.length.isdecimal() and len(file.length) < 16 else 0
            kind = one_line(file.type)[:MAX_NAME].lower()
            found.setdefault(url, Enclosure(url, kind or None, length or None))
    return tuple(found.values())


def _image(entry: RawEntry, html: str, feed: _Feed) -> str | None:
    own = [*entry.images, *(file.url for file in entry.files if file.is_image)]
    for address in own[:MAX_LISTED]:
        url = absolute_http_url(address, feed.link_base) if address else None
        if url:
            return url
    first = _FIRST_IMAGE.search(html)
    return unescape(first[1]) if first else None


def _addresses(addresses: Iterable[str], base: str) -> Iterable[str]:
    absolute = (absolute_http_url(address, base) for address in addresses)
    return list(dict.fromkeys(url for url in absolute if url))[:MAX_LISTED]


def _first(values: list[_T], what: str, feed: _Feed) -> list[_T]:
    if len(values) > MAX_LISTED:
        feed.problems[f"lists of more than {MAX_LISTED} {what} were cut"] += 1
    return values[:MAX_LISTED]


def _cut(text: str, limit: int, what: str, feed: _Feed) -> str:
    if len(text) <= limit:
        return text
    feed.problems[f"{what} were cut to {limit} characters"] += 1
    return f"{text[: limit - 1]}…"


def _content_hash(entry: _Seen) -> str:
    """Names what a reader sees of ``entry``, in hex.

    Without dates, whatever the order of the categories, and without the queries and fragments of
    addresses in its texts and enclosures: tracking and image servers' signatures change from poll
    to poll.
    """
    seen = [
        *(entry.title, _without_tails(entry.summary_html), _without_tails(entry.content_html)),
        *(entry.canonical_url or "", *entry.authors, ""),
        *(*sorted(map(str.casefold, entry.categories)), ""),
        *(enclosure.url.partition("?")[0] for enclosure in entry.enclosures),
    ]
    return hashlib.sha256("\0".join(seen).encode()).hexdigest()


def _without_tails(html: str) -> str:
    return _ADDRESS_TAIL.sub(r'\1"', html) if "?" in html or "#" in html else html
