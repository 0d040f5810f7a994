"""From stories to feed documents that have no format yet. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from aggregator.config.output_settings import OutputSettings
from aggregator.matching.reasons import percent
from aggregator.stages.publish.archives import Frozen
from aggregator.stages.publish.masthead import Identity, Masthead
from feeds.model import Coverage, OutputEntry, OutputFeed, OutputSource
from storage.values.publish import ArticleView, StoryFilter, StoryView

FORMATS = {"atom": "Atom", "rss": "RSS", "json": "JSON Feed"}
_NO_SOURCES: Mapping[str, str] = MappingProxyType({})


def story_filter(output: OutputSettings, sources: Mapping[str, str] = _NO_SOURCES) -> StoryFilter:
    """Which stories an output admits; ``sources`` are addresses by name."""
    return StoryFilter(
        categories=output.categories,
        languages=output.languages,
        min_outlets=output.min_outlets,
        limit=output.limit,
        sources=tuple(sources.get(name, name) for name in output.sources),
        without_leads=tuple(sources.get(name, name) for name in output.exclude_sources),
    )


def admits(output: OutputSettings, wanted: StoryFilter) -> str:
    """Names the filter of ``output``: outputs with the same name admit the same."""
    words = [
        [item.model_dump_json() for item in items] for items in (output.include, output.exclude)
    ]
    said = (replace(wanted, limit=0), words, output.fold)
    return sha256(repr(said).encode()).hexdigest()


def page_feed(
    output: OutputSettings,
    pages: Sequence[Sequence[OutputEntry]],
    number: int,
    masthead: Masthead,
    *,
    archives: int = 0,
    asked: str = "",
) -> OutputFeed:
    """The document of page ``number`` of ``pages``; how many ``archives`` are closed.

    ``asked`` is the query of a reader who asks for less than the output shows: a feed of its own.
    """
    addresses = masthead.addresses(output, asked)
    links: dict[str, int] = {}
    if len(pages) > 1:
        links = {"first": 1, "previous": number - 1, "next": number + 1, "last": len(pages)}
        links = {relation: at for relation, at in links.items() if 0 < at <= len(pages)}
    page_links = {
        form: {relation: addresses.page(at, form) for relation, at in links.items()}
        for form in FORMATS
    }
    for form, of_form in page_links.items():
        # JSON Feed knows one kind of "next": behind the last page come the archives.
        if archives and not asked and number == (len(pages) if form == "json" else 1):
            of_form["prev-archive"] = addresses.archive(archives, form)
    feed = _feed(output, pages[number - 1], masthead)
    return replace(
        feed,
        id=f"{feed.id}?{asked}" if asked else feed.id,
        self_urls={form: addresses.page(number, form) for form in FORMATS},
        page_links=page_links,
        # Hubs are told of the one document that everybody may subscribe to.
        hubs=masthead.hubs if number == 1 and not (asked or output.token) else (),
    )


def archive_feed(
    output: OutputSettings, frozen: Frozen, number: int, masthead: Masthead, *, eldest: int = 1
) -> OutputFeed:
    """The document of a closed archive. What follows the last one is the current document.

    Before the ``eldest`` there is none.
    """
    addresses = masthead.addresses(output)
    numbers = {"prev-archive": number - 1, "next-archive": number + 1}
    page_links = {
        form: {"current": addresses.page(1, form)}
        | {name: addresses.archive(at, form) for name, at in numbers.items() if at >= eldest}
        for form in FORMATS
    }
    return replace(
        _feed(output, frozen.entries, masthead),
        title=frozen.title,
        subtitle=frozen.subtitle,
        self_urls={form: addresses.archive(number, form) for form in FORMATS},
        page_links=page_links,
        archive=True,
    )


def frozen_feed(
    output: OutputSettings, entries: Sequence[OutputEntry], masthead: Masthead
) -> Frozen:
    """What is kept of ``entries`` when an archive is closed over them."""
    return Frozen(output_title(output, masthead.title), _subtitle(output), tuple(entries))


def _feed(output: OutputSettings, entries: Sequence[OutputEntry], masthead: Masthead) -> OutputFeed:
    return OutputFeed(
        id=masthead.identity.feed_id(output.name),
        title=output_title(output, masthead.title),
        subtitle=_subtitle(output),
        home_url=f"{masthead.base_url}/",
        self_urls={},
        # An output without entries has a time too, which never moves.
        updated=max((entry.updated for entry in entries), default=masthead.identity.born),
        entries=tuple(entries),
        language=_common_language(entries),
    )


def output_title(output: OutputSettings, site_title: str) -> str:
    """What an output is called."""
    return output.title or f"{site_title}: {output.name}"


def _subtitle(output: OutputSettings) -> str:
    if output.subtitle:
        return output.subtitle
    kind = ", ".join(output.categories) + " " if output.categories else ""
    if not output.fold:
        return f"Every {kind}article, as its source published it."
    told = f", told by at least {output.min_outlets} outlets" if output.min_outlets > 1 else ""
    return f"Every {kind}story once, with every outlet that tells it{told}."


def _common_language(entries: Sequence[OutputEntry]) -> str | None:
    languages = {entry.language for entry in entries}
    return languages.pop() if len(languages) == 1 else None


def story_feed(story: StoryView, articles: Sequence[ArticleView], masthead: Masthead) -> OutputFeed:
    """One story to be followed: every article that tells it, the latest first."""
    page = f"{masthead.base_url}/story/{story.slug}"
    latest = sorted(articles, key=lambda article: (_moment(article), article.id), reverse=True)
    entries = _unique(article_entry(one, masthead.identity, full=False) for one in latest)
    return OutputFeed(
        id=f"{story.uri}/articles",
        title=story.title,
        subtitle="Every article that tells this story.",
        home_url=page,
        self_urls={form: f"{page}.{form}" for form in FORMATS},
        updated=max((entry.updated for entry in entries), default=story.updated_at),
        entries=entries,
        language=story.language,
    )


def _unique(entries: Iterable[OutputEntry]) -> tuple[OutputEntry, ...]:
    by_id: dict[str, OutputEntry] = {}
    for entry in entries:
        by_id.setdefault(entry.id, entry)
    return tuple(by_id.values())


def article_entry(article: ArticleView, identity: Identity, *, full: bool) -> OutputEntry:
    """An article by itself as subscribers see it. Its time is its own, and never moves."""
    named = [name for name in (article.category, *article.categories) if name]
    moment = _moment(article)
    address = article.url or article.source_site_url or article.source_url
    return OutputEntry(
        id=identity.entry_id(article),
        url=address,
        page_url=None,
        title=article.title,
        summary=article.summary,
        content_html=article.html if full else None,
        published=moment,
        updated=moment,
        source=_source(article, moment),
        coverage=(Coverage(article.outlet, article.title, address, article.published),),
        authors=article.authors,
        categories=tuple(dict.fromkeys(named)),
        language=article.language,
        image=article.image,
    )


def _moment(article: ArticleView) -> datetime:
    return min(article.published or article.arrived_at, article.arrived_at)


def output_entry(story: StoryView, base: str, *, full: bool) -> OutputEntry:
    """A story as subscribers see it."""
    lead = story.lead
    page = f"{base}/story/{story.slug}"
    return OutputEntry(
        id=story.uri,
        url=lead.url or page,
        page_url=page,
        title=story.title,
        summary=lead.summary,
        content_html=lead.html if full else None,
        # A publisher's date may lie in the future; readers would keep it on top until then.
        published=min(story.published_at, story.created_at),
        updated=story.updated_at,
        source=_source(lead, story.updated_at),
        coverage=coverage(story, page),
        authors=lead.authors,
        categories=_categories(story),
        language=story.language,
        image=lead.image,
        outlets=story.outlets,
    )


def _source(lead: ArticleView, updated: datetime) -> OutputSource:
    return OutputSource(
        id=lead.source_url,
        title=lead.source_title,
        feed_url=lead.source_url,
        site_url=lead.source_site_url,
        updated=updated,
        rights=lead.source_rights,
        icon=lead.source_icon,
    )


def _categories(story: StoryView) -> tuple[str, ...]:
    fields = (article.category for article in story.articles)
    named = [name for name in (*fields, *story.lead.categories) if name]
    return tuple(dict.fromkeys(named))


def coverage(story: StoryView, page: str) -> tuple[Coverage, ...]:
    """Every outlet's article, the lead first, copies under the text they copy.

    ``page`` stands in for the address of an article that has none.
    """
    outlets = {article.id: article.outlet for article in story.articles}
    return tuple(_coverage(cluster, page, outlets) for cluster in clusters(story.articles))


def clusters(articles: Sequence[ArticleView]) -> list[list[ArticleView]]:
    """Articles of one text together, in the order given."""
    by_id = {article.id: article for article in articles}
    found: defaultdict[int, list[ArticleView]] = defaultdict(list)
    for article in articles:  # the lead comes first, so it heads its own cluster
        found[_original(article, by_id)].append(article)
    return list(found.values())


def _original(article: ArticleView, by_id: Mapping[int, ArticleView]) -> int:
    seen: set[int] = set()
    while article.copy_of is not None and article.copy_of in by_id and article.id not in seen:
        seen.add(article.id)
        article = by_id[article.copy_of]
    return article.id


def _coverage(cluster: Sequence[ArticleView], page: str, outlets: Mapping[int, str]) -> Coverage:
    head, *copies = cluster
    return Coverage(
        outlet=head.outlet,
        title=head.title,
        url=head.url or page,
        published=head.published,
        copies=tuple(_coverage([copy], page, outlets) for copy in copies),
        reason=reason_in_words(head.reason, outlets),
    )


def reason_in_words(reason: Mapping[str, Any], outlets: Mapping[int, str]) -> str:
    """Why an article is in its story; ``outlets`` names its partner by id."""
    partner = outlets.get(reason.get("partner") or 0, "another outlet")
    head = {
        "copy": f"the same text as {partner}'s",
        "event": f"the same event as {partner}'s",
        "operator": "joined by the operator",
    }.get(reason.get("kind", ""), "")
    if not head:
        return ""
    if reason["kind"] == "copy":
        return f"{head}, {percent(reason['score'])}"
    had = f"needed {reason['needed']:.2f}, had {reason['score']:.2f}" if reason["score"] else ""
    return "; ".join(part for part in (head, *reason["parts"], had) if part)
