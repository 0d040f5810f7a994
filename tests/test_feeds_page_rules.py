import pytest
from pages import PARAGRAPHS, article

from feeds.page.extract import joined, next_page_of, read_page
from feeds.page.html_tree import parse_html
from feeds.page.page_rules import BadSelectorError, PageRules, selected

URL = "https://courier.example/news/bridge"


@pytest.mark.parametrize("selector", ["p[", "", "p:nosuch", "..x", "{"])
def test_what_is_no_selector_is_refused_when_written(selector: str) -> None:
    with pytest.raises(BadSelectorError, match="is no CSS selector"):
        PageRules(select=(selector,))
    with pytest.raises(BadSelectorError):
        PageRules(remove=(selector,))


def test_an_empty_next_page_is_none() -> None:
    assert PageRules(next_page="").next_page == ""


def test_select_takes_just_that() -> None:
    html = article(after="<div id='extra'><p>Only this.</p></div>")
    reading = read_page(html, URL, rules=PageRules(select=("#extra",)))
    assert reading.text == "Only this."
    assert reading.reasons[0] == "selected by the source's rule"


def test_a_rule_that_finds_nothing_changes_nothing() -> None:
    reading = read_page(article(), URL, rules=PageRules(select=("#gone",), remove=(".gone",)))
    assert reading.text == "\n\n".join(PARAGRAPHS)


def test_remove_drops_before_anything_is_read() -> None:
    html = article(before=f"<div class='box'><p>{PARAGRAPHS[0]}</p></div>")
    reading = read_page(
        html, URL, rules=PageRules(remove=(".box", ".box p", ".story p:first-child"))
    )
    assert PARAGRAPHS[0] not in reading.text
    assert PARAGRAPHS[1] in reading.text


def test_nested_matches_are_taken_once() -> None:
    tree = parse_html(
        "<body><div class='a'><div class='a'>x</div></div><div class='b'>y</div></body>"
    )
    assert [element.get("class") for element in selected(tree, PageRules(select=(".b", ".a")))] == [
        "a",
        "b",
    ]


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("<a class='next' href='?page=2'>2</a>", "https://courier.example/news/bridge?page=2"),
        ("<a class='next' href='#top'>2</a>", None),
        ("<a class='next' href='mailto:x@y.example'>2</a>", None),
        ("", None),
    ],
)
def test_the_next_page(link: str, found: str | None) -> None:
    assert next_page_of(article(after=link), URL, rules=PageRules(next_page="a.next")) == found
    assert next_page_of(article(after=link), URL, rules=PageRules()) is None


def test_an_unreadable_page_has_no_next() -> None:
    assert next_page_of(b"", URL, rules=PageRules(next_page="a")) is None


def test_pages_are_joined_in_order() -> None:
    one = read_page(article(PARAGRAPHS[:3]), URL)
    two = read_page(article(PARAGRAPHS[3:]), URL + "?page=2")
    whole = joined([one, two])
    assert whole.text == "\n\n".join(PARAGRAPHS)
    assert whole.matching_text == "\n".join(PARAGRAPHS)
    assert whole.url == URL
    assert whole.reasons[-1] == "joined from 2 pages"
