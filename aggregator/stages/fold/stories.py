"""From the matcher's groups of articles to stories with a lasting identity. Pure.

A story's identity is minted once and never derived from what it holds. Groups come and go (more
coverage, second looks, corrections, a refold): identities follow them. Where two stories turn out
to be one, the older stays; where one falls apart, it stays with its first article. A new identity
is minted only where no story lives on: what a subscriber has read does not come back under another
id, not even where two stories that became one part again.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log2

from storage.values.fold import Member, StoryState, StoryWrite

FULL_TEXT = 1000
"""Characters from which a text that only a feed carried passes for a whole article."""

HALF_LIFE = timedelta(hours=6)
"""In which a report loses half its weight on the front page."""
DOUBLING = 25
"""Points of a source's priority that double the weight of its reports."""

Mint = Callable[[], tuple[str, str]]
"""Makes a new identity: a ``tag:`` URI (RFC 4151) and the slug of the story's page."""


@dataclass(frozen=True, slots=True)
class Regrouping:
    """Stories as they shall be, and which ended (id → position of its survivor)."""

    stories: tuple[StoryWrite, ...]
    retired: Mapping[int, int]


def regroup(
    before: Sequence[StoryState],
    ended: Sequence[StoryState],
    group_of: Mapping[int, int],
    members: Collection[Member],
    *,
    mint: Mint,
    now: datetime,
) -> Regrouping:
    """Give every group of articles its story.

    ``before`` holds every living story that any of ``members`` is in, ``ended`` the retired ones
    whose first article is among them, ``group_of`` the group of each member by article id.
    """
    groups: defaultdict[int, list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda m: (m.fold_order, m.id)):
        groups[group_of[member.id]].append(member)
    owners = _owners(before, group_of)
    living = {story.id for story in owners.values()}
    for story in sorted(ended, key=lambda story: story.id):
        owners.setdefault(group_of[story.first_article_id], story)
    positions = {key: position for position, key in enumerate(groups)}
    stories = tuple(_story(owners.get(key), key, group, mint, now) for key, group in groups.items())
    retired = {
        story.id: positions[_places(story, group_of)[0]]
        for story in before
        if story.id not in living
    }
    return Regrouping(stories, retired)


def _owners(before: Sequence[StoryState], group_of: Mapping[int, int]) -> dict[int, StoryState]:
    """Which story each group carries on: as many of them as can be, the older first."""
    owners: dict[int, StoryState] = {}
    homeless = []
    for story in sorted(before, key=lambda story: story.id):
        home = _places(story, group_of)[0]
        if owners.setdefault(home, story) is not story:
            homeless.append(story)
    for story in homeless:  # it ends in another where it finds no place
        _house(story, owners, group_of, set())
    return owners


def _house(
    story: StoryState,
    owners: dict[int, StoryState],
    group_of: Mapping[int, int],
    asked: set[int],
) -> bool:
    """Find ``story`` a group, if need be by moving another (Kuhn's augmenting paths)."""
    for place in sorted(_places(story, group_of), key=lambda place: place in owners):
        if place in asked:
            continue
        asked.add(place)
        if place not in owners or _house(owners[place], owners, group_of, asked):
            owners[place] = story
            return True
    return False


def _places(story: StoryState, group_of: Mapping[int, int]) -> list[int]:
    """The groups that its articles are in now: its first article's, or else its eldest's, first."""
    articles = [story.first_article_id, *(member.id for member in story.members)]
    return list(dict.fromkeys(group_of[one] for one in articles if one in group_of))


def _story(
    before: StoryState | None, key: int, group: Sequence[Member], mint: Mint, now: datetime
) -> StoryWrite:
    lead = choose_lead(group, before.lead_article_id if before else None)
    published = min(m.published or m.arrived_at for m in group)
    if before and before.members and not _holds_first(before):
        published = min(published, before.published_at)
    uri, slug = (before.uri, before.slug) if before else mint()
    events = _events(before, lead)
    return StoryWrite(
        id=before.id if before else None,
        uri=uri,
        slug=slug,
        key=key,
        first_article_id=before.first_article_id if before else group[0].id,
        lead_article_id=lead.id,
        title=lead.title,
        lead_text_hash=lead.text_hash,
        language=lead.language,
        outlets=independent_outlets(group),
        published_at=published,
        updated_at=_updated(before, lead, published, now),
        members=tuple(member.id for member in group),
        events=events,
        rank=newsworthiness(group),
        copies=copies_among(group),
        latest_at=max(map(_reported, group)),
    )


def _holds_first(story: StoryState) -> bool:
    """Whether its first article is still there: retention may have dropped it."""
    return any(member.id == story.first_article_id for member in story.members)


def _updated(
    before: StoryState | None, lead: Member, published: datetime, now: datetime
) -> datetime:
    if before is None:
        return max(lead.published or lead.arrived_at, published)
    if (lead.id, lead.text_hash) == (before.lead_article_id, before.lead_text_hash):
        return before.updated_at
    return max(now, before.updated_at)


def _events(before: StoryState | None, lead: Member) -> tuple[tuple[str, str], ...]:
    if before is None:
        return (("founded", f"{lead.outlet}: {lead.title}"),)
    # One that had ended has no articles left: here it lives again.
    events = [] if before.members else [("parted", f"{lead.outlet}: {lead.title}")]
    if before.lead_article_id != lead.id:
        events.append(("lead", f"{lead.outlet}: {lead.title}"))
    elif before.lead_text_hash != lead.text_hash:
        events.append(("text", f"{lead.outlet} changed its text"))
    if before.title != lead.title:
        events.append(("title", f"{before.title} → {lead.title}"))
    return tuple(events)


def choose_lead(group: Sequence[Member], current: int | None) -> Member:
    """The article that speaks for the story: the present one as long as it belongs.

    Otherwise the preferred source's, then a full text before a truncated one, an original before
    a copy (or what says of itself that it appeared elsewhere first), and the earliest.
    """
    for member in group:
        if member.id == current:
            return member
    return min(
        group,
        key=lambda m: (
            -m.priority,
            not _is_full(m),
            m.copy_of is not None or m.original_url is not None,
            m.published or m.arrived_at,
            m.id,
        ),
    )


def _is_full(member: Member) -> bool:
    return member.text_source == "page" or member.text_length >= FULL_TEXT


def independent_outlets(group: Sequence[Member]) -> int:
    """How many publishers tell it in their own words: copies of one text count once."""
    return len({member.publisher for member in _own(group)}) or 1


def copies_among(group: Sequence[Member]) -> int:
    """How many of them carry another's text."""
    return len(group) - len(_own(group))


def newsworthiness(group: Sequence[Member]) -> float:
    """The story's place on the front page: higher is nearer to the top.

    Every publisher's latest report of its own counts, copies do not. Its weight halves with every
    ``HALF_LIFE``; so all weights fade alike, their order does not depend on when one looks, and
    what is stored is the logarithm of their sum as it was at the beginning of time.
    """
    best: dict[str, float] = {}
    for member in _own(group) or group:
        half_lives = _reported(member).timestamp() / HALF_LIFE.total_seconds()
        power = half_lives + member.priority / DOUBLING
        best[member.publisher] = max(power, best.get(member.publisher, power))
    highest = max(best.values())
    return highest + log2(sum(2 ** (power - highest) for power in best.values()))


def _own(group: Sequence[Member]) -> list[Member]:
    """The members that are no copies of another, and do not name another as their original."""
    ids = {member.id for member in group}
    keys = {member.key for member in group if member.original_url is None}
    return [m for m in group if m.copy_of not in ids and m.original_url not in keys]


def _reported(member: Member) -> datetime:
    return min(member.published or member.arrived_at, member.arrived_at)
