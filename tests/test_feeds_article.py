from feeds.page.article import (
    ArticleMaterial,
    PageBytes,
    assemble,
    read_feed,
    read_pages,
    shortened,
)
from feeds.page.choose import FeedMaterial
from feeds.page.page_rules import PageRules

PAGE = (
    "<html lang='en'><head><title>Bridge reopens</title></head><body><article><h1>Bridge reopens"
    "</h1>" + "<p>The harbour bridge reopened on Monday after a year of repairs, and the first to "
    "cross it was a baker on a bicycle.</p>" * 12 + "</article></body></html>"
)


def feed(summary: str, content: str = "") -> FeedMaterial:
    return FeedMaterial("Bridge reopens", "https://a.example/1", summary, content)


def read_article(own: FeedMaterial, page: PageBytes | None) -> ArticleMaterial:
    return assemble(read_feed(own), read_pages([page], own.title) if page else None)


def test_without_a_page_the_feeds_own_text_serves() -> None:
    made = read_article(
        feed("<p>The bridge is open again, <b>at last</b>, said the mayor.</p>"), None
    )
    assert made.page is None
    assert made.choice.source == "feed"
    assert made.summary == "The bridge is open again, at last, said the mayor."


def test_a_page_is_read_where_the_feed_only_invites_to_it() -> None:
    page = PageBytes("https://a.example/1", PAGE.encode(), "text/html")
    made = read_article(
        feed("<p>The bridge is open again, said the mayor today. Read more</p>"), page
    )
    assert made.choice.source == "page"
    assert "a baker on a bicycle" in made.choice.text
    assert made.summary == "The bridge is open again, said the mayor today."


def test_a_summary_that_says_next_to_nothing_gives_way_to_the_text() -> None:
    page = PageBytes("https://a.example/1", PAGE.encode(), "text/html")
    made = read_article(feed("News"), page)
    assert made.summary.startswith("The harbour bridge reopened on Monday")
    assert len(made.summary) <= 400


def test_a_summary_ends_with_a_sentence_or_else_a_word() -> None:
    assert shortened("Short.", 20) == "Short."
    assert shortened("One two three. Four five six", 20) == "One two three."
    assert shortened("One two, three four five", 9) == "One two\u2026"


def test_pages_are_read_by_the_rules_and_joined() -> None:
    page = PageBytes("https://a.example/1", PAGE.encode(), "text/html")
    more = PAGE.replace("The harbour bridge", "A second bridge").replace("<p>", "<p class='on'>")
    second = PageBytes("https://a.example/1?page=2", more.encode(), "text/html")
    whole = read_pages([page, second], "Bridge reopens")
    assert whole.url == "https://a.example/1"
    assert "The harbour bridge" in whole.text
    assert "A second bridge" in whole.text
    ruled = read_pages([page, second], "Bridge reopens", PageRules(remove=("p.on",)))
    assert "A second bridge" not in ruled.text
