from feeds.page.article import FeedMaterial, PageBytes, read_article, shortened

PAGE = (
    "<html lang='en'><head><title>Bridge reopens</title></head><body><article><h1>Bridge reopens"
    "</h1>" + "<p>The harbour bridge reopened on Monday after a year of repairs, and the first to "
    "cross it was a baker on a bicycle.</p>" * 12 + "</article></body></html>"
)


def feed(summary: str, content: str = "") -> FeedMaterial:
    return FeedMaterial("Bridge reopens", "https://a.example/1", summary, content)


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
