"""The pages people look at, as HTML. Pure: the same views give the same bytes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from aggregator.config.settings import Settings
from aggregator.stages.outputs import FORMATS, coverage
from feeds.model import OpmlSource
from feeds.writing.write_opml import render_opml
from storage.values import SourceHealth, StoryView

STYLE = files("aggregator.web").joinpath("static", "newsfold.css").read_bytes()
STYLE_PATH = f"/static/newsfold.{hashlib.sha256(STYLE).hexdigest()[:12]}.css"
PAGE_SIZE = 40


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M} UTC" if moment else "undated"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("aggregator.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["when"] = _when
    return environment


_TEMPLATES = _environment()


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of a list this is, from 1, and how many there are."""

    number: int
    of: int


def page_of(number: int, items: int) -> Page:
    """Page ``number`` of so many ``items``; there is always a first page."""
    return Page(number, max(1, -(-items // PAGE_SIZE)))


def front_page(settings: Settings, stories: Sequence[StoryView], page: Page, sources: int) -> bytes:
    """Stories, newest first. ``sources`` is how many are configured, for the empty state."""
    return _render(settings, "front.html", stories=stories, page=page, sources=sources)


def story_page(settings: Settings, story: StoryView) -> bytes:
    """One story: its lead, and every outlet's headline with why it belongs."""
    told = coverage(story, f"{_base(settings)}/story/{story.slug}")
    return _render(settings, "story.html", story=story, lead=told[0], told=told)


def sources_page(settings: Settings, sources: Sequence[SourceHealth]) -> bytes:
    """Every source and how it is doing, failing ones first."""
    return _render(settings, "sources.html", sources=sources)


def sources_opml(settings: Settings, sources: Sequence[SourceHealth]) -> bytes:
    """Every source as OPML, for other readers."""
    listed = [
        OpmlSource(
            title=source.name,
            feed_url=source.feed_url,
            site_url=source.site_url,
            categories=(source.category,) if source.category else (),
        )
        for source in sources
    ]
    return render_opml(f"{settings.server.title}: sources", listed)


def message_page(settings: Settings, title: str, text: str) -> bytes:
    """A page that says one thing, such as that there is nothing here."""
    return _render(settings, "message.html", heading=title, text=text)


def _base(settings: Settings) -> str:
    return settings.server.base_url.rstrip("/")


def _render(settings: Settings, template: str, **values: object) -> bytes:
    outputs = [
        {"name": output.name, "title": output.title or output.name, "formats": FORMATS}
        for output in settings.outputs()
        if output.token is None
    ]
    return (
        _TEMPLATES.get_template(template)
        .render(
            site=settings.server.title,
            base=_base(settings),
            style=STYLE_PATH,
            outputs=outputs,
            **values,
        )
        .encode()
    )
