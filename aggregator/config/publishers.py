"""Who publishes a source: as it says itself, as a group of sources says, or by its domain. Pure."""

from collections.abc import Sequence

from aggregator.config.entry_settings import PublisherSettings
from aggregator.config.source_settings import SourceSettings
from feeds.urls import registrable_domain


def publisher_of(source: SourceSettings, groups: Sequence[PublisherSettings]) -> str:
    """The publisher of a source: its own word, a group that names it, one that has its domain."""
    domain = registrable_domain(source.url)
    named = (group.name for group in groups if {source.url, source.name} & set(group.sources))
    at_home = (group.name for group in groups if domain in group.domains)
    return source.publisher or next(named, None) or next(at_home, None) or domain
