"""The metrics: counted where outcomes are known, read when they are scraped.

Names follow https://prometheus.io/docs/practices/naming/. docs/operating.md lists them all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from aggregator.metrics.subscribers import Subscribers
from aggregator.version import VERSION
from storage.health import Standing
from storage.queues import Queue
from storage.values.fold import FoldCommit
from storage.values.poll import PollCommit
from storage.values.push import PushCommit

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
_SCORES = tuple(step / 10 for step in range(1, 11))


@dataclass(frozen=True, slots=True)
class Observed:
    """What is not counted but looked at when somebody asks: queues, sources, problems."""

    now: datetime
    queues: Mapping[str, Queue]
    standing: Standing
    notices: Mapping[str, str]


class Metrics:
    """Every metric, in a registry of their own. One for the life of a process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.subscribers = Subscribers()
        counter, gauge = self._counter, self._gauge
        self._polls = counter("polls", "Polls of sources.", "outcome")
        self._poll_seconds = self._histogram(
            "poll_duration_seconds", "From asking for a feed to having its answer.", _SECONDS
        )
        self._fetched = counter("fetched_bytes", "Bytes received, as they came over the wire.")
        self._entries = counter("entries", "Entries of feeds that were new or changed.", "change")
        self._read = counter("articles_read", "Articles whose text was settled.", "text_source")
        self._folded = counter("articles_folded", "Articles put into a story.", "kind")
        self._scores = self._histogram(
            "match_score", "Score with which an article joined a story, 0 to 1.", _SCORES, "kind"
        )
        self._founded = counter("stories_founded", "Stories begun.")
        self._retired = counter("stories_retired", "Stories that became part of another.")
        self._kills = counter("child_kills", "Child processes that were killed or died.", "reason")
        self._deliveries = counter("websub_deliveries", "What hubs sent.", "outcome")
        self._announced = counter("websub_announcements", "Words to our own hubs.", "outcome")
        self._requests = counter(
            "feed_requests", "Requests for merged feeds.", "output", "format", "status"
        )
        self._refused = counter(
            "refused_requests", "Requests turned away, whatever they asked for.", "status"
        )
        self._queue_length = gauge("queue_length", "Pieces of work that wait.", "stage")
        self._queue_age = gauge(
            "queue_oldest_seconds", "How long the oldest of them has waited.", "stage"
        )
        self._sources = gauge("sources", "Configured sources.", "state")
        self._notices = gauge("notices", "Standing problems that need somebody.", "about")
        self._subscribers = gauge(
            "subscribers", "As feed readers report them.", "output", "format", "client"
        )
        self.open_connections = gauge("open_connections", "Connections of clients.")
        gauge("build_info", "The version that runs; always 1.", "version").labels(VERSION).set(1)
        ProcessCollector(registry=self.registry)

    def polled(self, commit: PollCommit) -> None:
        """A source was polled."""
        self._polls.labels(commit.outcome).inc()
        self._poll_seconds.observe(commit.seconds)
        self._entered(commit)

    def fetched(self, wire_bytes: int) -> None:
        """So many bytes came, whatever they were."""
        self._fetched.inc(wire_bytes)

    def article_read(self, text_source: str) -> None:
        """An article's text is settled: of its ``page``, or of its ``feed``."""
        self._read.labels(text_source).inc()

    def folded(self, commit: FoldCommit) -> None:
        """Articles were put into stories."""
        for decision in commit.decisions:
            kind = decision.reason.get("kind", "first")
            self._folded.labels(kind).inc()
            if kind in {"event", "copy"}:
                self._scores.labels(kind).observe(decision.reason.get("score", 0.0))
        self._founded.inc(sum(story.id is None for story in commit.stories))
        self._retired.inc(len(commit.retired))

    def child_killed(self, reason: str) -> None:
        """A child process did not come back: ``timeout`` or ``died``."""
        self._kills.labels(reason).inc()

    def delivered(self, commit: PushCommit) -> None:
        """A hub's delivery was read."""
        outcome = "new" if commit.new or commit.changed else "unchanged"
        self._deliveries.labels("failed" if commit.error else outcome).inc()
        self._entered(commit)

    def delivery_refused(self, reason: str) -> None:
        """A hub's delivery was not taken: ``unsigned``, or too much waits (``full``)."""
        self._deliveries.labels(reason).inc()

    def announced(self, *, told: bool) -> None:
        """A hub of ours was told of a change, or would not listen."""
        self._announced.labels("told" if told else "refused").inc()

    def feed_requested(self, output: str, form: str, status: int) -> None:
        """A configured output's document was asked for."""
        self._requests.labels(output, form, str(status)).inc()

    def request_refused(self, status: int) -> None:
        """A request was turned away, whatever it asked for."""
        self._refused.labels(str(status)).inc()

    def exposition(self, observed: Observed) -> bytes:
        """Everything, in Prometheus' text format."""
        for stage, queue in observed.queues.items():
            waited = (observed.now - queue.oldest).total_seconds() if queue.oldest else 0.0
            self._queue_length.labels(stage).set(queue.length)
            self._queue_age.labels(stage).set(max(0.0, waited))
        standing = observed.standing
        fine = standing.all - standing.failing - standing.off - standing.unread
        for state, count in {
            "failing": standing.failing,
            "off": standing.off,
            "unread": standing.unread,
            "fine": max(0, fine),
        }.items():
            self._sources.labels(state).set(count)
        self._notices.clear()
        for about in observed.notices:
            self._notices.labels(about).set(1)
        self._subscribers.clear()
        for output, form, client, count in self.subscribers.standing(observed.now):
            self._subscribers.labels(output, form, client).set(count)
        return generate_latest(_WithoutCreated(self.registry))

    def watch_connections(self, count: Callable[[], int]) -> None:
        """Ask ``count`` for the number of open connections from now on."""
        self.open_connections.set_function(count)

    def _entered(self, commit: PollCommit | PushCommit) -> None:
        if commit.new or commit.changed:
            self._entries.labels("new").inc(len(commit.new))
            self._entries.labels("changed").inc(len(commit.changed))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"newsfold_{name}_total", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"newsfold_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"newsfold_{name}", text, labels, buckets=buckets, registry=self.registry)


class _WithoutCreated(Collector):
    """A registry without the series of creation times, which double what is scraped.

    The library's own switch for them is a global.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        return self._kept()

    def _kept(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
            yield metric
