from pydantic import SecretStr
from view_builders import NOON, article, story

from aggregator.config.settings import OutputSettings
from aggregator.stages.masthead import Identity, Masthead
from aggregator.stages.outputs import coverage, output_entry, page_feed, story_filter
from feeds.model import OutputFeed
from storage.values import StoryFilter, StoryView

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
