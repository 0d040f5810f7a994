"""Subscribing: what is found at an address becomes a source of the config file, or is shown."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from aggregator.config.editing import add_sources, own_sources, remove_source
from aggregator.config.secrets import without_password
from aggregator.config.settings import Settings
from aggregator.config.source_settings import SourceSettings
from aggregator.errors import ApplicationError
from aggregator.operating.looks import advice, headline, report
from aggregator.operating.probing import Found, Look, addresses, open_prober, trouble
from aggregator.stages.poll.asking import Asking
from feeds.urls import address_key

_LONGEST_NAME = 200


async def find_feeds(settings: Settings, address: str, say: Callable[[str], None]) -> Found:
    """The feeds at ``address``, which are said; there is at least one.

    Raises:
        ApplicationError: there is none, and why.
    """
    async with open_prober(settings) as prober:
        found = await prober.find(address)
    if not found.feeds:
        raise ApplicationError(f"no feed was found at {trouble(found.first)}")
    if found.first.feed is None:
        where = "has, though it does not say so," if found.guessed else "offers"
        say(f"{found.first.url} is a page that {where}:")
    for number, look in enumerate(found.feeds, 1):
        called, facts = headline(look)
        say(f"  {number}  {called}\n     {facts}")
    return found


def subscribe(
    config: Path,
    settings: Settings,
    look: Look,
    values: Mapping[str, str | None],
    environment: Mapping[str, str],
) -> str:
    """List a feed in the config file; what it is called.

    Raises:
        ApplicationError: it is listed already, or the file cannot be changed.
    """
    key = address_key(look.address)
    for known in settings.source:
        if address_key(known.url) == key:
            raise ApplicationError(f"it is listed already: {known.label}, {known.url}")
    title = look.feed.title[:_LONGEST_NAME] if look.feed else ""
    row = {"url": look.address, "name": title} | {k: v for k, v in values.items() if v}
    chosen = {key: text for key, text in row.items() if text}
    try:
        source = SourceSettings.model_validate(chosen)
    except ValidationError as error:
        raise ApplicationError(first_mistake(error)) from error
    add_sources(config, [chosen], environment)
    return source.label


def first_mistake(error: ValidationError) -> str:
    """What is wrong with a source, in a line."""
    detail = error.errors()[0]
    message = detail["msg"].removeprefix("Value error, ")
    return without_password(f"{'.'.join(map(str, detail['loc']))}: {message}")


def unsubscribe(
    config: Path, settings: Settings, wanted: str, environment: Mapping[str, str]
) -> str:
    """Take the source of this address or name out of the config file; what it was called.

    Raises:
        ApplicationError: there is no such source, or several, or it is in an included list.
    """
    named = [one for one in settings.source if wanted in {one.url, one.label}]
    if not named:
        key = address_key(wanted)
        named = [one for one in settings.source if address_key(one.url) == key]
    if not named:
        raise ApplicationError(f"there is no source {wanted!r}; see: newsfold sources list")
    if len(named) > 1:
        urls = ", ".join(one.url for one in named)
        raise ApplicationError(f"{len(named)} sources are called {wanted!r}; say which: {urls}")
    (source,) = named
    own = [row.get("url") for row in own_sources(config)]
    if source.url not in own:
        raise ApplicationError(
            f"{source.label} is in a list that {config} includes; take it out there"
        )
    remove_source(config, own.index(source.url), environment)
    return source.label


async def look_at(
    settings: Settings, address: str
) -> tuple[Sequence[tuple[str, str]], Sequence[str], bool]:
    """What is at an address, in rows; what to do about it; whether it is a feed.

    Raises:
        ApplicationError: it is no address.
    """
    known = address in {source.url for source in settings.source}
    async with open_prober(settings) as prober:
        look = await prober.first_of((address,) if known else addresses(address))
        pages = [entry.url for entry in look.feed.entries if entry.url] if look.feed else []
        refusal = await prober.page_refusal(look, pages[0]) if pages else None
    limits = Asking(settings).politeness(look.url)
    said = list(advice(look, refusal))
    if look.feed is None and not known and "://" not in address:
        said.append(f"no source is called {address!r} either; see: newsfold sources list")
    return list(report(look, limits, refusal)), said, look.feed is not None
