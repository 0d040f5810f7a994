"""What a reader asks of the front page, and what it shows for that. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import isfinite

from aggregator.config.output_settings import OutputSettings
from aggregator.stages.publish.outputs import FORMATS
from aggregator.web.links import Links
from storage.front import Listed, Listing, Place, StoryCard
from storage.search import Hit

PAGE_SIZE = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class NoSuchPageError(ValueError):
    """What was asked for cannot be: a place in a list that was not handed out by one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked for. ``after`` and ``before`` are places that a page handed out."""

    newest: bool = False
    category: str | None = None
    language: str | None = None
    output: str | None = None
    query: str = ""
    after: str | None = None
    before: str | None = None

    @property
    def is_front(self) -> bool:
        """The top of the front page itself, nothing chosen."""
        return self == Asked(newest=self.newest)

    def address(self, links: Links, **changes: object) -> str:
        """The address of this, from its beginning, with ``changes``."""
        asked = replace(self, **({"after": None, "before": None} | changes))  # type: ignore[arg-type]  # names of fields
        return links(
            "/",
            q=asked.query,
            output=asked.output,
            category=asked.category,
            language=asked.language,
            order="newest" if asked.newest else None,
            after=asked.after,
            before=asked.before,
        )

    def listing(self) -> Listing:
        """What to ask storage for.

        Raises:
            NoSuchPageError: ``after`` or ``before`` is no place in this list.
        """
        return Listing(
            newest=self.newest,
            category=self.category,
            language=self.language,
            after=place(self.after, newest=self.newest),
            before=place(self.before, newest=self.newest),
            limit=PAGE_SIZE,
        )


def place_name(place: Place) -> str:
    """A place as an address holds it."""
    if isinstance(place.at, datetime):
        return f"{(place.at - _EPOCH) // _MICROSECOND}_{place.story_id}"
    return f"{place.at!r}_{place.story_id}"


def place(name: str | None, *, newest: bool) -> Place | None:
    """The place that an address names.

    Raises:
        NoSuchPageError: it names none.
    """
    if not name:
        return None
    at, _, story_id = name.partition("_")
    try:
        moment = _EPOCH + int(at) * _MICROSECOND if newest else float(at)
        if isinstance(moment, float) and not isfinite(moment):
            raise NoSuchPageError(name)
        return Place(moment, number(story_id))
    except (ValueError, OverflowError) as error:  # of what was not handed out by a page
        raise NoSuchPageError(name) from error


def number(name: str) -> int:
    """A number that a database can hold.

    Raises:
        NoSuchPageError: it is none.
    """
    if not name.isascii() or not name.isdecimal() or len(name) > 18:
        raise NoSuchPageError(name)
    return int(name)


@dataclass(frozen=True, slots=True)
class FrontView:
    """A page of stories, ready to be shown.

    ``newer`` and ``older`` are addresses. Without ``now`` every time says its year.
    """

    asked: Asked
    stories: Sequence[StoryCard]
    hits: Mapping[int, Hit] = field(default_factory=dict)
    newer: str | None = None
    older: str | None = None
    categories: Sequence[str] = ()
    languages: Sequence[str] = ()
    output_title: str = ""
    now: datetime | None = None

    @property
    def heading(self) -> str:
        """What is shown, in words."""
        if self.asked.query:
            return f"Stories with {self.asked.query}"
        named = [self.output_title, self.asked.category, self.asked.language]
        chosen = " · ".join(name for name in named if name)
        return chosen or ("Newest stories" if self.asked.newest else "Front page")


def listed_view(asked: Asked, listed: Listed, links: Links) -> FrontView:
    """A page of the front page, or of a part of it."""
    newer = older = None
    if listed.stories and not listed.is_first:
        newer = place_name(listed.stories[0].place(newest=asked.newest))
    if listed.stories and not listed.is_last:
        older = place_name(listed.stories[-1].place(newest=asked.newest))
    return FrontView(
        asked,
        listed.stories,
        newer=asked.address(links, before=newer) if newer else None,
        older=asked.address(links, after=older) if older else None,
    )


@dataclass(frozen=True, slots=True)
class FeedOffer:
    """A feed beside what is shown; ``fits`` where it holds just that, perhaps by ``query``."""

    name: str
    title: str
    fits: bool
    query: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def formats(self) -> Mapping[str, str]:
        """Its formats by the end of their address."""
        return FORMATS


def feeds_for(asked: Asked, outputs: Sequence[OutputSettings]) -> list[FeedOffer]:
    """The feeds to offer beside what is shown: those that hold just that first.

    Where no output does, one that holds everything is asked for that part of it.
    """
    shown = [output for output in outputs if output.token is None]
    offers = [FeedOffer(o.name, o.title or o.name, _fits(o, asked)) for o in shown]
    offers.sort(key=lambda offer: not offer.fits)
    everything = [output for output in shown if output.fold and _fits(output, Asked())]
    if everything and not any(offer.fits for offer in offers):
        query = {"category": asked.category, "language": asked.language, "q": asked.query}
        chosen = " · ".join(value for value in query.values() if value)
        offers.insert(0, FeedOffer(everything[0].name, chosen, fits=True, query=query))
    return offers


def _fits(output: OutputSettings, asked: Asked) -> bool:
    if asked.query:
        return False
    if asked.output:
        return output.name == asked.output
    return output.categories == ((asked.category,) if asked.category else ()) and (
        output.languages == ((asked.language,) if asked.language else ())
    )
