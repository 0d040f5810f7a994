from datetime import timedelta
from typing import Any

import pytest
from lxml import html
from view_builders import NOON, article, card, figures, story

from aggregator.config.output_settings import OutputSettings
from aggregator.config.settings import Settings
from aggregator.web.front import Asked, FrontView
from aggregator.web.links import Links
from aggregator.web.pages import (
    ICON_PATH,
    STYLE_PATH,
    SourcesView,
    front_page,
    message_page,
    source_page,
    sources_page,
    story_page,
)
from storage.days import DayCount
from storage.fetches import FetchOutcomeRow
from storage.health import SourceArticle, SourceFigures, Standing
from storage.search import Hit, Piece
from storage.story_details import NearMiss, StoryChange, StoryDetails

SETTINGS = Settings.model_validate(
    {"server": {"base_url": "https://news.example/", "title": "The Fold"}}
)
WITH_SOURCE = Settings.model_validate(
    SETTINGS.model_dump() | {"source": [{"url": "https://a.example/feed"}]}
)
HOSTILE = '<script>alert(1)</script>"onmouseover=alert(1) \u202e'
FRONT = Asked()


def tree(page: bytes) -> html.HtmlElement:
    return html.document_fromstring(page.decode())


def words(page: bytes, selector: str) -> list[str]:
    return [" ".join(found.text_content().split()) for found in tree(page).cssselect(selector)]


def front(*stories: Any, asked: Asked = FRONT, **more: Any) -> bytes:
    return front_page(SETTINGS, FrontView(asked, stories, **more))


def sources(*listed: SourceFigures, **changes: Any) -> bytes:
    values: dict[str, Any] = {"sources": listed, "standing": Standing(0, 0, 0, 1), "days": ()}
    return sources_page(SETTINGS, SourcesView(**(values | changes)), NOON)


# --- the front page ---------------------------------------------------------------------------


def test_the_front_page_lists_stories_with_their_outlets() -> None:
    page = tree(front(card(1, copies=3), card(2, outlets=1, others=())))
    assert [h.text_content() for h in page.cssselect("h2")] == ["Headline 1", "Headline 2"]
    assert page.cssselect("h2 a")[0].get("href") == "https://news.example/story/slug1"
    (told,) = page.cssselect(".told")
    assert "2 outlets" in told.text_content()
    assert "3 copies" in told.text_content()
    assert page.cssselect("time")[0].get("datetime") == NOON.isoformat()


def test_the_first_story_shows_what_others_headline_the_rest_name_them() -> None:
    page = tree(front(card(1), card(2)))
    (other,) = page.cssselect(".others li a")
    assert (other.text_content(), other.get("href")) == (
        "Told otherwise",
        "https://other.example/1",
    )
    assert "also Other Outlet" in page.cssselect(".told")[1].text_content()


def test_a_story_that_goes_on_says_when_it_was_last_told() -> None:
    told = words(front(card(latest_at=NOON + timedelta(hours=30))), ".byline")
    assert told == ["Outlet 1 1 May 2026, 12:00 · latest 2 May 2026, 18:00"]
    assert words(front(card()), ".byline") == ["Outlet 1 1 May 2026, 12:00"]
    now = NOON + timedelta(days=1)
    assert words(front(card(), now=now), ".byline") == ["Outlet 1 1 May, 12:00"]


def test_parts_are_offered_with_what_is_chosen_marked() -> None:
    asked = Asked(category="world", newest=True)
    page = tree(front(card(), asked=asked, categories=("sport", "world"), languages=("de", "en")))
    links = {a.text_content(): a.get("href") for a in page.cssselect(".parts a")}
    assert links["sport"] == "https://news.example/?category=sport&order=newest"
    assert links["de"] == "https://news.example/?category=world&language=de&order=newest"
    assert links["All"] == "https://news.example/?order=newest"
    assert links["Top"] == "https://news.example/?category=world"
    current = [a.text_content() for a in page.cssselect(".parts [aria-current]")]
    assert current == ["Newest", "world", "Any language"]
    assert words(front(card(), asked=asked), "h1") == ["world"]


def test_a_single_part_is_not_offered() -> None:
    page = tree(front(card(), categories=("world",), languages=("en",)))
    assert [a.text_content() for a in page.cssselect(".parts a")] == ["Top", "Newest"]


def test_what_a_search_found_is_marked_and_escaped() -> None:
    hit = Hit(1, 9, (), (Piece("… <b>"), Piece("fire", True), Piece(" out")))
    asked = Asked(query="fire <b>")
    page = front(card(), asked=asked, hits={1: hit})
    assert b"\xe2\x80\xa6 &lt;b&gt;<mark>fire</mark> out" in page
    assert tree(page).cssselect("input[name=q]")[0].get("value") == "fire <b>"
    assert words(page, "h1") == ["Stories with fire <b>"]


def test_a_search_within_a_part_stays_in_it() -> None:
    page = tree(front(card(), asked=Asked(query="fire", category="world", language="en")))
    hidden = {i.get("name"): i.get("value") for i in page.cssselect("input[type=hidden]")}
    assert hidden == {"category": "world", "language": "en"}


@pytest.mark.parametrize(
    ("settings", "asked", "told"),
    [
        (SETTINGS, Asked(), "No sources yet"),
        (WITH_SOURCE, Asked(), "1 source configured"),
        (WITH_SOURCE, Asked(query="x"), "Nothing found"),
        (WITH_SOURCE, Asked(category="sport"), "No stories here"),
    ],
)
def test_an_empty_page_says_what_to_do(settings: Settings, asked: Asked, told: str) -> None:
    page = front_page(settings, FrontView(asked, ()))
    assert told in words(page, ".empty")[0]


def test_pages_lead_to_each_other() -> None:
    middle = tree(front(card(), newer="https://x/?before=1", older="https://x/?after=2"))
    assert [(a.get("rel"), a.get("href")) for a in middle.cssselect(".pages a")] == [
        ("prev", "https://x/?before=1"),
        (None, "https://news.example/"),
        ("next", "https://x/?after=2"),
    ]
    assert not tree(front(card())).cssselect(".pages")


# --- feeds ------------------------------------------------------------------------------------


def test_every_page_advertises_the_feeds() -> None:
    page = tree(message_page(SETTINGS, "Nothing", "here"))
    found = {
        (link.get("type"), link.get("href")) for link in page.cssselect('link[rel="alternate"]')
    }
    assert found == {
        ("application/atom+xml", "https://news.example/feed.atom"),
        ("application/atom+xml", "https://news.example/status.atom"),
        ("application/rss+xml", "https://news.example/feed.rss"),
        ("application/feed+json", "https://news.example/feed.json"),
    }
    assert page.cssselect("link[rel=stylesheet]")[0].get("href").endswith(STYLE_PATH)
    assert page.cssselect("link[rel=icon]")[0].get("href").endswith(ICON_PATH)


def with_outputs(*outputs: dict[str, object]) -> Settings:
    made = tuple(OutputSettings.model_validate(output) for output in outputs)
    return SETTINGS.model_copy(update={"output": made})


def test_a_guarded_output_is_not_advertised() -> None:
    settings = with_outputs({"name": "secret", "token": "0123456789abcdef"})
    page = message_page(settings, "Nothing", "here")
    assert b"secret" not in page
    assert b"0123456789abcdef" not in page


@pytest.mark.parametrize(
    ("asked", "fitting"),
    [
        (Asked(), ["all"]),
        (Asked(category="sport"), ["sport"]),
        (Asked(category="sport", language="de"), ["all?category=sport&language=de"]),
        (Asked(language="de"), ["german"]),
        (Asked(output="german"), ["german"]),
        (Asked(query="x y"), ["all?q=x+y"]),
    ],
)
def test_the_feeds_of_what_is_shown_come_first(asked: Asked, fitting: list[str]) -> None:
    settings = with_outputs(
        {"name": "german", "languages": ["de"]},
        {"name": "sport", "categories": ["sport"]},
        {"name": "all"},
    )
    page = tree(front_page(settings, FrontView(asked, [card()])))
    offered = [a.get("href") for a in page.cssselect(".subscribe a")]
    assert offered == [
        f"https://news.example/{name.partition('?')[0]}.{form}{''.join(name.partition('?')[1:])}"
        for name in fitting
        for form in ("atom", "rss", "json")
    ]
    advertised = [a.get("href") for a in page.cssselect("link[rel=alternate]")]
    assert len(advertised) in {10, 13}
    assert advertised[: len(offered)] == offered


# --- a story ----------------------------------------------------------------------------------


def test_a_story_names_every_outlet_copies_under_their_text_and_why() -> None:
    page = tree(story_page(SETTINGS, story(article(1), article(2), article(3, copy_of=2))))
    rows = page.cssselect(".coverage > li")
    assert len(rows) == 2
    assert "Outlet 3" in rows[1].cssselect(".copies")[0].text_content()
    why = rows[1].cssselect(".reason")[0].text_content()
    assert why == "the same event as Outlet 1's; title 0.41; needed 0.50, had 0.83"
    assert page.cssselect("a.read")[0].get("href") == "https://outlet1.example/news/1"
    assert page.cssselect("h2")[0].text_content() == "Told by 3 outlets, with 1 copy"


def test_the_first_report_says_so() -> None:
    page = story_page(SETTINGS, story(article(reason={"kind": "first"})))
    assert words(page, ".reason") == ["the first report of this story"]


def test_after_the_lead_outlets_stand_in_the_order_of_their_reports() -> None:
    late, early = article(2, published=NOON), article(3, published=NOON - timedelta(hours=1))
    page = story_page(SETTINGS, story(article(1), late, early))
    assert words(page, ".coverage .outlet") == ["Outlet 1", "Outlet 3", "Outlet 2"]


def test_a_timeline_has_a_dot_for_each_article_and_words_for_those_who_do_not_see_it() -> None:
    page = tree(story_page(SETTINGS, story(article(1), article(2), article(3, copy_of=2))))
    (picture,) = page.cssselect("svg.timeline")
    assert len(picture.cssselect("circle")) == 3
    assert len(picture.cssselect("circle.copy")) == 1
    labels = picture.get("aria-labelledby").split()
    assert "Who reported when" in page.get_element_by_id(labels[0]).text_content()
    assert "3 articles, from 1 May, 12:01 to" in page.get_element_by_id(labels[1]).text_content()
    assert not tree(story_page(SETTINGS, story())).cssselect("svg")


def test_what_nearly_belonged_and_the_command_that_would_join_it() -> None:
    miss = NearMiss(7, "Another fire", "Outlet 7", "https://o7.example/", "other", 1, -1386)
    details = StoryDetails((), (miss,))
    page = story_page(SETTINGS, story(article(1), article(2)), details)
    assert "compared with Outlet 1’s: 20% likely" in tree(page).text_content()  # noqa: RUF001 - as it is printed
    assert words(page, ".operator code") == [
        "newsfold story split slug1 2",
        "newsfold story join slug1 other",
        "newsfold explain 1",
    ]


def test_a_story_of_one_article_cannot_be_split() -> None:
    assert "story split" not in story_page(SETTINGS, story()).decode()


def test_how_title_and_lead_changed() -> None:
    details = StoryDetails(
        (
            StoryChange(NOON, "founded", "Outlet 1: Headline 1"),
            StoryChange(NOON + timedelta(hours=1), "title", "Headline 1 → Headline 2"),
        ),
        (),
    )
    told = words(story_page(SETTINGS, story(), details), ".history li")
    assert told == [
        "1 May, 12:00 First told by Outlet 1: Headline 1",
        "1 May, 13:00 Title changed: Headline 1 → Headline 2",
    ]


def test_full_text_only_where_the_site_is_private() -> None:
    text = "First paragraph.\n\nSecond <b>paragraph</b>."
    one = story(article(text=text))
    assert b"paragraph" not in story_page(SETTINGS, one)
    private = Settings.model_validate({"server": {"read_token": "0123456789abcdef"}})
    assert words(story_page(private, one), ".text p") == [
        "First paragraph.",
        "Second <b>paragraph</b>.",
    ]


def test_a_story_of_very_many_articles_stays_a_page() -> None:
    page = story_page(SETTINGS, story(*(article(number) for number in range(1, 600))))
    assert len(page) < 100_000
    assert words(page, ".more") == ["And 479 more articles."]


def test_an_article_without_an_address_or_a_date_is_listed_too() -> None:
    page = story_page(SETTINGS, story(article(url=None, published=None, title="")))
    assert "Untitled" in words(page, ".coverage .headline")[0]
    assert not tree(page).cssselect(".coverage a")
    assert not tree(page).cssselect("a.read")
    assert "undated" in words(page, ".coverage .facts")[0]


# --- sources ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "fine"),
        ({"failures": 3, "last_error": "no answer"}, "failing 3 times in a row: no answer"),
        ({"gone": True}, "gone it answered 410: no longer there"),
        ({"enabled": False}, "off"),
        ({"last_success_at": None}, "not read yet"),
        ({"feed_url": "https://b.example/"}, "fine moved to https://b.example/"),
        (
            {"redirect_target": "https://b.example/"},
            "fine says it moves to https://b.example/; watching",
        ),
    ],
)
def test_the_state_of_a_source_in_words(changes: dict[str, object], told: str) -> None:
    assert words(sources(figures(**changes)), ".sources li:not(.head) > p") == [told]


def test_the_figures_of_a_source() -> None:
    page = sources(figures())
    told = words(page, ".sources dl div")
    assert told == [
        "Last success3 min ago",
        "Next pollin 12 min",
        "Last 14 days",
        "Entries per day7.0",
        "Full texts50%",
        "Delay4 min",
    ]
    (picture,) = tree(page).cssselect("svg.spark")
    assert picture.get("aria-label").endswith("0, 14, 14, 14, 14, 14, 14, 14")
    assert tree(page).cssselect(".sources a")[0].get("href") == "https://news.example/source/1"


def test_who_is_off_or_gone_is_not_polled_next() -> None:
    for changes in ({"enabled": False}, {"gone": True}):
        told = words(sources(figures(**changes)), ".sources dl div")
        assert told[1] == "Next poll–"  # noqa: RUF001 - stands for nothing


def test_what_was_published_each_day_is_drawn_and_tabled() -> None:
    counted = DayCount(NOON.date(), articles=7, copies=2, stories=4)
    page = sources(figures(), days=(counted,))
    assert words(page, ".days rect title") == [
        "1 May: 7 articles",
        "1 May: 4 stories",
        "1 May: 2 copies",
    ]
    assert words(page, ".days tbody tr") == ["1 May 2026742"]


def test_many_sources_are_paged() -> None:
    page = sources(figures(), standing=Standing(1, 2, 3, 130), page=2)
    assert [a.get("href") for a in tree(page).cssselect(".pages a")] == [
        "https://news.example/sources?page=1",
        "https://news.example/sources?page=3",
    ]
    assert words(page, ".standing li") == ["130 in all", "1 failing", "3 not read yet", "2 off"]


def test_without_sources_the_page_says_so() -> None:
    assert "No sources yet" in words(sources(standing=Standing(0, 0, 0, 0)), ".empty")[0]


def fetched(**changes: Any) -> FetchOutcomeRow:
    values: dict[str, Any] = {
        "at": NOON,
        "outcome": "new",
        "status": 200,
        "seconds": 0.25,
        "wire_bytes": 12_345,
        "new_entries": 3,
        "changed_entries": 1,
        "dropped_entries": 0,
        "detail": "",
    }
    return FetchOutcomeRow(**(values | changes))


def shown(state: str = "folded", slug: str | None = "slug1") -> SourceArticle:
    return SourceArticle(
        5, "https://a.example/5", "Title 5", NOON, NOON, state, "page", 1234, slug, is_copy=True
    )


def test_a_source_has_a_page_of_its_polls_and_articles() -> None:
    failed = fetched(outcome="failed", status=None, detail="no answer in 30 s")
    page = source_page(SETTINGS, figures(), [fetched(), failed], [shown()], now=NOON)
    assert words(page, "tbody tr") == [
        "1 May, 12:00 new 200 0.25 s 12,345 3 1",
        "1 May, 12:00 failedno answer in 30 s none 0.25 s 12,345 3 1",
    ]
    assert tree(page).cssselect(".headline a")[0].get("href").endswith("/story/slug1")
    assert "1,234 characters from the page · a copy" in words(page, ".coverage .facts")[0]


@pytest.mark.parametrize(
    ("state", "told"), [("new", "waiting to be read"), ("read", "waiting to be folded")]
)
def test_an_article_on_its_way_says_where_it_is(state: str, told: str) -> None:
    page = source_page(SETTINGS, figures(), [], [shown(state, None)], now=NOON)
    assert told in words(page, ".coverage .facts")[0]


def test_a_source_that_was_never_polled_has_a_page() -> None:
    page = source_page(SETTINGS, figures(last_poll_at=None), [], [], now=NOON)
    assert words(page, ".note") == ["None yet.", "None yet."]


# --- what holds of every page -----------------------------------------------------------------


def pages_with(text: str, links: Links | None = None) -> list[bytes]:
    hostile = article(1, title=text, outlet=text, summary=text, authors=(text,), language=text)
    source = figures(name=text, last_error=text, failures=1, category=text, feed_url=f"x:{text}")
    miss = NearMiss(7, text, text, None, "other", 1, -100)
    details = StoryDetails((StoryChange(NOON, "title", text),) * 2, (miss,))
    told = card(title=text, summary=text, lead_outlet=text, language=text)
    asked = Asked(query=text, category=text, language=text)
    hit = Hit(1, 1, (), (Piece(text), Piece(text, True)))
    return [
        front_page(SETTINGS, FrontView(Asked(), [told], categories=(text, "b")), links),
        front_page(SETTINGS, FrontView(asked, [told], {1: hit}), links),
        story_page(SETTINGS, story(hostile, article(2, title=text), title=text), details, links),
        sources_page(SETTINGS, SourcesView([source], Standing(1, 0, 0, 1), ()), NOON, links),
        source_page(SETTINGS, source, [fetched(detail=text)], [shown()], now=NOON, links=links),
    ]


def test_what_sources_wrote_cannot_leave_its_place() -> None:
    for page in pages_with(HOSTILE):
        document = tree(page)
        assert not document.cssselect("script")
        assert not document.xpath("//@*[starts-with(name(), 'on')]")
        assert "<script>alert(1)</script>" in document.text_content()


def test_a_title_of_two_megabytes_stays_a_headline() -> None:
    long = "wörd " * 400_000
    told = article(1, title=long, outlet=long, summary=long, authors=(long,), language=long)
    details = StoryDetails((StoryChange(NOON, "title", long),) * 2, ())
    source = figures(name=long, last_error=long, failures=1)
    for page in (
        front(card(title=long, summary=long, lead_outlet=long, language=long)),
        front(card(), hits={1: Hit(1, 1, (), (Piece(long),))}),
        story_page(SETTINGS, story(told, article(2, title=long), title=long), details),
        sources(source),
        source_page(SETTINGS, source, [fetched(detail=long)], [], now=NOON),
    ):
        assert len(page) < 30_000


def test_no_mark_turns_the_page_around_or_towers_over_it() -> None:
    for page in pages_with("a\u202eb\u2067c" + "z" + "\u0301" * 500):
        shown = tree(page).cssselect("main")[0].text_content()
        assert "\u202e" not in shown
        assert "\u2067" not in shown
        assert "\u0301" * 4 not in shown


def test_a_token_in_the_address_stays_in_every_link_of_the_page() -> None:
    links = Links("https://news.example", "s3cret/&")
    for page in pages_with("x", links):
        found = tree(page).xpath("//@href | //@action")
        own = [link for link in found if link.startswith("https://news.example")]
        assert len(own) > 5
        for link in own:
            assert "token=s3cret%2F%26" in link or link == "https://news.example/", link
        assert tree(page).cssselect("form input[name=token]")[0].get("value") == "s3cret/&"


def test_files_lead_to_nothing_that_only_a_server_answers() -> None:
    front, _, told, listed, _ = pages_with("x", Links("https://news.example", static=True))
    for page in (front, told, listed):
        document = tree(page)
        assert not document.cssselect("form")
        found = [link for link in document.xpath("//@href") if link.startswith("https://news.")]
        assert not [link for link in found if "?" in link or "/source/" in link]


def test_times_are_shown_in_utc() -> None:
    member = story(published_at=NOON + timedelta(hours=1))
    assert "1 May 2026, 13:00 UTC" in story_page(SETTINGS, member).decode()


def test_what_an_operator_must_see_to_stands_first_on_the_sources_page() -> None:
    page = sources(problems={"storage": "no room for <disk>"})
    assert words(page, ".problem") == ["Storage: no room for <disk>"]
