"""Every output and page as files, for people who publish with a web server of their own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aggregator.application import Application
from aggregator.errors import ApplicationError
from aggregator.stages.outputs import FORMATS, story_filter
from aggregator.web.pages import (
    PAGE_SIZE,
    STYLE,
    STYLE_PATH,
    front_page,
    page_of,
    sources_opml,
    sources_page,
    story_page,
)
from storage.publishing import count_stories, latest_stories
from storage.sources import source_health
from storage.values import StoryFilter, StoryView


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
    wanted = StoryFilter(limit=PAGE_SIZE, by_publication=True)
    stories = await application.ledger.read(latest_stories, wanted)
    total = await application.ledger.read(count_stories, wanted)
    yield (
        "index.html",
        front_page(settings, stories, page_of(1, min(total, PAGE_SIZE)), len(settings.source)),
    )
    linked |= {story.slug: story for story in stories}
    for story in linked.values():
        yield f"story/{story.slug}/index.html", story_page(settings, story)
    health = await application.ledger.read(source_health)
    yield "sources/index.html", sources_page(settings, health)
    yield "opml", sources_opml(settings, health)
    yield STYLE_PATH.lstrip("/"), STYLE
