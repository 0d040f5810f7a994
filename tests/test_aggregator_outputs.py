from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from view_builders import NOON, article, story

from aggregator.config.output_settings import OutputSettings
from aggregator.stages.publish.masthead import Identity, Masthead
from aggregator.stages.publish.outputs import (
    article_entry,
    coverage,
    output_entry,
    page_feed,
    story_feed,
    story_filter,
)
from feeds.model import OutputFeed
from storage.values.publish import StoryFilter, StoryView

BASE = "https://news.example"


IDENTITY = Identity("news.example", NOON)
MASTHEAD = Masthead(BASE, "News", IDENTITY)


def feed(output: OutputSettings, *stories: StoryView) -> OutputFeed:
    entries = [output_entry(one, BASE, full=output.content == "full") for one in stories]
    return page_feed(output, [entries], 1, MASTHEAD)


def test_an_output_asks_for_its_stories() -> None:
    output = OutputSettings(
        name="x", categories=("world",), languages=("en",), min_outlets=2, limit=7
    )
    assert story_filter(output) == StoryFilter(("world",), ("en",), 2, 7)


def test_a_document_names_itself_in_every_format() -> None:
    document = feed(OutputSettings(name="world", categories=("world",), min_outlets=2), story())
    assert document.self_urls == {
        "atom": f"{BASE}/world.atom",
        "rss": f"{BASE}/world.rss",
        "json": f"{BASE}/world.json",
    }
    assert document.title == "News: world"
    assert document.home_url == f"{BASE}/"
    assert document.subtitle == (
        "Every world story once, with every outlet that tells it, told by at least 2 outlets."
    )
    assert document.language == "en"


def test_a_guarded_output_carries_its_token_in_its_own_address() -> None:
    output = OutputSettings(name="x", token=SecretStr("0123456789abcdef"))
    assert feed(output).self_urls["atom"] == f"{BASE}/x.atom?token=0123456789abcdef"


def test_an_empty_output_has_a_time_that_does_not_move() -> None:
    assert feed(OutputSettings(name="x", title="Mine")).updated == NOON
    assert feed(OutputSettings(name="x", title="Mine")).title == "Mine"


def test_languages_that_differ_are_no_language_of_the_feed() -> None:
    assert feed(OutputSettings(name="x"), story(), story(language="de")).language is None


def test_full_text_only_where_the_output_carries_it() -> None:
    assert output_entry(story(), BASE, full=True).content_html == "<p>Text 1.</p>"
    assert output_entry(story(), BASE, full=False).content_html is None


def test_an_entry_is_its_lead() -> None:
    entry = output_entry(story(article(1), article(2, category="europe")), BASE, full=False)
    assert entry.id == "tag:example.org,2026-05-01:story/1"
    assert entry.url == "https://outlet1.example/news/1"
    assert entry.page_url == f"{BASE}/story/slug1"
    assert (entry.title, entry.summary, entry.authors) == (
        "Headline 1",
        "Summary 1.",
        ("Author 1",),
    )
    assert entry.source.title == "Outlet 1"
    assert entry.categories == ("world", "europe", "Politics")
    assert entry.outlets == 2


def test_an_article_without_an_address_is_found_on_the_story_page() -> None:
    entry = output_entry(story(article(1, url=None)), BASE, full=False)
    assert entry.url == entry.coverage[0].url == f"{BASE}/story/slug1"


def test_copies_stand_under_what_they_copy() -> None:
    told = coverage(
        story(article(1), article(2), article(3, copy_of=2), article(4, copy_of=3)), BASE
    )
    assert [item.outlet for item in told] == ["Outlet 1", "Outlet 2"]
    assert [item.outlet for item in told[1].copies] == ["Outlet 3", "Outlet 4"]
    assert told[1].reason == ("the same event as Outlet 1's; title 0.41; needed 0.50, had 0.83")


def test_a_lead_that_is_a_copy_heads_its_text() -> None:
    told = coverage(story(article(2, copy_of=1), article(1), article(3, copy_of=1)), BASE)
    assert [item.outlet for item in told] == ["Outlet 2"]
    assert [item.outlet for item in told[0].copies] == ["Outlet 1", "Outlet 3"]


def test_copies_in_a_circle_or_of_something_gone_are_no_trouble() -> None:
    assert len(coverage(story(article(1, copy_of=2), article(2, copy_of=1)), BASE)) <= 2
    assert len(coverage(story(article(1, copy_of=99)), BASE)) == 1


def test_a_date_in_the_future_is_that_of_arrival() -> None:
    early = NOON - timedelta(hours=1)
    entry = output_entry(story(published_at=NOON + timedelta(days=9)), BASE, full=False)
    assert entry.published == NOON
    assert output_entry(story(published_at=early), BASE, full=False).published == early
    late = article(published=NOON + timedelta(days=9))
    assert article_entry(late, IDENTITY, full=False).published == late.arrived_at


@pytest.mark.parametrize(
    ("guid", "expected"),
    [
        ("https://a.example/1", "https://a.example/1"),
        ("urn:uuid:1", "urn:uuid:1"),
        ("tag:a.example,2026:é", "tag:a.example,2026:%C3%A9"),
        ("4711", "tag:news.example,2026-05-01:entry/1/4711"),
        ("a b:c", "tag:news.example,2026-05-01:entry/1/a%20b%3Ac"),
        ("http://[", "tag:news.example,2026-05-01:entry/1/http%3A%2F%2F%5B"),
        ("", "tag:news.example,2026-05-01:entry/1/1"),
    ],
)
def test_an_article_keeps_the_id_its_source_gave_it(guid: str, expected: str) -> None:
    assert article_entry(article(guid=guid), IDENTITY, full=False).id == expected


def test_an_article_by_itself() -> None:
    entry = article_entry(article(2, guid="x", authors=(), url=None), IDENTITY, full=True)
    assert entry.url == "https://outlet2.example/"
    assert (entry.content_html, entry.categories) == ("<p>Text 2.</p>", ("world", "Politics"))
    assert [telling.outlet for telling in entry.coverage] == ["Outlet 2"]
    assert entry.source.feed_url == "https://outlet2.example/feed.xml"


def test_two_articles_that_go_by_one_id_are_one_entry() -> None:
    told = story_feed(story(), [article(1, guid="u:1"), article(2, guid="u:1")], MASTHEAD)
    assert [entry.title for entry in told.entries] == ["Headline 2"]
    assert told.id == "tag:example.org,2026-05-01:story/1/articles"
    assert told.self_urls["rss"] == f"{BASE}/story/slug1.rss"


def test_what_an_output_says_of_itself() -> None:
    assert feed(OutputSettings(name="x", subtitle="Mine")).subtitle == "Mine"
    articles = feed(OutputSettings(name="x", fold=False, categories=("world",)))
    assert articles.subtitle == "Every world article, as its source published it."


def test_pages_know_their_neighbours() -> None:
    entries = [output_entry(story(article(n)), BASE, full=False) for n in range(1, 4)]
    pages = [[entry] for entry in entries]

    def links(number: int, form: str = "atom", **changes: Any) -> dict[str, str]:
        made = page_feed(OutputSettings(name="x"), pages, number, MASTHEAD, **changes)
        assert made.self_urls[form] == at(number, form, changes.get("asked", ""))
        return dict(made.page_links[form])

    def at(number: int, form: str = "atom", asked: str = "") -> str:
        path = "x" if number == 1 else f"x/{number}"
        return f"{BASE}/{path}.{form}" + (f"?{asked}" if asked else "")

    ends = {"first": at(1), "last": at(3)}
    assert links(1) == ends | {"next": at(2)}
    assert links(2) == ends | {"previous": at(1), "next": at(3)}
    assert links(3) == ends | {"previous": at(2)}
    assert links(1, archives=7) == ends | {
        "next": at(2),
        "prev-archive": f"{BASE}/x/archive/7.atom",
    }
    assert links(3, archives=7) == links(3)
    assert links(3, "json", archives=7)["prev-archive"] == f"{BASE}/x/archive/7.json"
    assert links(1, asked="q=a", archives=7) == {
        relation: f"{url}?q=a" for relation, url in links(1).items()
    }
    asked = page_feed(OutputSettings(name="x"), pages, 1, MASTHEAD, asked="q=a")
    assert asked.id == "tag:news.example,2026-05-01:feed/x?q=a"
    alone = page_feed(OutputSettings(name="x"), pages[:1], 1, MASTHEAD)
    assert alone.page_links == {"atom": {}, "rss": {}, "json": {}}
