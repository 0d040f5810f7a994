"""``newsfold rules test``: what the rules would do to what is stored, or to a feed.

Rules hold for what arrives; what is stored was judged by the rules of its time.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aggregator.clock import utc_now
from aggregator.config.settings import Settings
from aggregator.config.source_settings import SourceSettings
from aggregator.errors import ApplicationError
from aggregator.operating.opening import open_to_look
from aggregator.operating.probing import Look, addresses, open_prober, trouble
from aggregator.stages.poll.entry_rules import EntryRules, Verdict
from feeds.model import Response
from storage.entries import ShownEntry, latest_entries


@dataclass(frozen=True, slots=True)
class Tried:
    """An entry, its bare title, and what the rules make of it."""

    shown: ShownEntry
    title: str
    verdict: Verdict

    @property
    def is_touched(self) -> bool:
        """Whether the rules do anything with it."""
        return bool(self.verdict.by or self.verdict.slow or self.title != self.shown.entry.title)


def try_rules(settings: Settings, entries: Sequence[ShownEntry]) -> list[Tried]:
    """What the rules make of entries. Pure."""
    rules = EntryRules(settings)
    tried = []
    for shown in entries:
        entry = rules.with_title(shown.source_url, shown.entry)
        tried.append(Tried(shown, entry.title, rules.judge(shown.source_url, entry)))
    return tried


def stored(settings: Settings, last: int) -> tuple[ShownEntry, ...]:
    """The entries that came last.

    Raises:
        ApplicationError: there is no database yet, or it is no good.
    """
    with open_to_look(settings) as database:
        return latest_entries(database, last)


def of_feed(settings: Settings, place: str, source: str | None) -> tuple[ShownEntry, ...]:
    """The entries of a feed: an address, the name of a source, or a file.

    ``source`` says whose feed it is to be taken for, where that is not plain.

    Raises:
        ApplicationError: it is no feed, or there is no such source.
    """
    wanted = _source(settings, source or place)
    if source and wanted is None:
        raise ApplicationError(f"there is no source {source!r}; see: newsfold sources list")
    look = asyncio.run(_look(settings, place, wanted))
    if look.feed is None:
        if "://" in place or wanted:
            raise ApplicationError(trouble(look))
        raise ApplicationError(f"{trouble(look)}; no source and no file is called {place!r} either")
    url, name = (wanted.url, wanted.label) if wanted else (look.url, "")
    return tuple(ShownEntry(url, name, entry) for entry in look.feed.entries)


def _source(settings: Settings, wanted: str) -> SourceSettings | None:
    return next((one for one in settings.source if wanted in {one.url, one.label}), None)


async def _look(settings: Settings, place: str, wanted: SourceSettings | None) -> Look:
    file = Path(place)
    async with open_prober(settings) as prober:
        if await asyncio.to_thread(file.is_file):
            body = await asyncio.to_thread(_read, file, settings.fetch.max_bytes)
            url = wanted.url if wanted else "https://example.invalid/"
            return await prober.read(url, utc_now(), Response(url, 200, {}, body))
        urls = (wanted.url,) if wanted and place in {wanted.url, wanted.label} else addresses(place)
        return await prober.first_of(urls)


def _read(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise ApplicationError(f"cannot read {file}: {error.strerror}") from error


def as_json(settings: Settings, tried: Sequence[Tried]) -> dict[str, Any]:
    """What the rules do, for programs: every entry that they touch, and counts."""
    names = EntryRules(settings).names()
    counts = Counter(number for one in tried for number in one.verdict.by)
    return {
        "entries": len(tried),
        "dropped": sum(one.verdict.dropped for one in tried),
        "rules": [
            {"rule": name, "entries": counts[number]} for number, name in enumerate(names, 1)
        ],
        "touched": [
            {
                "source": one.shown.source_name,
                "source_url": one.shown.source_url,
                "url": one.shown.entry.url,
                "title": one.shown.entry.title,
                "rules": [names[number - 1] for number in one.verdict.by],
                "effects": list(_effects(one, names)),
            }
            for one in tried
            if one.is_touched
        ],
    }


# --- in words -----------------------------------------------------------------------------------


def rows(settings: Settings, tried: Sequence[Tried]) -> Iterator[tuple[str, ...]]:
    """The entries that rules touch: what happens, by which rules, of which source, its title."""
    names = EntryRules(settings).names()
    for one in tried:
        if one.is_touched:
            by = ", ".join(names[number - 1] for number in one.verdict.by)
            yield "; ".join(_effects(one, names)), by, one.shown.source_name, one.shown.entry.title


def _effects(one: Tried, names: Sequence[str]) -> Iterator[str]:
    verdict, ruling = one.verdict, one.verdict.ruling
    if verdict.dropped:
        yield "drop"
        return
    facts = {
        "category": ruling.category,
        "language": verdict.language,
        "publisher": ruling.publisher,
        "title": one.title if one.title != one.shown.entry.title else None,
    }
    yield from (f"{key} = {value}" for key, value in facts.items() if value)
    if ruling.never_fold:
        yield "never folded"
    if verdict.by and not any(facts.values()) and not ruling.never_fold:
        yield "keep"
    yield from (f"{names[number - 1]} takes too long" for number in verdict.slow)


def summary(settings: Settings, tried: Sequence[Tried]) -> Iterator[str]:
    """How many each rule had a part in, and how many are dropped in all."""
    counts = Counter(number for one in tried for number in one.verdict.by)
    dropped = sum(one.verdict.dropped for one in tried)
    yield f"{len(tried)} entries, {dropped} of them dropped"
    names = EntryRules(settings).names()
    if not names:
        yield "  there is no [[rule]] in the configuration"
    for number, name in enumerate(names, 1):
        yield f"  {name}: {counts[number] or 'none'}"
