"""The poll stage: claim what is due, ask politely, parse in a child, decide, write once.

claim -> wait one's turn -> fetch -> 304, or the same bytes as before: unchanged
-> 200: parse in a child -> what is new, what changed -> the operator's rules
-> anything else: failed
-> when next (schedule.py) -> one transaction
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import structlog

from aggregator.stages.poll import incidents
from aggregator.stages.poll.asking import Asking
from aggregator.stages.poll.entry_rules import EntryRules, ruled
from aggregator.stages.poll.findings import Finding, is_to_be_read, read, unknown, unread
from aggregator.stages.poll.schedule import (
    Health,
    Plan,
    Politeness,
    Poll,
    next_poll,
    put_right,
    spread,
)
from aggregator.stages.tools import Tools
from feeds.model import FailureKind, FetchFailure, FetchOutcome, ParsedFeed, Response, Validators
from feeds.parsing.identity import ambiguous_guids
from feeds.parsing.parse import parse_feed
from storage.columns import storable_key
from storage.dropped import dropped_among
from storage.polling import commit_polls, known_entries
from storage.processes import recall_sources
from storage.sources import claim_due, overdue, planned_beyond, postpone, release, set_next_polls
from storage.values.poll import IncidentWrite, KnownEntry, PollCommit
from storage.values.source import SourceState

LEASE = timedelta(minutes=15)
"""How long a claimed source is somebody's: longer than it may wait, be fetched and be parsed."""
REMEMBERED = 2000
"""Entries of a source that are recognised by their bytes, or by a guid with another spelling."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When a source is due that is gone for good: when the operator asks for it."""

_SKEW = timedelta(minutes=15)
_REMEMBERED = tuple(field.name for field in fields(Health))
_MOMENTS = ("last_success", "gone_since", "sample_since", "redirect_since", "unslowed")

_log = structlog.get_logger()

Seen = Callable[[int, Finding], Awaitable[float]]
"""Is told what a poll of a source found; gives how many times longer its next may wait."""


class Poller:
    """Polls sources. One source's trouble, whatever it is, ends as that source's error."""

    def __init__(self, tools: Tools, seen: Seen | None = None) -> None:
        self._tools = tools
        self._asking = Asking(tools.settings)
        self._rules = EntryRules(tools.settings)
        self._seen = seen
        self._latest = tools.clock()

    async def claim(self, limit: int) -> Sequence[SourceState]:
        """Take sources that are due now."""
        return await self.claim_due_by(self._tools.clock(), limit)

    async def claim_due_by(self, moment: datetime, limit: int) -> Sequence[SourceState]:
        """Take sources that were due by ``moment``: in one round each is taken once."""
        now = self._tools.clock()
        if now < self._latest - _SKEW:
            await self.put_right()
        self._latest = now
        lease = now + LEASE
        return await self._tools.ledger.write(claim_due, moment, lease, limit, self._tools.name)

    async def release(self, sources: Sequence[SourceState]) -> None:
        """Give back what was claimed and will not be polled now."""
        await self._tools.ledger.write(release, sources, self._tools.clock())

    async def recall(self, held: Sequence[SourceState]) -> None:
        """Give back what was claimed in this process's name besides what it holds."""
        ids = [source.id for source in held]
        await self._tools.ledger.write(recall_sources, self._tools.name, ids, self._tools.clock())

    async def poll(self, source: SourceState) -> None:
        """Poll a claimed source and write what came of it."""
        pause = self._asking.pause(source.url)
        request = self._asking.feed(source.url, source.feed_url, source.validators)
        async with self._tools.pacer.turn(source.feed_url, pause) as held:
            if self._tools.clock() >= source.claimed_until:
                return  # it waited its turn for too long, and is somebody else's by now
            outcome = None if held else await self._tools.fetch(request)
        if outcome is None:
            until = self._tools.clock() + timedelta(seconds=held)
            await self._tools.ledger.write(postpone, source.id, source.claim, until)
            return
        finding = await self.find(source, outcome)
        politeness = self._asking.politeness(source.url)
        if self._seen:
            slowdown = await self._seen(source.id, finding)
            politeness = replace(politeness, slowdown=slowdown)
        commit, plan = decide(
            source,
            outcome,
            finding,
            politeness,
            now=self._tools.clock(),
            rng=self._tools.rng,
        )
        await self._tools.ledger.write_grouped(commit_polls, commit)
        if plan.host_not_before:
            await self._tools.hold(_answered_by(source, outcome), plan.host_not_before)
        self._report(source, commit, plan)

    async def put_right(self) -> int:
        """Plan anew what a clock that was wrong planned far ahead; how many sources.

        Asked at a start, and whenever the clock was set back.
        """
        now = self._tools.clock()
        moved = {}
        for one in await self._tools.ledger.read(planned_beyond, now + _SKEW):
            politeness = self._asking.politeness(one.url)
            at = put_right(one.next_poll_at, one.last_poll_at, now, politeness, self._tools.rng)
            if at != one.next_poll_at:
                moved[one.id] = at
        if moved:
            await self._tools.ledger.write(set_next_polls, moved)
            _log.warning("clock", outcome="set back", sources=len(moved))
        return len(moved)

    async def spread_overdue(self) -> int:
        """Deal sources that are late by more than their interval over a while; how many.

        After a pause of the daemon everything is due at once. Those never polled do not wait.
        """
        now = self._tools.clock()
        late = [
            source
            for source in await self._tools.ledger.read(overdue, now)
            if (now - source.next_poll_at).total_seconds() > (source.interval or 0.0)
        ]
        moments = spread([(s.next_poll_at, s.interval) for s in late], now, self._tools.rng)
        await self._tools.ledger.write(
            set_next_polls, {s.id: at for s, at in zip(late, moments, strict=True)}
        )
        return len(late)

    async def find(self, source: SourceState, outcome: FetchOutcome) -> Finding:
        """What an answer, or a hub's delivery, brings that was not known."""
        if not isinstance(outcome, Response) or not is_to_be_read(outcome, source.body_hash):
            return unread(outcome)
        known = await self._tools.ledger.read(known_entries, source.id, newest=REMEMBERED)
        parsed = await self._tools.children.run(
            parse_feed,
            outcome.body,
            outcome.url,
            content_type=outcome.headers.get("content-type"),
            now=self._tools.clock(),
            known=frozenset(entry.raw_digest for entry in known.values() if entry.raw_digest),
            ambiguous=ambiguous_guids(known),
        )
        if isinstance(parsed, ParsedFeed) and (elder := _elder(parsed, known)):
            known |= await self._tools.ledger.read(known_entries, source.id, elder)
        dropped: frozenset[str] = frozenset()
        if fresh := unknown(parsed, known, source.id):
            dropped = await self._tools.ledger.read(dropped_among, source.id, fresh)
        return await self._ruled(source, read(outcome, parsed, known, source.id, dropped))

    async def _ruled(self, source: SourceState, finding: Finding) -> Finding:
        """What is left of a finding by the operator's rules. They may take a while: not in here."""
        if not (finding.new or finding.changed) or not self._rules.concern(source.url):
            return finding
        new, dropped, slow = await asyncio.to_thread(ruled, self._rules, source.url, finding.new)
        changed, _, slow_too = await asyncio.to_thread(
            ruled, self._rules, source.url, finding.changed, known=True
        )
        for number in sorted(slow | slow_too):
            _log.warning("rule", outcome="too slow", rule=self._rules.names()[number - 1])
        if dropped:
            _log.info("rule", source=source.name, outcome="dropped", entries=len(dropped))
        return replace(
            finding,
            new=new,
            changed=changed,
            dropped=(*finding.dropped, *dropped),
            ruled_out=len(dropped),
        )

    def _report(self, source: SourceState, commit: PollCommit, plan: Plan) -> None:
        self._tools.tally.metrics.polled(commit)
        count = len(commit.new) + len(commit.changed)
        if commit.error is None:
            self._tools.tally.source_polled(source.url, count)
        else:
            self._tools.tally.source_failed(source.url, source.name, commit.error)
        log = _log.info if commit.error is None else _log.warning
        log(
            "polled",
            source=source.name,
            outcome=commit.outcome,
            status=commit.status,
            new=len(commit.new),
            changed=len(commit.changed),
            seconds=round(commit.seconds, 3),
            next=commit.next_poll_at.isoformat(timespec="seconds"),
            why="; ".join(reason for reason in plan.reasons if reason != commit.error),
            error=commit.error,
        )


def _elder(parsed: ParsedFeed, known: Mapping[str, KnownEntry]) -> list[str]:
    """Guids that may be known all the same: of old entries, or stored under another spelling."""
    unseen = [entry.guid for entry in parsed.entries if entry.guid not in known]
    if len(known) < REMEMBERED:
        return [guid for guid in unseen if storable_key(guid) != guid]
    return unseen


def decide(
    source: SourceState,
    outcome: FetchOutcome,
    finding: Finding,
    politeness: Politeness,
    *,
    now: datetime,
    rng: Random,
) -> tuple[PollCommit, Plan]:
    """What to write after a poll, and when to poll next. Pure but for ``rng``."""
    poll = Poll(
        outcome,
        problem=finding.error,
        hints=finding.hints,
        published=finding.published,
        new_entries=len(finding.new),
    )
    plan = next_poll(health_of(source.schedule), poll, now, politeness, rng)
    gone = plan.next_poll_at is None
    happened, trouble = _incidents(source, outcome, finding, plan, now)
    response = outcome if isinstance(outcome, Response) else None
    commit = PollCommit(
        source_id=source.id,
        at=now,
        outcome=_outcome(finding, gone=gone),
        next_poll_at=plan.next_poll_at or NEVER,
        schedule=remembered(plan.health),
        failures=plan.health.failures,
        gone=gone,
        error=finding.error,
        status=response.status if response else None,
        seconds=outcome.seconds,
        wire_bytes=response.wire_bytes if response else 0,
        feed_url=plan.adopt,
        feed=finding.feed,
        validators=_kept(finding, source, outcome),
        drop_validators=source.validators is not None and _was_misunderstood(outcome),
        body_hash=finding.body_hash,
        new=finding.new,
        changed=finding.changed,
        dropped=finding.dropped,
        ruled_out=finding.ruled_out,
        incidents=happened,
        trouble=trouble,
        claim=source.claim,
    )
    return commit, plan


def _incidents(
    source: SourceState, outcome: FetchOutcome, finding: Finding, plan: Plan, now: datetime
) -> tuple[tuple[IncidentWrite, ...], str | None]:
    poll = incidents.Poll(
        at=now,
        outcome=outcome,
        failures=plan.health.failures,
        error=finding.error,
        gone=plan.next_poll_at is None,
        new_entries=len(finding.new),
        moved_to=plan.adopt,
        last_entry_at=source.last_entry_at,
        sample_since=plan.health.sample_since,
        sample_size=plan.health.sample_size,
    )
    return incidents.incidents_of(source.trouble, poll)


def _outcome(finding: Finding, *, gone: bool) -> str:
    if gone:
        return "gone"
    if finding.error is not None:
        return "failed"
    return "new" if finding.new or finding.changed else "unchanged"


def _kept(finding: Finding, source: SourceState, outcome: FetchOutcome) -> Validators | None:
    """The validators to remember from now on; None to keep those that are."""
    before, fresh = source.validators, finding.validators
    if fresh is None or before is None or before.url != fresh.url or _is_200(outcome):
        return fresh
    return Validators(
        fresh.url, fresh.etag or before.etag, fresh.last_modified or before.last_modified
    )


def _was_misunderstood(outcome: FetchOutcome) -> bool:
    """An answer against the protocol: our validators may have provoked it, so ask without."""
    return isinstance(outcome, FetchFailure) and outcome.kind is FailureKind.PROTOCOL


def _answered_by(source: SourceState, outcome: FetchOutcome) -> str:
    """The address that answered, redirects followed: it is its host that wants a pause."""
    return outcome.url if isinstance(outcome, Response) else source.feed_url


def _is_200(outcome: FetchOutcome) -> bool:
    return isinstance(outcome, Response) and outcome.status == 200


def health_of(schedule: Mapping[str, Any]) -> Health:
    """The scheduler's memory of a source, from what storage kept of it."""
    moments = {
        name: datetime.fromisoformat(value)
        for name, value in schedule.items()
        if name in _MOMENTS and value
    }
    return Health(**{**schedule, **moments})


def remembered(health: Health) -> dict[str, Any]:
    """``health`` as JSON keeps it."""
    values = ((name, getattr(health, name)) for name in _REMEMBERED)
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values
    }
