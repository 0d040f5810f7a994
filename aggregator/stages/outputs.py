"""From stories to feed documents that have no format yet. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aggregator.config.settings import OutputSettings
from aggregator.matching.reasons import percent
from feeds.model import Coverage, OutputEntry, OutputFeed, OutputSource
from storage.values import ArticleView, StoryFilter, StoryView

FORMATS = {"atom": "Atom", "rss": "RSS", "json": "JSON Feed"}


def story_filter(output: OutputSettings) -> StoryFilter:
    """Which stories an output holds."""
    return StoryFilter(
        categories=output.categories,
        languages=output.languages,
        min_outlets=output.min_outlets,
        limit=output.limit,
    )


def output_feed(
    output: OutputSettings,
    stories: Sequence[StoryView],
    *,
    base_url: str,
    site_title: str,
    feed_id: str,
    born: datetime,
    hubs: tuple[str, ...] = (),
) -> OutputFeed:
    """The document of an output.

    ``feed_id`` is its lasting ``tag:`` URI; ``born`` stands for the time of change of an output
    that has no story yet, and never moves.
    """
    base = base_url.rstrip("/")
    entries = tuple(output_entry(story, base, full=output.content == "full") for story in stories)
    query = f"?token={output.token.get_secret_value()}" if output.token else ""
    return OutputFeed(
        id=feed_id,
        title=output.title or f"{site_title}: {output.name}",
        subtitle=_subtitle(output),
        home_url=f"{base}/",
        self_urls={form: f"{base}/{output.name}.{form}{query}" for form in FORMATS},
        updated=max((entry.updated for entry in entries), default=born),
        entries=entries,
        language=_common_language(stories),
        hubs=() if output.token else hubs,
    )


def _subtitle(output: OutputSettings) -> str:
    kind = ", ".join(output.categories) + " " if output.categories else ""
    told = f", told by at least {output.min_outlets} outlets" if output.min_outlets > 1 else ""
    return f"Every {kind}story once, with every outlet that tells it{told}."


def _common_language(stories: Sequence[StoryView]) -> str | None:
    languages = {story.language for story in stories}
    return languages.pop() if len(languages) == 1 else None


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
        published=story.published_at,
        updated=story.updated_at,
        source=_source(lead, story),
        coverage=coverage(story, page),
        authors=lead.authors,
        categories=_categories(story),
        language=story.language,
        image=lead.image,
        outlets=story.outlets,
    )


def _source(lead: ArticleView, story: StoryView) -> OutputSource:
    return OutputSource(
        id=lead.source_url,
        title=lead.source_title,
        feed_url=lead.source_url,
        site_url=lead.source_site_url,
        updated=story.updated_at,
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
    by_id = {article.id: article for article in story.articles}
    clusters: defaultdict[int, list[ArticleView]] = defaultdict(list)
    for article in story.articles:  # the lead comes first, so it heads its own cluster
        clusters[_original(article, by_id)].append(article)
    outlets = {article.id: article.outlet for article in story.articles}
    return tuple(_coverage(cluster, page, outlets) for cluster in clusters.values())


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
