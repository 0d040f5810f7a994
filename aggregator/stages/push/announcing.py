"""The announce stage: tells our hubs which documents of ours have changed.

rendered -> the ETag moved -> remember what each hub is to be told, and when -> claim -> POST

Outputs with a token are nobody's business, hubs' neither. What a hub does changes nothing about
what is published.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from aggregator.config.output_settings import OutputSettings
from aggregator.config.settings import Settings
from aggregator.stages.publish.outputs import FORMATS
from aggregator.stages.publish.publisher import Publisher
from aggregator.stages.push.subscription_rules import refusal, told_to_wait
from aggregator.stages.tools import Tools
from feeds.model import FetchOutcome, FetchRequest
from feeds.websub import publish_form
from feeds.writing.http_cache import IDENTITY
from storage.pings import all_pings, claim_pings, finish_ping, want_pings
from storage.values.push import Ping

LEASE = timedelta(minutes=15)
MAX_ANSWER = 64 * 1024
SLOTS = 4
SETTLES = timedelta(seconds=10)
"""How long a change waits for others that come with it: folding goes in bursts."""
GAP = timedelta(minutes=1)
"""Between two words to one hub about one document; doubled with each failure in a row."""
MOST_GAP = timedelta(hours=6)
MOST_FAILURES = 12
"""After which a hub, some two days later, is told no more until the document changes again."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_MOST_DOUBLINGS = 10
_log = structlog.get_logger()


class Announcer:
    """Tells hubs. Failures are logged, kept with the ping, and tried again for a while."""

    def __init__(self, tools: Tools, publisher: Publisher) -> None:
        self._tools = tools
        self._publisher = publisher
        self._noted: Mapping[str, str] | None = None

    async def note(self) -> None:
        """Remember which documents have changed since hubs were told. Cheap where none has."""
        settings = self._tools.settings
        etags = public_etags(settings, self._publisher)
        if etags == self._noted:
            return
        known = await self._tools.ledger.read(all_pings)
        wanted, unwanted = announcements(
            known, etags, settings.server.public_hubs, self._tools.clock()
        )
        if wanted or unwanted:
            await self._tools.ledger.write(want_pings, wanted, unwanted)
        self._noted = etags

    async def claim(self, limit: int) -> Sequence[Ping]:
        """Take what hubs are to be told now."""
        now = self._tools.clock()
        return await self._tools.ledger.write(claim_pings, now, now + LEASE, limit)

    async def tell(self, ping: Ping) -> None:
        """Tell a hub of one document."""
        request = FetchRequest(
            ping.hub,
            timeout=self._tools.settings.fetch.timeout.total_seconds(),
            max_bytes=MAX_ANSWER,
            form=publish_form(ping.url),
        )
        outcome = await self._tools.fetch_in_turn(request)
        told = after_telling(ping, outcome, self._tools.clock())
        await self._tools.ledger.write(finish_ping, told)
        self._tools.tally.metrics.announced(told=not told.failures)
        if told.failures:
            _log.warning(
                "told hub",
                outcome="given up" if told.next_attempt_at == NEVER else "failed",
                hub=told.hub,
                url=told.url,
                failures=told.failures,
                error=told.last_error,
            )
        else:
            _log.info("told hub", outcome="told", hub=told.hub, url=told.url)


def document_url(settings: Settings, name: str, form: str) -> str:
    """The public address of an output's document: what hubs know it by."""
    return f"{settings.server.base_url.rstrip('/')}/{name}.{form}"


def hubs_of(settings: Settings, output: OutputSettings) -> tuple[str, ...]:
    """The hubs that an output names: none where a token is needed to read it."""
    return () if output.token else settings.server.public_hubs


def public_etags(settings: Settings, publisher: Publisher) -> dict[str, str]:
    """The entity tag of every document that hubs are told of, by its address."""
    return {
        document_url(settings, output.name, form): document.codings[IDENTITY][1]
        for output in settings.outputs()
        if hubs_of(settings, output)
        for form in FORMATS
        if (document := publisher.document(output.name, form))
    }


def announcements(
    known: Collection[Ping], etags: Mapping[str, str], hubs: Sequence[str], now: datetime
) -> tuple[list[Ping], list[tuple[str, str]]]:
    """What hubs are to be told that they are not yet, and what they are to be told no more."""
    before = {(ping.hub, ping.url): ping for ping in known}
    wanted = []
    for hub in hubs:
        for url, etag in etags.items():
            ping = before.pop((hub, url), None) or Ping(hub, url, "", now)
            if ping.wanted != etag:
                wanted.append(replace(ping, wanted=etag, next_attempt_at=_due_at(ping, now)))
    return wanted, list(before)


def _due_at(ping: Ping, now: datetime) -> datetime:
    soon = now + SETTLES
    is_pending = bool(ping.wanted) and ping.wanted != ping.told and ping.next_attempt_at > now
    if is_pending and ping.next_attempt_at != NEVER:
        return ping.next_attempt_at  # what changes all the time is told all the same
    if ping.last_attempt_at is None:
        return soon
    pause = gap(ping.failures)
    return max(soon, min(ping.last_attempt_at, now) + pause)  # a clock may have been set back


def gap(failures: int) -> timedelta:
    """The least time between two words to one hub about one document."""
    return min(GAP * (1 << min(failures, _MOST_DOUBLINGS)), MOST_GAP)


def after_telling(ping: Ping, outcome: FetchOutcome, now: datetime) -> Ping:
    """The ping once the hub has answered, or not."""
    error = refusal(outcome)
    if error is None:
        return replace(
            ping,
            told=ping.wanted,
            failures=0,
            last_error=None,
            last_attempt_at=now,
            last_told_at=now,
            next_attempt_at=now + GAP,
        )
    failures = ping.failures + 1
    wait = max(gap(failures), timedelta(seconds=told_to_wait(outcome, now)))
    return replace(
        ping,
        failures=failures,
        last_error=error,
        last_attempt_at=now,
        next_attempt_at=NEVER if failures >= MOST_FAILURES else now + wait,
    )
