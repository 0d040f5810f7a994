"""What the API answers. Reading only; each answer's cost is bounded."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from aggregator.clock import Clock
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.matching.model import Model
from aggregator.notices import Notices
from aggregator.stages.fold.explaining import Explained, explain
from aggregator.stages.publish.outputs import FORMATS
from aggregator.stages.publish.publisher import Publisher
from aggregator.version import VERSION
from aggregator.web.api import models
from aggregator.web.api.asked import ArticlesAsked, Asked, SearchAsked, SourcesAsked, StoriesAsked
from aggregator.web.api.cursors import cursor, place_in
from aggregator.web.api.shown import (
    shown_article,
    shown_article_detail,
    shown_explanation,
    shown_hit,
    shown_queues,
    shown_source,
    shown_source_detail,
    shown_story,
    shown_story_detail,
)
from aggregator.web.front import number, place, place_name
from feeds.writing.http_cache import is_not_modified, strong_etag
from storage.article_lists import (
    ArticlesFound,
    ArticlesWanted,
    article_with_text,
    find_articles,
    story_id_of,
)
from storage.database import Database
from storage.fetches import recent_fetches
from storage.front import StoryCard, cards_of
from storage.health import figures_of, numbered_sources, sources_standing
from storage.publishing import story_by_slug
from storage.queues import Sizes, queues, sizes
from storage.search import Hit, find_stories, terms_of
from storage.story_details import story_details
from storage.story_lists import StoriesWanted, find_listed

KEPT, _FRESH = "public, max-age=60", "no-cache"
_SIZES_KEPT = timedelta(minutes=1)
_MOST_ARTICLES, _POLLS = 200, 30
MOST_EXPLAINING = 4
"""Explanations that may wait for the one that is being made."""

Slug = Annotated[
    str,
    Path(pattern="^[a-z0-9-]{1,100}$", description="The story's id.", examples=["k3v9qd7x2m"]),
]
ArticleId = Annotated[
    int, Path(ge=1, le=2**62, description="The article's number.", examples=[4712])
]
SourceId = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="The source's number.", examples=[7])
]


@dataclass(slots=True)
class Api:
    """Answers of the API, from the database of ``ledger`` and what ``publisher`` holds."""

    settings: Settings
    ledger: Ledger
    publisher: Publisher
    clock: Clock
    notices: Notices
    _sizes: tuple[datetime, Sizes] | None = None
    _explaining: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: int = 0

    async def stories(self, request: Request, asked: Annotated[StoriesAsked, Query()]) -> Response:
        """Stories, ranked or newest first, or those that a search finds."""
        ids = self._output_ids(asked.output)
        cards, following = await (
            self._searched(asked, ids) if asked.q.strip() else self._listed(asked, ids)
        )
        items = tuple(shown_story(card, self._base) for card in cards)
        return _answer(request, models.StoryPage(items=items, next=following))

    async def _listed(
        self, asked: StoriesAsked, ids: tuple[int, ...] | None
    ) -> tuple[tuple[StoryCard, ...], str | None]:
        newest = asked.order == "newest"
        found = await self.ledger.read(
            find_listed,
            StoriesWanted(
                newest=newest,
                category=asked.category or None,
                language=asked.language or None,
                since=asked.since,
                until=asked.until,
                min_outlets=asked.min_outlets,
                ids=ids,
                after=place(place_in(asked.order, asked.cursor), newest=newest),
                limit=asked.limit,
            ),
        )
        return found.stories, cursor(asked.order, place_name(found.after)) if found.after else None

    async def _searched(
        self, asked: StoriesAsked, ids: tuple[int, ...] | None
    ) -> tuple[tuple[StoryCard, ...], str | None]:
        found, following = await self._found(asked)
        cards = [
            card
            for _, card in found
            if (ids is None or card.id in ids)
            and card.outlets >= asked.min_outlets
            and (asked.since is None or card.published_at >= asked.since)
            and (asked.until is None or card.published_at < asked.until)
        ]
        return tuple(cards), following

    async def _found(
        self, asked: StoriesAsked | SearchAsked
    ) -> tuple[list[tuple[Hit, StoryCard]], str | None]:
        before = place_in("search", asked.cursor)
        found = await self.ledger.read(
            find_stories,
            terms_of(asked.q),
            limit=asked.limit,
            before=number(before) if before else None,
            category=asked.category or None,
            language=asked.language or None,
        )
        hits = {hit.story_id: hit for hit in found.hits}
        cards = await self.ledger.read(cards_of, tuple(hits))
        following = cursor("search", str(found.older)) if found.older else None
        return [(hits[card.id], card) for card in cards], following

    def _output_ids(self, name: str) -> tuple[int, ...] | None:
        """The stories of an output; of none (None) where none was named."""
        if not name:
            return None
        if name not in {one.name for one in self.settings.outputs() if one.token is None}:
            raise HTTPException(404, "There is no such output.")
        return self.publisher.story_ids(name)

    async def story(
        self, request: Request, slug: Slug, asked: Annotated[Asked, Query()]
    ) -> Response:
        """One story. 301 to the story that it became part of; that can be undone."""
        found = await self.ledger.read(story_by_slug, slug)
        if found is None:
            raise HTTPException(404, "There is no such story.")
        if found.slug != slug:
            query = f"?{request.url.query}" if asked.token else ""
            headers = {"Location": found.slug + query, "Cache-Control": KEPT}
            return Response(status_code=301, headers=headers)
        cards = await self.ledger.read(cards_of, [found.id])
        if not cards:
            raise HTTPException(404, "There is no such story.")
        wanted = ArticlesWanted(story_id=found.id, limit=_MOST_ARTICLES)
        articles = await self.ledger.read(find_articles, wanted)
        members = [article.id for article in found.articles]
        details = await self.ledger.read(story_details, found.id, members)
        shown = shown_story_detail(cards[0], found, articles.articles, details, base=self._base)
        return _answer(request, shown)

    async def articles(
        self, request: Request, asked: Annotated[ArticlesAsked, Query()]
    ) -> Response:
        """Articles, the last to arrive first."""
        before = place_in("articles", asked.cursor)
        story_id = await self.ledger.read(story_id_of, asked.story) if asked.story else None
        if asked.story and story_id is None:
            found = ArticlesFound((), None)
        else:
            wanted = ArticlesWanted(
                source_id=asked.source,
                story_id=story_id,
                language=asked.language or None,
                since=asked.since,
                before=number(before) if before else None,
                limit=asked.limit,
            )
            found = await self.ledger.read(find_articles, wanted)
        return _answer(
            request,
            models.ArticlePage(
                items=tuple(map(shown_article, found.articles)),
                next=cursor("articles", str(found.before)) if found.before else None,
            ),
        )

    async def article(
        self, request: Request, article_id: ArticleId, _: Annotated[Asked, Query()]
    ) -> Response:
        """One article, with its text where that may be shown."""
        found = await self.ledger.read(article_with_text, article_id)
        if found is None:
            raise HTTPException(404, "There is no such article.")
        full = self.settings.server.read_token is not None
        return _answer(request, shown_article_detail(found, full=full))

    async def explanation(
        self, request: Request, article_id: ArticleId, _: Annotated[Asked, Query()]
    ) -> Response:
        """Why an article is in its story, and which others were near. One is made at a time."""
        if self._waiting >= MOST_EXPLAINING:
            detail = "Too many explanations are asked for at once; try again shortly."
            raise HTTPException(503, detail, headers={"Retry-After": "2"})
        self._waiting += 1
        try:
            async with self._explaining:
                explained = await self.ledger.read(_explained, article_id)
        finally:
            self._waiting -= 1
        if not explained:
            raise HTTPException(404, "There is no such article, or it has no story yet.")
        return _answer(request, shown_explanation(explained[0]))

    async def sources(self, request: Request, asked: Annotated[SourcesAsked, Query()]) -> Response:
        """Sources in the order of their numbers, with how they are doing."""
        after = place_in("sources", asked.cursor)
        found = await self.ledger.read(
            numbered_sources,
            self.clock(),
            after=number(after) if after else 0,
            limit=asked.limit + 1,
            category=asked.category or None,
            failing={"failing": True, "fine": False}.get(asked.state),
        )
        shown = found[: asked.limit]
        more = len(found) > asked.limit
        return _answer(
            request,
            models.SourcePage(
                items=tuple(map(shown_source, shown)),
                next=cursor("sources", str(shown[-1].id)) if more else None,
            ),
            fresh=True,
        )

    async def source(
        self, request: Request, source_id: SourceId, _: Annotated[Asked, Query()]
    ) -> Response:
        """One source, with its latest polls."""
        found = await self.ledger.read(figures_of, source_id, self.clock())
        if found is None:
            raise HTTPException(404, "There is no such source.")
        polls = await self.ledger.read(recent_fetches, source_id, _POLLS)
        return _answer(request, shown_source_detail(found, polls), fresh=True)

    async def search(self, request: Request, asked: Annotated[SearchAsked, Query()]) -> Response:
        """Stories with an article that has these words, and where; the last to arrive first."""
        found, following = await self._found(asked)
        items = tuple(shown_hit(hit, card, self._base) for hit, card in found)
        return _answer(request, models.HitPage(items=items, next=following))

    async def status(self, request: Request, _: Annotated[Asked, Query()]) -> Response:
        """How the daemon is doing."""
        now = self.clock()
        size = await self._counted(now)
        standing = await self.ledger.read(sources_standing)
        shown = models.Status(
            version=VERSION,
            time=now,
            queues=shown_queues(await self.ledger.read(queues, now), now),
            totals=models.Totals(
                sources=size.sources,
                failing=standing.failing,
                entries=size.entries,
                articles=size.articles,
                stories=size.stories,
            ),
            notices=tuple(
                models.Notice(about=about, text=text)
                for about, text in self.notices.standing().items()
            ),
            outputs=tuple(
                models.Output(
                    name=output.name,
                    title=output.title or output.name,
                    urls={form: f"{self._base}/{output.name}.{form}" for form in FORMATS},
                )
                for output in self.settings.outputs()
                if output.token is None
            ),
        )
        return _answer(request, shown, fresh=True)

    async def _counted(self, now: datetime) -> Sizes:
        if self._sizes is None or abs(now - self._sizes[0]) >= _SIZES_KEPT:
            self._sizes = now, await self.ledger.read(sizes)
        return self._sizes[1]

    @property
    def _base(self) -> str:
        return self.settings.server.base_url.rstrip("/")


def _explained(database: Database, article_id: int) -> tuple[Explained, ...]:
    return explain(database, _model(), [article_id])


@cache
def _model() -> Model:
    return Model.load()


def _answer(request: Request, shown: BaseModel, *, fresh: bool = False) -> Response:
    body = shown.model_dump_json().encode()
    return sent(request, body, "application/json", _FRESH if fresh else KEPT)


def sent(request: Request, body: bytes, media_type: str, kept: str) -> Response:
    """The body, or that it is what the reader has already."""
    headers = {"ETag": strong_etag(body), "Cache-Control": kept}
    if is_not_modified(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
