"""The health of sources as a feed: an entry for each incident. Pure."""

from collections.abc import Sequence

from aggregator.stages.publish.masthead import Masthead
from aggregator.stages.publish.outputs import FORMATS
from feeds.model import OutputEntry, OutputFeed, OutputSource
from storage.values.publish import IncidentView

NAME = "status"
ENTRIES = 100

_SAID = {
    "failing": "{} fails",
    "gone": "{} is gone for good",
    "moved": "{} has moved",
    "recovered": "{} is well again",
    "silent": "{} has fallen silent",
}


def status_feed(incidents: Sequence[IncidentView], masthead: Masthead) -> OutputFeed:
    """The document of the last ``incidents``, the latest first."""
    entries = tuple(_entry(incident, masthead) for incident in incidents)
    return OutputFeed(
        id=masthead.identity.feed_id(NAME),
        title=f"{masthead.title}: {NAME}",
        subtitle="What happened to the sources: an entry for each that failed, moved, fell silent "
        "or recovered.",
        home_url=f"{masthead.base_url}/sources",
        self_urls={form: f"{masthead.base_url}/{NAME}.{form}" for form in FORMATS},
        updated=max((entry.updated for entry in entries), default=masthead.identity.born),
        entries=entries,
        language="en",
    )


def _entry(incident: IncidentView, masthead: Masthead) -> OutputEntry:
    return OutputEntry(
        id=masthead.identity.incident_id(incident.id),
        url=f"{masthead.base_url}/sources#incident-{incident.id}",
        page_url=None,
        title=_SAID[incident.kind].format(incident.name),
        summary=incident.detail,
        content_html=None,
        published=incident.at,
        updated=incident.at,
        source=OutputSource(incident.feed_url, incident.name, incident.feed_url),
        coverage=(),
        categories=(incident.kind,),
        language="en",
    )
