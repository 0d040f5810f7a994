import pytest
from pages import PARAGRAPHS

from feeds.model import PageReading
from feeds.page.choose import (
    FeedMaterial,
    FeedText,
    choose_text,
    feed_text,
    readable_text,
    truncation,
)

WHOLE = "\n\n".join(PARAGRAPHS)
HTML = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)


def entry(content: str = "", summary: str = "") -> FeedMaterial:
    url = "https://courier.example/bridge"
    return FeedMaterial("Harbour bridge closed", url, summary, content)


def feed(text: str = "", *, truncated: str | None = None) -> FeedText:
    return FeedText("Harbour bridge closed", text, f"<p>{text}</p>", text, truncated)


def page(text: str = WHOLE, *, wall: str | None = None) -> PageReading:
    return PageReading(
        "https://courier.example/bridge", "Bridge", text, f"<p>{text}</p>", text, wall=wall
    )


def test_a_feeds_text_is_its_longer_part() -> None:
    carried = feed_text(entry(content=HTML, summary="<p>A short summary.</p>"))
    assert carried.text == WHOLE
    assert carried.matching_text == "\n".join(PARAGRAPHS)
    assert carried.html == HTML
    assert carried.truncated is None
    assert feed_text(entry(summary="<p>A short summary.</p>")).text == "A short summary."


def test_an_entry_without_text_has_none() -> None:
    carried = feed_text(entry())
    assert (carried.text, carried.matching_text, carried.size) == ("", "", 0)
    assert readable_text("<!-- -->", "") == ""


@pytest.mark.parametrize(
    "end",
    [
        "and it will not [...]",
        "and it will not [&#8230;]",
        "and it will not […] Read more",
        "and it will not...",
        "Continue reading",
        "Read the full story on our site",
        "Weiterlesen",
        "Lire la suite",
        "Seguir leyendo",
        "Leggi tutto",
        "Lees meer »",
        "Czytaj więcej",
        "Leia mais",
        "Читать далее",
        "Xem thêm",
    ],
)
def test_texts_that_are_cut_short(end: str) -> None:
    assert truncation(PARAGRAPHS[0] + " " + end) is not None


def test_the_line_that_says_where_a_post_appeared_first() -> None:
    line = "\n\nThe post Bridge closed appeared first on Norwick Courier."
    assert truncation(PARAGRAPHS[0] + " [&#8230;]" + line) is not None
    assert truncation(PARAGRAPHS[0] + line) is not None
    assert truncation(WHOLE + line) is None


def test_an_unfinished_sentence_is_cut_and_a_finished_text_is_not() -> None:
    assert (
        truncation("Some forty thousand people cross the")
        == "the feed's text ends in the middle of a sentence"
    )
    assert truncation(WHOLE) is None
    assert truncation("") is None


def test_without_a_page_the_feed_serves() -> None:
    choice = choose_text(feed(WHOLE), None)
    assert (choice.source, choice.text, choice.full) == ("feed", WHOLE, True)
    assert choice.reasons == ("no page was read",)


def test_the_whole_page_beats_a_cut_feed() -> None:
    choice = choose_text(feed(PARAGRAPHS[0], truncated="it ends in '...'"), page())
    assert (choice.source, choice.text, choice.full) == ("page", WHOLE, True)
    assert choice.reasons == ("it ends in '...'", "the page has more")


def test_a_much_longer_page_beats_a_summary() -> None:
    choice = choose_text(feed(PARAGRAPHS[0]), page())
    assert choice.source == "page"
    assert "the feed 30" in choice.reasons[0] or "words" in choice.reasons[0]


def test_of_two_equal_texts_the_feeds_is_taken() -> None:
    choice = choose_text(feed(WHOLE), page())
    assert choice.source == "feed"
    assert choice.reasons == ("the page has the same text",)


def test_a_short_text_that_the_page_repeats_is_whole() -> None:
    assert not choose_text(feed(PARAGRAPHS[0]), None).full
    assert choose_text(feed(PARAGRAPHS[0]), page(PARAGRAPHS[0])).full


def test_of_two_whole_texts_the_clearly_longer_wins() -> None:
    longer = WHOLE + "\n\n" + "\n\n".join(paragraph.upper() + " indeed" for paragraph in PARAGRAPHS)
    assert choose_text(feed(WHOLE), page(longer)).source == "page"
    slightly = WHOLE.replace("bridge", "crossing").replace("the", "this").replace("a ", "one ")
    choice = choose_text(feed(WHOLE), page(slightly))
    assert choice.source == "feed"
    assert choice.reasons[0].startswith("the feed has")


@pytest.mark.parametrize(
    "wall", ["consent", "challenge", "not_found", "video", "script", "repeated"]
)
def test_a_wall_is_never_an_article(wall: str) -> None:
    choice = choose_text(feed(PARAGRAPHS[0], truncated="cut"), page(wall=wall))
    assert choice.source == "feed"
    assert choice.reasons == (f"the page is a wall ({wall})", "cut")
    assert not choice.full


def test_the_open_part_of_a_paid_article_is_more_than_a_summary() -> None:
    choice = choose_text(feed(PARAGRAPHS[0]), page("\n\n".join(PARAGRAPHS[:3]), wall="paywall"))
    assert (choice.source, choice.full) == ("page", False)
    assert "behind a wall (paywall)" in choice.reasons
    assert choose_text(feed(WHOLE), page(PARAGRAPHS[0], wall="paywall")).source == "feed"


@pytest.mark.parametrize(
    ("carried", "read", "reason"),
    [
        (PARAGRAPHS[0], "", "nothing could be read from the page"),
        (PARAGRAPHS[0], "Just this.", "the page's text is short (2 words against the feed's"),
        (WHOLE * 2, WHOLE, "the page's text is cut against the feed's"),
        ("\n".join(PARAGRAPHS[:2]), "A wholly different text on fish. " * 12, "nothing to do with"),
    ],
)
def test_a_bad_reading_falls_back_to_the_feed(carried: str, read: str, reason: str) -> None:
    choice = choose_text(feed(carried), page(read))
    assert choice.source == "feed"
    assert reason in choice.reasons[0]


def test_a_cut_feed_does_not_call_a_shorter_page_cut() -> None:
    assert choose_text(feed(WHOLE * 2, truncated="cut"), page(WHOLE)).source == "page"
