"""The pages people look at, as HTML. Pure: the same views give the same bytes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from aggregator.config.settings import Settings
from aggregator.web import display
from aggregator.web.front import Asked, FrontView, feeds_for
from aggregator.web.links import Links
from aggregator.web.plots import DayPlot, day_plot, sparkline
from aggregator.web.story_shown import story_shown
from feeds.model import OpmlSource
from feeds.writing.write_opml import render_opml
from storage.days import DayCount
from storage.fetches import FetchOutcomeRow
from storage.health import SourceArticle, SourceFigures, Standing
from storage.story_details import NO_DETAILS, StoryDetails
from storage.values.publish import StoryView
from storage.values.source import SourceHealth

_STATIC = files("aggregator.web").joinpath("static")
STYLE = _STATIC.joinpath("newsfold.css").read_bytes()
STYLE_PATH = f"/static/newsfold.{hashlib.sha256(STYLE).hexdigest()[:12]}.css"
ICON = _STATIC.joinpath("newsfold.svg").read_bytes()
ICON_PATH = f"/static/newsfold.{hashlib.sha256(ICON).hexdigest()[:12]}.svg"
SOURCES_SIZE = 50
"""Sources on one page."""
PLOTTED = 30
"""Days on the sources page's plot."""


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("aggregator.web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "ago": display.ago,
        "briefly": display.briefly,
        "clip": display.clip,
        "duration": display.duration,
        "language_tag": display.language_tag,
        "rate": display.rate,
        "share": display.share,
        "sparkline": sparkline,
        "tame": display.tame,
        "when": display.when,
    }
    return environment


_TEMPLATES = _environment()
_NOTHING = Asked()


def front_page(settings: Settings, view: FrontView, links: Links | None = None) -> bytes:
    """Stories, as ``view`` says which and in what order."""
    links = links or links_of(settings)
    return _render(
        settings,
        "front.html",
        links,
        asked=view.asked,
        view=view,
        link=partial(view.asked.address, links),
        sources=len(settings.source),
    )


def story_page(
    settings: Settings,
    story: StoryView,
    details: StoryDetails = NO_DETAILS,
    links: Links | None = None,
) -> bytes:
    """One story: its lead, every outlet's headline with why it belongs, and what nearly did."""
    shown = story_shown(story, details, full=settings.server.read_token is not None)
    return _render(settings, "story.html", links, shown=shown, story=story, lead=story.lead)


@dataclass(frozen=True, slots=True)
class SourcesView:
    """A page of the sources, ``page`` of ``pages``, and how all of them are doing."""

    sources: Sequence[SourceFigures]
    standing: Standing
    days: Sequence[DayCount]
    page: int = 1
    problems: Mapping[str, str] = field(default_factory=dict)
    """What an operator must see to, by what it is about."""

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.standing.all // SOURCES_SIZE))


def sources_page(
    settings: Settings, view: SourcesView, now: datetime, links: Links | None = None
) -> bytes:
    """Every source and how it is doing at ``now``, failing ones first."""
    plot = _plot(view.days, now.date()) if view.days else None
    read_at = None if links and links.static else now  # a file is looked at later
    return _render(settings, "sources.html", links, view=view, now=read_at, plot=plot)


def _plot(days: Sequence[DayCount], today: date) -> DayPlot:
    counts: Mapping[str, Mapping[date, int]] = {
        "articles": {day.day: day.articles for day in days},
        "stories": {day.day: day.stories for day in days},
        "copies": {day.day: day.copies for day in days},
    }
    return day_plot(counts, today, PLOTTED)


def first_plotted(now: datetime) -> date:
    """The first day of the sources page's plot."""
    return now.date() - timedelta(days=PLOTTED - 1)


def source_page(
    settings: Settings,
    source: SourceFigures,
    fetches: Sequence[FetchOutcomeRow],
    articles: Sequence[SourceArticle],
    *,
    now: datetime,
    links: Links | None = None,
) -> bytes:
    """One source: its figures, its last polls and its latest articles."""
    return _render(
        settings,
        "source.html",
        links,
        source=source,
        fetches=fetches,
        articles=articles,
        now=now,
    )


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


def api_page(settings: Settings, api: Mapping[str, Any], links: Links) -> bytes:
    """What the API answers, as its OpenAPI document ``api`` says."""
    return _render(settings, "api.html", links, api=api)


def message_page(settings: Settings, title: str, text: str, links: Links | None = None) -> bytes:
    """A page that says one thing, such as that there is nothing here."""
    return _render(settings, "message.html", links, heading=title, text=text)


def links_of(settings: Settings, token: str = "") -> Links:
    """The addresses of this site, for a reader who came with ``token`` in the address."""
    return Links(settings.server.base_url.rstrip("/"), token)


def _render(
    settings: Settings,
    template: str,
    links: Links | None,
    asked: Asked = _NOTHING,
    **values: object,
) -> bytes:
    links = links or links_of(settings)
    return (
        _TEMPLATES.get_template(template)
        .render(
            site=settings.server.title,
            url=links,
            asked=asked,
            style=STYLE_PATH,
            icon=ICON_PATH,
            outputs=feeds_for(asked, settings.outputs()),
            **values,
        )
        .encode()
    )
