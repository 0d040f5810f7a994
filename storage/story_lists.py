"""Lists of stories for programs: any filters together, each page in bounded time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.chunks import chunks
from storage.database import Database
from storage.front import Listing, Place, StoryCard, cards_of, listed_ids
from storage.sections import CATEGORY, LANGUAGE
from storage.tables.story import stories, story_sections

SCANNED = 5_000
"""Stories that are looked at for one page. A page may hold fewer than wanted, and still go on."""
_STEP = 200


@dataclass(frozen=True, slots=True)
class StoriesWanted:
    """Which stories: all of these hold. ``since`` is inclusive, ``until`` is not.

    ``ids`` are the stories that may be among them (None: any). The highest ranked come first, or
    with ``newest`` the last published; ``after`` goes on behind a place.
    """

    newest: bool = False
    category: str | None = None
    language: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    min_outlets: int = 1
    ids: Sequence[int] | None = None
    after: Place | None = None
    limit: int = 30


@dataclass(frozen=True, slots=True)
class StoriesFound:
    """A page of stories, and the place behind which there are more (None: there are none)."""

    stories: tuple[StoryCard, ...]
    after: Place | None


def find_listed(db: Database, wanted: StoriesWanted) -> StoriesFound:
    """A page of the stories wanted."""
    found: list[int] = []
    after = last = None
    with db.read() as connection:
        if wanted.ids is None:
            ids = list(connection.execute(listed_ids(_listing(wanted))).scalars())
        else:
            ids = _of_these(connection, wanted, wanted.ids)
        for row in _in_order(connection, ids):
            place = Place(row.published_at if wanted.newest else row.rank, row.id)
            if wanted.newest and wanted.since and row.published_at < wanted.since:
                break  # and so are all behind it
            if _admits(wanted, row):
                if len(found) == wanted.limit:
                    after = last
                    break
                found.append(row.id)
            last = place
        else:
            after = last if wanted.ids is None and len(ids) > _scanned(wanted) else None
    return StoriesFound(cards_of(db, found), after)


def _listing(wanted: StoriesWanted) -> Listing:
    after = wanted.after
    if wanted.newest and wanted.until:
        until = Place(wanted.until, 0)
        after = min(after, until, key=_moment) if after else until
    return Listing(
        newest=wanted.newest,
        category=wanted.category,
        language=wanted.language,
        after=after,
        limit=_scanned(wanted),
    )


def _scanned(wanted: StoriesWanted) -> int:
    by_rank_in_time = not wanted.newest and (wanted.since or wanted.until)
    return SCANNED if wanted.min_outlets > 1 or by_rank_in_time else wanted.limit


def _moment(place: Place) -> Any:  # noqa: ANN401 - a time or a rank, of one list the same
    return place.at, place.story_id


def _of_these(connection: Connection, wanted: StoriesWanted, ids: Sequence[int]) -> list[int]:
    """Those of some stories that stand in the wanted parts, behind the place, in order."""
    kept = set(ids)
    for kind, name in ((CATEGORY, wanted.category), (LANGUAGE, wanted.language)):
        if name is not None:
            kept = {
                story_id
                for some in chunks(sorted(kept))
                for story_id in connection.execute(
                    select(story_sections.c.story_id).where(
                        story_sections.c.story_id.in_(some),
                        story_sections.c.kind == kind,
                        story_sections.c.name == name,
                    )
                ).scalars()
            }
    places = [
        Place(row.published_at if wanted.newest else row.rank, row.id)
        for row in _in_order(connection, sorted(kept))
    ]
    behind = [p for p in places if wanted.after is None or _moment(p) < _moment(wanted.after)]
    return [place.story_id for place in sorted(behind, key=_moment, reverse=True)]


def _in_order(connection: Connection, ids: Sequence[int]) -> Iterator[Any]:
    for some in chunks(ids, _STEP):
        rows = connection.execute(
            select(stories.c.id, stories.c.published_at, stories.c.rank, stories.c.outlets).where(
                stories.c.id.in_(some), stories.c.retired_at.is_(None)
            )
        )
        by_id = {row.id: row for row in rows}
        yield from (by_id[one] for one in some if one in by_id)


def _admits(wanted: StoriesWanted, row: Any) -> bool:  # noqa: ANN401 - a row as above
    if row.outlets < wanted.min_outlets:
        return False
    if wanted.since and row.published_at < wanted.since:
        return False
    return not wanted.until or row.published_at < wanted.until
