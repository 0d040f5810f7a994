"""Stories and articles as readers see them, for tests of what is shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.front import StoryCard, Telling
from storage.health import SourceFigures
from storage.values.publish import ArticleView, StoryView

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def article(number: int = 1, **changes: Any) -> ArticleView:
    view = ArticleView(
        id=number,
        url=f"https://outlet{number}.example/news/{number}",
        title=f"Headline {number}",
        outlet=f"Outlet {number}",
        publisher=f"outlet{number}.example",
        source_id=number,
        source_url=f"https://outlet{number}.example/feed.xml",
        source_title=f"Outlet {number}",
        source_site_url=f"https://outlet{number}.example/",
        source_icon=None,
        source_rights=None,
        category="world",
        authors=(f"Author {number}",),
        categories=("Politics",),
        language="en",
        image=None,
        published=NOON + timedelta(minutes=number),
        arrived_at=NOON + timedelta(hours=1),
        copy_of=None,
        score=None,
        reason={
            "kind": "event",
            "partner": number - 1,
            "score": 0.83,
            "needed": 0.5,
            "parts": ["title 0.41"],
        },
        text_source="page",
        agency=None,
        summary=f"Summary {number}.",
        text=f"Text {number}.",
        html=f"<p>Text {number}.</p>",
    )
    return replace(view, **changes)


def story(*articles: ArticleView, **changes: Any) -> StoryView:
    members = articles or (article(),)
    view = StoryView(
        id=members[0].id,
        uri=f"tag:example.org,2026-05-01:story/{members[0].id}",
        slug=f"slug{members[0].id}",
        title=members[0].title,
        language="en",
        outlets=len({member.publisher for member in members}),
        published_at=NOON,
        updated_at=NOON,
        created_at=NOON,
        changed_at=NOON,
        articles=members,
    )
    return replace(view, **changes)


def card(number: int = 1, **changes: Any) -> StoryCard:
    view = StoryCard(
        id=number,
        slug=f"slug{number}",
        title=f"Headline {number}",
        language="en",
        outlets=2,
        copies=0,
        rank=100.5 - number,
        published_at=NOON,
        updated_at=NOON,
        lead_outlet=f"Outlet {number}",
        lead_url=f"https://outlet{number}.example/news/{number}",
        summary=f"Summary {number}.",
        others=(Telling("Other Outlet", "Told otherwise", "https://other.example/1"),),
        latest_at=NOON,
    )
    return replace(view, **changes)


def figures(**changes: Any) -> SourceFigures:
    view = SourceFigures(
        id=1,
        url="https://a.example/feed",
        feed_url="https://a.example/feed",
        site_url="https://a.example/",
        name="A",
        publisher="a.example",
        category="world",
        language=None,
        enabled=True,
        gone=False,
        failures=0,
        added_at=NOON,
        next_poll_at=NOON + timedelta(minutes=12),
        last_poll_at=NOON - timedelta(minutes=3),
        last_success_at=NOON - timedelta(minutes=3),
        last_entry_at=NOON - timedelta(hours=5),
        last_error=None,
        interval=900.0,
        redirect_target=None,
        days=(0,) * 7 + (14,) * 7,
        full_share=0.5,
        delay=timedelta(minutes=4),
    )
    return replace(view, **changes)
