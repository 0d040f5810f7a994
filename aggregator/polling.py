"""The poll stage: claim what is due, ask politely, parse in a child, decide, write once.

    claim -> fetch -> 304 or the same bytes: unchanged
                   -> 200: parse (child) -> what is new, what changed
                   -> anything else: failed
          -> when next (schedule) -> one transaction
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from aggregator.children import ChildFailure
from aggregator.schedule import Limits, PollResult, Schedule, plan
from aggregator.tools import Tools
from feeds.freshness import fresh_for, retry_after
from feeds.model import (
    FeedEntry,
    FetchFailure,
    FetchOutcome,
    FetchRequest,
    NotAFeed,
    ParsedFeed,
    Response,
    Validators,
)
from feeds.parse import parse_feed
from storage.polling import commit_poll, known_hashes
from storage.sources import claim_due
from storage.values import EntryWrite, FeedFacts, PollCommit, SourceState

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
LEASE = timedelta(minutes=5)
"""How long a claimed source is somebody's: longer than any fetch and parse may take."""

_log = structlog.get_logger()
