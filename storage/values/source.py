"""A source as it was configured, as a poll needs it, as people look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feeds.model import Validators


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """A source as the operator configured it. ``url`` identifies it."""

    url: str
    name: str
    publisher: str
    category: str | None = None
    language: str | None = None
    priority: int = 0
    full_text: str = "auto"
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a new configuration changed: addresses of sources."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as a poll needs it. ``schedule`` is the scheduler's own, opaque here."""

    id: int
    url: str
    feed_url: str
    name: str
    publisher: str
    category: str | None
    language: str | None
    priority: int
    full_text: str
    validators: Validators | None
    body_hash: str | None
    schedule: Mapping[str, Any]
    failures: int
    claimed_until: datetime
    claim: int = 0
    last_entry_at: datetime | None = None
    trouble: str | None = None
    """The incident it has not recovered from: ``failing``, ``silent`` or ``gone``."""


@dataclass(frozen=True, slots=True)
class OverdueSource:
    """A source whose time has passed. ``interval`` is its rhythm in seconds, None without one."""

    id: int
    next_poll_at: datetime
    interval: float | None


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """A source as an operator looks at it."""

    id: int
    url: str
    feed_url: str
    name: str
    category: str | None
    enabled: bool
    gone: bool
    failures: int
    next_poll_at: datetime
    last_poll_at: datetime | None
    last_success_at: datetime | None
    last_entry_at: datetime | None
    last_error: str | None
    site_url: str | None
    trouble: str | None = None
    """The incident it has not recovered from: ``failing``, ``silent`` or ``gone``."""
