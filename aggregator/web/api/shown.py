"""From what storage and the matcher say to what the API answers. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aggregator.matching.reasons import Reason as RecordedReason
from aggregator.matching.reasons import probability, recorded_reason
from aggregator.stages.fold.explaining import Explained
from aggregator.web.api import models
from storage.article_lists import ArticleItem
from storage.fetches import FetchOutcomeRow
from storage.front import StoryCard
from storage.health import SourceFigures
from storage.queues import Queue
from storage.search import Hit, Piece
from storage.story_details import StoryDetails
from storage.values.publish import StoryView


def shown_story(card: StoryCard, base: str) -> models.Story:
    """A story of a list; ``base`` is the site's address without a slash at its end."""
    return models.Story(**_story(card, base))


def shown_story_detail(
    card: StoryCard,
    story: StoryView,
    articles: Sequence[ArticleItem],
    details: StoryDetails,
    *,
    base: str,
) -> models.StoryDetail:
    """A story with everything."""
    return models.StoryDetail(
        **_story(card, base),
        uri=story.uri,
        article_count=len(story.articles),
        articles=tuple(map(shown_article, articles)),
        history=tuple(
            models.Change(at=change.at, kind=change.kind, detail=change.detail)
            for change in details.history
        ),
        near_misses=tuple(
            models.NearMiss(
                article_id=miss.article_id,
                title=miss.title,
                outlet=miss.outlet,
                url=miss.url,
                story_id=miss.story_slug,
                compared_with=miss.member_id,
                score=probability(miss.log_odds),
            )
            for miss in details.near_misses
        ),
    )


def _story(card: StoryCard, base: str) -> dict[str, Any]:
    return {
        "id": card.slug,
        "page_url": f"{base}/story/{card.slug}",
        "title": card.title,
        "language": card.language,
        "outlets": card.outlets,
        "copies": card.copies,
        "rank": card.rank,
        "published_at": card.published_at,
        "updated_at": card.updated_at,
        "latest_at": card.latest_at,
        "lead_outlet": card.lead_outlet,
        "lead_url": card.lead_url,
        "summary": card.summary,
        "others": tuple(
            models.Telling(outlet=other.outlet, title=other.title, url=other.url)
            for other in card.others
        ),
    }


def shown_article(article: ArticleItem) -> models.Article:
    """An article of a list."""
    return models.Article(**_article(article))


def shown_article_detail(article: ArticleItem, *, full: bool) -> models.ArticleDetail:
    """An article; with its text where ``full``."""
    return models.ArticleDetail(**_article(article), text=article.text if full else None)


def _article(article: ArticleItem) -> dict[str, Any]:
    folded = article.story_slug is not None
    return {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "outlet": article.outlet,
        "publisher": article.publisher,
        "source_id": article.source_id,
        "authors": article.authors,
        "categories": article.categories,
        "language": article.language,
        "image": article.image,
        "published_at": article.published,
        "arrived_at": article.arrived_at,
        "state": article.state,
        "story_id": article.story_slug,
        "copy_of": article.copy_of,
        "reason": shown_reason(recorded_reason(article.reason)) if folded else None,
        "text_source": article.text_source,
        "text_reasons": article.text_reasons,
        "text_length": article.text_length,
        "wall": article.wall,
        "agency": article.agency,
        "place": article.place,
        "summary": article.summary,
    }


def shown_reason(reason: RecordedReason) -> models.Reason:
    """Why an article is in its story."""
    return models.Reason(
        kind=reason.kind,
        partner=reason.partner,
        score=reason.score,
        needed=reason.needed,
        parts=reason.parts,
    )


def shown_explanation(one: Explained) -> models.Explanation:
    """Why an article is where it is."""
    return models.Explanation(
        article_id=one.article.id,
        story_id=one.story.slug,
        why=one.why,
        reason=shown_reason(one.reason),
        not_chosen=tuple(
            models.Unchosen(
                story_id=other.story.slug,
                title=other.story.title,
                articles=other.story.articles,
                nearest_article_id=other.nearest.id,
                score=other.score,
                needed=other.needed,
                why=other.why,
            )
            for other in one.not_chosen
        ),
    )


def shown_source(source: SourceFigures) -> models.Source:
    """A source of a list."""
    return models.Source(**_source(source))


def shown_source_detail(
    source: SourceFigures, polls: Sequence[FetchOutcomeRow]
) -> models.SourceDetail:
    """A source with its polls."""
    return models.SourceDetail(
        **_source(source),
        polls=tuple(
            models.Poll(
                at=poll.at,
                outcome=poll.outcome,
                status=poll.status,
                seconds=poll.seconds,
                wire_bytes=poll.wire_bytes,
                new_entries=poll.new_entries,
                changed_entries=poll.changed_entries,
                detail=poll.detail,
            )
            for poll in polls
        ),
    )


def _source(source: SourceFigures) -> dict[str, Any]:
    return {
        "id": source.id,
        "url": source.url,
        "feed_url": source.feed_url,
        "site_url": source.site_url,
        "name": source.name,
        "publisher": source.publisher,
        "category": source.category,
        "language": source.language,
        "enabled": source.enabled,
        "gone": source.gone,
        "failing": source.is_failing,
        "failures": source.failures,
        "error": source.last_error,
        "last_poll_at": source.last_poll_at,
        "last_success_at": source.last_success_at,
        "last_entry_at": source.last_entry_at,
        "next_poll_at": source.next_poll_at if source.enabled and not source.gone else None,
        "interval_seconds": source.interval,
        "redirect_target": source.redirect_target,
        "entries_by_day": source.days,
        "full_share": source.full_share,
        "delay_seconds": source.delay.total_seconds() if source.delay is not None else None,
    }


def shown_hit(hit: Hit, card: StoryCard, base: str) -> models.Hit:
    """A story that was found."""
    return models.Hit(
        story=shown_story(card, base),
        article_id=hit.article_id,
        title=_pieces(hit.title),
        snippet=_pieces(hit.snippet),
    )


def _pieces(pieces: Sequence[Piece]) -> tuple[models.Piece, ...]:
    return tuple(models.Piece(text=piece.text, found=piece.found) for piece in pieces)


def shown_queues(queues: Mapping[str, Queue], now: datetime) -> tuple[models.Queue, ...]:
    """What waits."""
    return tuple(
        models.Queue(stage=stage, length=queue.length, oldest_seconds=waited(queue, now))
        for stage, queue in queues.items()
    )


def waited(queue: Queue, now: datetime) -> float | None:
    """Seconds that the oldest in a queue has waited; None where nothing does."""
    return max(0.0, (now - queue.oldest).total_seconds()) if queue.oldest else None
