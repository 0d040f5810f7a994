"""Every output and page as files, for people who publish with a web server of their own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aggregator.application import Application
from aggregator.errors import ApplicationError
from aggregator.stages.outputs import FORMATS, story_filter
from aggregator.web.front import PAGE_SIZE, Asked, FrontView
from aggregator.web.links import Links
from aggregator.web.pages import (
    ICON,
    ICON_PATH,
    STYLE,
    STYLE_PATH,
    SourcesView,
    first_plotted,
    front_page,
    sources_opml,
    sources_page,
    story_page,
)
from storage.days import days_since
from storage.front import Listing, list_stories
from storage.health import source_figures, sources_standing
from storage.publishing import latest_stories, story_by_slug
from storage.sources import source_health
from storage.story_details import story_details
from storage.values import StoryView


async def write_site(application: Application, folder: Path) -> tuple[int, int]:
    """Write what changed below ``folder``; how many files were written, and how many were not.

    Raises:
        ApplicationError: a file cannot be written.
    """
    written = same = 0
    async for name, body in _files(application):
        try:
            changed = await asyncio.to_thread(_write, folder / name, body)
        except OSError as error:
            raise ApplicationError(f"cannot write {folder / name}: {error.strerror}") from error
        written, same = written + changed, same + (not changed)
    return written, same


def _write(path: Path, body: bytes) -> bool:
    if path.is_file() and path.read_bytes() == body:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(body)
    fresh.replace(path)  # a web server never sees half a file
    return True


async def _files(application: Application) -> AsyncIterator[tuple[str, bytes]]:
    settings = application.settings
    linked: dict[str, StoryView] = {}
    for output in settings.outputs():
        if output.token is not None:
            continue
        for form in FORMATS:
            if document := application.publisher.document(output.name, form):
                yield f"{output.name}.{form}", document.body
        found = await application.ledger.read(latest_stories, story_filter(output))
        linked |= {story.slug: story for story in found}
    links = Links(settings.server.base_url.rstrip("/"), static=True)
    listed = await application.ledger.read(list_stories, Listing(limit=PAGE_SIZE))
    yield "index.html", front_page(settings, FrontView(Asked(), listed.stories), links)
    slugs = dict.fromkeys([*linked, *(story.slug for story in listed.stories)])
    for slug in slugs:
        story = linked.get(slug) or await application.ledger.read(story_by_slug, slug)
        if story is not None:
            members = [article.id for article in story.articles]
            details = await application.ledger.read(story_details, story.id, members)
            yield f"story/{slug}/index.html", story_page(settings, story, details, links)
    now = application.clock()
    standing = await application.ledger.read(sources_standing)
    figures = await application.ledger.read(source_figures, now, limit=max(1, standing.all))
    days = await application.ledger.read(days_since, first_plotted(now))
    view = SourcesView(figures, standing, days)
    yield "sources/index.html", sources_page(settings, view, now, links)
    health = await application.ledger.read(source_health)
    yield "opml", sources_opml(settings, health)
    yield STYLE_PATH.lstrip("/"), STYLE
    yield ICON_PATH.lstrip("/"), ICON
