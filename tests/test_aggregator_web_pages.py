from datetime import timedelta

import pytest
from lxml import html
from view_builders import NOON, article, story

from aggregator.config.settings import OutputSettings, Settings
from aggregator.web.pages import (
    STYLE_PATH,
    front_page,
    message_page,
    page_of,
    sources_page,
    story_page,
)
from storage.values import SourceHealth

SETTINGS = Settings.model_validate(
    {"server": {"base_url": "https://news.example/", "title": "The Fold"}}
)
HOSTILE = '<script>alert(1)</script>"onmouseover=alert(1) \u202e'


def health(**changes: object) -> SourceHealth:
    values: dict[str, object] = {
        "id": 1,
        "url": "https://a.example/feed",
        "feed_url": "https://a.example/feed",
        "name": "A",
        "category": "world",
        "enabled": True,
        "gone": False,
        "failures": 0,
        "next_poll_at": NOON,
        "last_poll_at": NOON,
        "last_success_at": NOON,
        "last_entry_at": NOON,
        "last_error": None,
        "site_url": "https://a.example/",
    }
    return SourceHealth(**(values | changes))  # type: ignore[arg-type]  # a test names its fields


def tree(page: bytes) -> html.HtmlElement:
    return html.document_fromstring(page.decode())


def test_the_front_page_lists_stories_with_their_outlets() -> None:
    page = tree(
        front_page(SETTINGS, [story(article(1), article(2)), story(article(3))], page_of(1, 2), 3)
    )
    assert [h.text_content() for h in page.cssselect("h2")] == ["Headline 1", "Headline 3"]
    assert page.cssselect("h2 a")[0].get("href") == "https://news.example/story/slug1"
    assert "2 outlets" in page.cssselect(".told")[0].text_content()
    assert "Outlet 2" in page.cssselect(".told")[0].text_content()
    assert page.cssselect("time")[0].get("datetime") == NOON.isoformat()
    assert len(page.cssselect(".told")) == 1


def test_every_page_advertises_the_feeds() -> None:
    page = tree(message_page(SETTINGS, "Nothing", "here"))
    found = {
        (link.get("type"), link.get("href")) for link in page.cssselect('link[rel="alternate"]')
    }
    assert found == {
        ("application/atom+xml", "https://news.example/feed.atom"),
        ("application/rss+xml", "https://news.example/feed.rss"),
        ("application/feed+json", "https://news.example/feed.json"),
    }
    assert page.cssselect("link[rel=stylesheet]")[0].get("href").endswith(STYLE_PATH)


def test_a_guarded_output_is_not_advertised() -> None:
    output = OutputSettings.model_validate({"name": "secret", "token": "0123456789abcdef"})
    settings = SETTINGS.model_copy(update={"output": (output,)})
    page = message_page(settings, "Nothing", "here")
    assert b"secret" not in page
    assert b"0123456789abcdef" not in page


@pytest.mark.parametrize(
    ("sources", "words"), [(0, "No sources yet"), (1, "1 source configured"), (5, "5 sources")]
)
def test_an_empty_front_page_says_what_to_do(sources: int, words: str) -> None:
    assert words in front_page(SETTINGS, [], page_of(1, 0), sources).decode()


def test_pages_lead_to_each_other() -> None:
    first = tree(front_page(SETTINGS, [story()], page_of(1, 100), 1))
    assert [a.get("rel") for a in first.cssselect(".pages a")] == ["next"]
    middle = tree(front_page(SETTINGS, [story()], page_of(2, 100), 1))
    assert [a.get("href") for a in middle.cssselect(".pages a")] == [
        "https://news.example/?page=1",
        "https://news.example/?page=3",
    ]
    assert not tree(front_page(SETTINGS, [story()], page_of(1, 1), 1)).cssselect(".pages")


def test_a_story_names_every_outlet_copies_under_their_text_and_why() -> None:
    page = tree(story_page(SETTINGS, story(article(1), article(2), article(3, copy_of=2))))
    rows = page.cssselect(".coverage > li")
    assert len(rows) == 2
    assert "Outlet 3" in rows[1].cssselect(".copies")[0].text_content()
    assert rows[1].cssselect(".reason")[0].text_content().startswith("the same event as Outlet 1")
    assert page.cssselect("a.read")[0].get("href") == "https://outlet1.example/news/1"


def test_what_sources_wrote_cannot_leave_its_place() -> None:
    hostile = article(1, title=HOSTILE, outlet=HOSTILE, summary=HOSTILE, authors=(HOSTILE,))
    member = story(hostile, article(2, title=HOSTILE), title=HOSTILE)
    for page in (
        front_page(SETTINGS, [member], page_of(1, 1), 1),
        story_page(SETTINGS, member),
        sources_page(SETTINGS, [health(name=HOSTILE, last_error=HOSTILE, failures=1)]),
    ):
        document = tree(page)
        assert not document.cssselect("script")
        assert not document.xpath("//@*[starts-with(name(), 'on')]")
        assert "<script>alert(1)</script>" in document.text_content()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "fine"),
        ({"failures": 3, "last_error": "no answer"}, "failing (3 times): no answer"),
        ({"gone": True}, "gone"),
        ({"enabled": False}, "off"),
        ({"last_success_at": None}, "not read yet"),
    ],
)
def test_the_state_of_a_source_in_words(changes: dict[str, object], words: str) -> None:
    page = tree(sources_page(SETTINGS, [health(**changes)]))
    assert page.cssselect("td")[0].text_content() == words


def test_without_sources_the_page_says_so() -> None:
    assert b"No sources yet" in sources_page(SETTINGS, [])


def test_times_are_shown_in_utc() -> None:
    member = story(published_at=NOON + timedelta(hours=1))
    assert "1 May 2026, 13:00 UTC" in story_page(SETTINGS, member).decode()
