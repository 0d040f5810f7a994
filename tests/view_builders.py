"""Stories and articles as readers see them, for tests of what is shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.values import ArticleView, StoryView

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
