"""A story as its own page shows it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aggregator.matching.reasons import probability
from aggregator.stages.publish.outputs import clusters, reason_in_words
from aggregator.web.display import clip, paragraphs
from aggregator.web.plots import Timeline, timeline
from storage.story_details import NearMiss, StoryChange, StoryDetails
from storage.values.publish import ArticleView, StoryView

MOST_TOLD = 120
"""Articles that one page lists; the others are counted."""
_LONGEST_TEXT = 30_000
_HAPPENED = {
    "founded": "First told by",
    "lead": "Now led by",
    "text": "Text changed:",
    "title": "Title changed:",
    "joined": "Another story turned out to be this one: number",
}


@dataclass(frozen=True, slots=True)
class Told:
    """An article of the story: why it belongs, in words, and what carries the same text."""

    article: ArticleView
    why: str
    copies: tuple["Told", ...] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """An article that nearly belonged; ``likely`` is the probability that it does."""

    miss: NearMiss
    member: str
    likely: float


@dataclass(frozen=True, slots=True)
class StoryShown:
    """Everything on a story's page."""

    story: StoryView
    text: tuple[str, ...]
    told: tuple[Told, ...]
    untold: int
    copies: int
    timeline: Timeline
    history: tuple[tuple[datetime, str], ...]
    near: tuple[Near, ...]


def story_shown(story: StoryView, details: StoryDetails, *, full: bool) -> StoryShown:
    """The page of a story; with the lead's whole text where ``full``."""
    outlets = {article.id: article.outlet for article in story.articles}
    told, untold = _told(story, outlets)
    held = set(outlets)
    reports = [
        (
            article.published or article.arrived_at,
            f"{clip(article.outlet, 60)}, {article.published or article.arrived_at:%-d %b %H:%M}",
            article.copy_of in held,
        )
        for article in story.articles
    ]
    return StoryShown(
        story=story,
        text=tuple(paragraphs(story.lead.text, _LONGEST_TEXT)) if full else (),
        told=told,
        untold=untold,
        copies=sum(is_copy for _, _, is_copy in reports),
        timeline=timeline(reports[:500]),
        history=tuple(map(_happened, details.history)),
        near=tuple(
            Near(miss, outlets.get(miss.member_id, ""), probability(miss.log_odds))
            for miss in details.near_misses
        ),
    )


def _told(story: StoryView, outlets: Mapping[int, str]) -> tuple[tuple[Told, ...], int]:
    lead, *others = clusters(story.articles)
    others.sort(key=lambda cluster: cluster[0].published or cluster[0].arrived_at)
    told: list[Told] = []
    room = MOST_TOLD
    for head, *copies in (lead, *others):
        if room > 0:
            shown = [Told(copy, _why(copy, outlets)) for copy in copies[: room - 1]]
            told.append(Told(head, _why(head, outlets), tuple(shown)))
            room -= 1 + len(shown)
    return tuple(told), len(story.articles) - (MOST_TOLD - room)


def _why(article: ArticleView, outlets: Mapping[int, str]) -> str:
    if article.reason.get("kind") == "first" and not article.reason.get("parts"):
        return "the first report of this story"
    return clip(reason_in_words(article.reason, outlets), 400)


def _happened(change: StoryChange) -> tuple[datetime, str]:
    return change.at, f"{_HAPPENED.get(change.kind, change.kind)} {change.detail}"
