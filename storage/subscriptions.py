"""Subscriptions at hubs: what we asked for, what was confirmed, and what is to be asked next."""

from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, delete, or_, select, update

from storage.database import Database
from storage.tables.push import Subscription as SubscriptionRow
from storage.tables.push import deliveries, subscriptions
from storage.tables.rows import new_row
from storage.tables.source import sources
from storage.upsert import insert
from storage.values.push import NewSubscription, Subscription

_NAMES = tuple(field.name for field in fields(Subscription))
_COLUMNS = tuple(subscriptions.c[name] for name in _NAMES)
_ASKING = ("state", "asked_at", "lease_until", "next_attempt_at", "failures", "last_error")
_LONGEST_WAIT = timedelta(days=31)
"""What is due later was planned by a clock that was wrong."""
_live = and_(sources.c.enabled, sources.c.removed_at.is_(None))
_unanswered = or_(
    subscriptions.c.verified_at.is_(None), subscriptions.c.verified_at < subscriptions.c.asked_at
)


def add_subscription(db: Database, new: NewSubscription, now: datetime) -> None:
    """Remember a hub to ask, at once, in place of another that the source had."""
    row = new_row(SubscriptionRow, **asdict(new), created_at=now, next_attempt_at=now)
    with db.write() as connection:
        statement = insert(connection, subscriptions).values(row)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["source_id"],
                set_={name: statement.excluded[name] for name in row if name != "source_id"},
            )
        )


def remove_subscription(db: Database, source_id: int) -> None:
    """Forget a source's hub, and what it sent that is not read yet."""
    of_source = select(subscriptions.c.id).where(subscriptions.c.source_id == source_id)
    with db.write() as connection:
        # Held first, so that nothing is delivered to it meanwhile.
        held = connection.execute(of_source.with_for_update()).scalars().all()
        connection.execute(delete(deliveries).where(deliveries.c.subscription_id.in_(held)))
        connection.execute(delete(subscriptions).where(subscriptions.c.id.in_(held)))


def subscription_of(db: Database, source_id: int) -> Subscription | None:
    """What a source's hub was asked for, if it has one."""
    return _one(db, select(*_COLUMNS).where(subscriptions.c.source_id == source_id))


def subscription_by_token(db: Database, token: str) -> Subscription | None:
    """Whose callback ``token`` is; None where its source is not to be read (any more)."""
    return _one(db, select(*_COLUMNS).join(sources).where(subscriptions.c.token == token, _live))


def claim_subscriptions(
    db: Database, now: datetime, lease_until: datetime, limit: int
) -> tuple[Subscription, ...]:
    """Take up to ``limit`` subscriptions that something is to be done about."""
    due = (
        select(subscriptions.c.id)
        .join(sources)
        .where(
            or_(
                subscriptions.c.next_attempt_at <= now,
                subscriptions.c.next_attempt_at > now + _LONGEST_WAIT,
            ),
            _live,
        )
        .order_by(subscriptions.c.next_attempt_at, subscriptions.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True, of=subscriptions)
        .cte("due")  # not a plain subquery: see claim_new
    )
    with db.write() as connection:
        rows = connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id.in_(select(due.c.id)))
            .values(next_attempt_at=lease_until)
            .returning(*_COLUMNS)
        ).all()
    return tuple(sorted(map(_value, rows), key=lambda found: found.id))


def save_step(db: Database, subscription: Subscription) -> bool:
    """Write what is to be done about a claimed subscription; whether it is still the same one.

    It is not where the source has named another hub since.
    """
    values = {name: getattr(subscription, name) for name in _ASKING}
    with db.write() as connection:
        written = connection.execute(
            update(subscriptions)
            .where(
                subscriptions.c.id == subscription.id, subscriptions.c.token == subscription.token
            )
            .values(values)
        )
    return bool(written.rowcount)


def save_answer(db: Database, subscription: Subscription, asked_at: datetime | None) -> None:
    """Write what came of asking at ``asked_at``, unless the hub has verified or denied it since."""
    values = {name: getattr(subscription, name) for name in _ASKING}
    with db.write() as connection:
        connection.execute(
            update(subscriptions)
            .where(
                subscriptions.c.id == subscription.id,
                subscriptions.c.token == subscription.token,
                subscriptions.c.asked_at == asked_at,
                _unanswered,
                subscriptions.c.state != "denied",
            )
            .values(values)
        )


def save_word(db: Database, subscription: Subscription) -> None:
    """Write what a hub said by itself: that it verified our wish, or denies it."""
    names = (*_ASKING, "verified_at")
    with db.write() as connection:
        connection.execute(
            update(subscriptions)
            .where(
                subscriptions.c.id == subscription.id, subscriptions.c.token == subscription.token
            )
            .values({name: getattr(subscription, name) for name in names})
        )


def note_missed(db: Database, subscription_id: int, now: datetime) -> None:
    """A poll found what no delivery had brought."""
    with db.write() as connection:
        connection.execute(
            update(subscriptions).where(subscriptions.c.id == subscription_id).values(missed_at=now)
        )


def move_callbacks(db: Database, base: str, now: datetime) -> int:
    """Ask anew wherever hubs were given another public address than ``base``; how many."""
    with db.write() as connection:
        moved = connection.execute(
            update(subscriptions)
            .where(subscriptions.c.callback_base != base)
            .values(callback_base=base, asked_at=None, next_attempt_at=now)
        )
    return moved.rowcount


def all_subscriptions(db: Database) -> tuple[tuple[str, Subscription], ...]:
    """Every subscription of a source that is read, with the source's name, in its order."""
    with db.read() as connection:
        rows = connection.execute(
            select(sources.c.name, *_COLUMNS)
            .join(sources)
            .where(_live)
            .order_by(sources.c.name, subscriptions.c.id)
        ).all()
    return tuple((row.name, _value(row)) for row in rows)


def _one(db: Database, statement: Select[Any]) -> Subscription | None:
    with db.read() as connection:
        row = connection.execute(statement).one_or_none()
    return _value(row) if row else None


def _value(row: Row[Any]) -> Subscription:
    return Subscription(**{name: getattr(row, name) for name in _NAMES})
