"""Every output, archive and page as files, for people who publish with a web server of their own.

What was written is listed in ``.newsfold.json`` there, with the hash of each file. So what is no
longer published is removed, and nothing else: neither a file of somebody else's nor one of ours
that somebody changed.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aggregator.config.output_settings import OutputSettings
from aggregator.errors import ApplicationError
from aggregator.running.application import Application
from aggregator.stages.publish.documents import render_feed
from aggregator.stages.publish.outputs import FORMATS
from aggregator.stages.publish.requested import Requested
from aggregator.stages.publish.status_feed import NAME as STATUS
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
from storage.chunks import chunks
from storage.days import days_since
from storage.front import Listing, list_stories
from storage.health import source_figures, sources_standing
from storage.publications import eldest_archive, published
from storage.publishing import stories_by_id, story_by_slug
from storage.sources import source_health
from storage.story_details import story_details
from storage.values.publish import StoryView, Window

LIST = ".newsfold.json"
"""What was written, and the hash of it."""
_MOST_STORIES = 100_000
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Written:
    """How many files were written, how many were up to date, how many were removed."""

    written: int
    same: int
    removed: int


async def write_site(application: Application, folder: Path) -> Written:
    """Write what changed below ``folder``, and remove what was written before and is no more.

    Raises:
        ApplicationError: a file cannot be read, written or removed.
    """
    before = await asyncio.to_thread(_listed, folder / LIST)
    now: dict[str, str] = {}
    written = 0
    async for name, body in _files(application, before):
        written += await asyncio.to_thread(_write, folder / name, body)
        now[name] = hashlib.sha256(body).hexdigest()
    gone = {name: digest for name, digest in before.items() if name not in now}
    removed = await asyncio.to_thread(_remove, folder, gone)
    listed = json.dumps(now, indent=0, sort_keys=True).encode()
    await asyncio.to_thread(_write, folder / LIST, listed)
    return Written(written, len(now) - written, removed)


def _listed(path: Path) -> dict[str, str]:
    try:
        listed = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ApplicationError(
            f"cannot read {path}, the list of what was written: {error}; remove it, and what is "
            "no longer published stays"
        ) from error
    return {str(name): str(digest) for name, digest in listed.items()}


def _write(path: Path, body: bytes) -> bool:
    try:
        if path.is_file() and path.read_bytes() == body:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(body)
        fresh.replace(path)  # a web server never sees half a file
    except OSError as error:
        raise ApplicationError(f"cannot write {path}: {error.strerror}") from error
    return True


def _remove(folder: Path, gone: Mapping[str, str]) -> int:
    removed = 0
    root = folder.resolve()
    for name, digest in gone.items():
        path = folder / name
        # The list is a file like any other: it must not lead out of the folder.
        if not path.resolve().is_relative_to(root) or path.is_symlink() or not path.is_file():
            continue
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                path.unlink()
                removed += 1
        except OSError as error:
            raise ApplicationError(f"cannot remove {path}: {error.strerror}") from error
        for parent in path.relative_to(folder).parents[:-1]:
            with suppress(OSError):  # it holds something else
                (folder / parent).rmdir()
    return removed


async def _files(
    application: Application, before: Mapping[str, str]
) -> AsyncIterator[tuple[str, bytes]]:
    requested = Requested(application.ledger, application.settings, application.publisher)
    ids: set[int] = set()
    for output in application.settings.outputs():
        if output.token is None:
            async for file in _output_files(application, requested, output):
                yield file
            if output.fold:
                everything = Window(newest=_MOST_STORIES)
                listed = await application.ledger.read(
                    published, output.name, everything, of_articles=False
                )
                ids |= {item.id for item in listed}
    async for file in _page_files(application, ids):
        yield file
    async for file in _story_files(application, requested, ids, before):
        yield file
    for form in FORMATS:
        if document := application.publisher.document(STATUS, form):
            yield f"{STATUS}.{form}", document.body


async def _output_files(
    application: Application, requested: Requested, output: OutputSettings
) -> AsyncIterator[tuple[str, bytes]]:
    publisher, name = application.publisher, output.name
    closed = publisher.progress(name).archives
    eldest = await application.ledger.read(eldest_archive, name)
    first = eldest.number if eldest else 1
    # In front of those that retention left stands an empty one, where the chain ends.
    for number in range(max(1, first - 1), closed + 1):
        if archived := await requested.archived(output, number):
            for form in FORMATS:
                body = await asyncio.to_thread(render_feed, archived.feed, form)
                yield f"{name}/archive/{number}.{form}", body
    for form in FORMATS:
        for page in range(1, publisher.pages(name) + 1):
            if document := publisher.document(name, form, page):
                yield f"{name}.{form}" if page == 1 else f"{name}/{page}.{form}", document.body
        # What follows the last archive: the first document, until another archive is closed.
        if closed and (document := publisher.document(name, form)):
            yield f"{name}/archive/{closed + 1}.{form}", document.body


async def _page_files(application: Application, ids: set[int]) -> AsyncIterator[tuple[str, bytes]]:
    """The pages; the stories that the front page lists are added to ``ids``."""
    settings, ledger = application.settings, application.ledger
    links = _links(application)
    listed = await ledger.read(list_stories, Listing(limit=PAGE_SIZE))
    yield "index.html", front_page(settings, FrontView(Asked(), listed.stories), links)
    ids |= {story.id for story in listed.stories}
    now = application.clock()
    standing = await ledger.read(sources_standing)
    figures = await ledger.read(source_figures, now, limit=max(1, standing.all))
    days = await ledger.read(days_since, first_plotted(now))
    view = SourcesView(figures, standing, days)
    yield "sources/index.html", sources_page(settings, view, now, links)
    health = await application.ledger.read(source_health)
    yield "opml", sources_opml(settings, health)
    yield STYLE_PATH.lstrip("/"), STYLE
    yield ICON_PATH.lstrip("/"), ICON


async def _story_files(
    application: Application, requested: Requested, ids: set[int], before: Mapping[str, str]
) -> AsyncIterator[tuple[str, bytes]]:
    """Page and feeds of every story that something links.

    A page that was there before stays, with what its story became part of: readers and archives
    link it.
    """
    ledger = application.ledger
    slugs = {parts[1] for name in before if len(parts := name.split("/")) == 3 and "story" in parts}
    for some in chunks(sorted(ids), _AT_ONCE):
        for story in await ledger.read(stories_by_id, some):
            slugs.discard(story.slug)
            yield f"story/{story.slug}/index.html", await _story_page(application, story)
            feed = await requested.told(story)
            for form in FORMATS:
                yield f"story/{story.slug}.{form}", await asyncio.to_thread(render_feed, feed, form)
    for slug in sorted(slugs):
        if survivor := await ledger.read(story_by_slug, slug):
            yield f"story/{slug}/index.html", await _story_page(application, survivor)


async def _story_page(application: Application, story: StoryView) -> bytes:
    members = [article.id for article in story.articles]
    details = await application.ledger.read(story_details, story.id, members)
    return story_page(application.settings, story, details, _links(application))


def _links(application: Application) -> Links:
    return Links(application.settings.server.base_url.rstrip("/"), static=True)
