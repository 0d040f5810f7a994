"""``newsfold sources import`` and ``export``: lists of other readers in, and OPML out.

What is imported is not fetched: whether it really is a feed shows when it is polled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from aggregator.config.editing import add_sources
from aggregator.config.settings import Settings
from aggregator.config.source_settings import SourceSettings
from aggregator.errors import ApplicationError
from aggregator.operating.adding import first_mistake
from aggregator.operating.opening import open_to_look
from feeds.http.guard import Guard
from feeds.http.target import TargetError, target_of
from feeds.model import OpmlSource
from feeds.parsing.read_opml import BadRow, ListedFeed, SubscriptionList, read_subscriptions
from feeds.urls import address_key
from feeds.writing.write_opml import render_opml
from storage.sources import source_health

_LONGEST_CATEGORY = 100


@dataclass(frozen=True, slots=True)
class Import:
    """What a list brings: ``rows`` for the config file, what is ``known``, and what is ``bad``.

    ``known`` is in the configuration already, or stands in the list a second time.
    """

    rows: list[dict[str, str]] = field(default_factory=list)
    known: list[BadRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read_list(body: bytes, settings: Settings) -> Import:
    """What ``body``, a list of another reader, would add to a configuration."""
    return plan_import(read_subscriptions(body), settings)


def plan_import(found: SubscriptionList, settings: Settings) -> Import:
    """Which of a list's feeds are new, and which cannot be read. Pure.

    The same feed is recognised with another scheme, ``www.`` or a slash.
    """
    listed = {address_key(source.url): source for source in settings.source}
    guard = Guard(settings.fetch.allow_networks)
    plan = Import(known=list(found.again), bad=list(found.bad))
    for feed in found.feeds:
        if there := listed.get(address_key(feed.url)):
            plan.known.append(BadRow(feed.line, f"listed already: {there.label}, {there.url}"))
        elif problem := _problem(feed, guard):
            plan.bad.append(BadRow(feed.line, problem))
        else:
            plan.rows.append(_row(feed))
    plan.known.sort(key=lambda row: row.line)
    plan.bad.sort(key=lambda row: row.line)
    return plan


def _problem(feed: ListedFeed, guard: Guard) -> str | None:
    """Why the feed cannot be a source; the guard judges addresses, names when they are fetched."""
    try:
        SourceSettings.model_validate(_row(feed))
        target_of(feed.url, guard)
    except ValidationError as error:
        return first_mistake(error)
    except TargetError as error:
        return f"{error}: {feed.url}"
    return None


def _row(feed: ListedFeed) -> dict[str, str]:
    category = (feed.category or "")[:_LONGEST_CATEGORY].strip()
    row = {"url": feed.url, "name": feed.title, "category": category}
    return {key: text for key, text in row.items() if text}


def take_up(config: Path, plan: Import, environment: Mapping[str, str]) -> None:
    """Write what is new into the config file.

    Raises:
        ApplicationError: it cannot be changed; it is as it was.
    """
    if plan.rows:
        add_sources(config, plan.rows, environment)


def export_opml(settings: Settings) -> str:
    """The configured sources as OPML, their categories as folders.

    Their sites are named where the database, if there is one, has learnt them.
    """
    sites = _sites(settings)
    listed = [
        OpmlSource(
            title=source.label,
            feed_url=source.url,
            site_url=sites.get(source.url),
            categories=(source.category,) if source.category else (),
            language=source.language,
        )
        for source in settings.source
    ]
    return render_opml(f"{settings.server.title}: sources", listed).decode()


def _sites(settings: Settings) -> dict[str, str]:
    try:
        with open_to_look(settings) as database:
            return {one.url: one.site_url for one in source_health(database) if one.site_url}
    except ApplicationError:  # none yet, or away: an export needs none
        return {}
