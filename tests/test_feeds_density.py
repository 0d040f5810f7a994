# ruff: noqa: E501, RUF001 - markup and foreign texts stand whole on their lines

import pytest
from pages import PARAGRAPHS, article

from feeds.page.blocks import Block, blocks_of
from feeds.page.density import densest, named_aside
from feeds.page.html_tree import parse_html
from feeds.page.vote import Heard, elect, settled


def blocks(html: str) -> list[Block]:
    return blocks_of(parse_html(html))


def dense(html: str) -> list[str]:
    tree = parse_html(html)
    body = tree.find("body")
    assert body is not None
    return [block.text for block in densest(blocks_of(body), body)]


def test_a_block_ends_where_a_block_level_element_begins() -> None:
    found = blocks("<div>one <b>two</b><p>three</p>four<ul><li>five<li>six</ul></div>")
    assert [(block.tag, block.text) for block in found] == [
        ("div", "one two"),
        ("p", "three"),
        ("div", "four"),
        ("li", "five"),
        ("li", "six"),
    ]


def test_the_text_after_an_unreadable_element_is_kept() -> None:
    assert [block.text for block in blocks("<p>a <button>no</button> b</p>")] == ["a b"]


def test_link_characters_are_counted() -> None:
    (block,) = blocks("<p>see <a href='/x'>this <em>here</em></a></p>")
    assert block.link_chars == len("this here")
    assert block.linked == pytest.approx(9 / 13)


def test_preformatted_text_keeps_its_lines() -> None:
    assert [block.text for block in blocks("<pre>a\n  b</pre>")] == ["a\n  b"]


def test_a_line_break_is_white_space() -> None:
    assert [block.text for block in blocks("<p>a<br>b</p>")] == ["a b"]


def test_pictures_are_blocks_of_their_own() -> None:
    found = blocks("<p>a<img src='x.jpg'>b</p>")
    assert [(block.text, block.image is not None) for block in found] == [
        ("a", False),
        ("", True),
        ("b", False),
    ]


def test_the_article_is_where_the_sentences_are() -> None:
    related = "<div class='related'><p>" + PARAGRAPHS[0] + "</p></div>"
    assert (
        dense(article(after=related).decode())
        == ["Harbour bridge closed until spring", *PARAGRAPHS][1:]
    )


def test_a_name_does_not_hide_the_article_itself() -> None:
    inner = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    page = f"<body><div class='newsletter-article has-sidebar'><div class='share'>{inner}</div></div></body>"
    assert dense(page) == list(PARAGRAPHS)


def test_lines_of_links_are_left_out() -> None:
    inner = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    assert dense(
        f"<body><div>{inner}<p><a href='/b'>Bridge to be painted</a></p></div></body>"
    ) == list(PARAGRAPHS)


def test_chinese_sentences_are_sentences() -> None:
    sentence = "市政工程师周一表示，潜水员在两个桥墩上发现裂缝后，港口大桥已经关闭。"
    menu = "<ul><li>首页</li><li>新闻</li></ul>"
    assert (
        dense(f"<body>{menu}<div><div>{sentence}</div><div>{sentence}</div></div></body>")
        == [sentence] * 2
    )


def test_a_page_without_prose_has_no_dense_part_but_itself() -> None:
    assert dense("<body><p>short</p></body>") == ["short"]


@pytest.mark.parametrize(
    ("html", "aside"),
    [
        ("<div class='relatedArticles'>", True),
        ("<div id='newsletter-box'>", True),
        ("<div role='navigation'>", True),
        ("<div aria-hidden='true'>", True),
        ("<div hidden>", True),
        ("<aside>", True),
        ("<div class='article-body'>", False),
        ("<div class='download'>", False),
    ],
)
def test_asides_are_known_by_tag_role_and_name(html: str, aside: bool) -> None:
    assert named_aside(parse_html(f"<body>{html}x")[0][0]) is aside


def test_a_long_block_is_heard_by_half_of_it() -> None:
    heard = Heard("a quick brown fox jumps over the lazy dog near the river bank today")
    assert heard.holds(
        [
            "a",
            "quick",
            "brown",
            "fox",
            "jumps",
            "over",
            "the",
            "lazy",
            "cat",
            "in",
            "some",
            "other",
            "place",
        ]
    )
    assert not heard.again().holds(
        ["nothing", "of", "all", "this", "was", "ever", "said", "in", "that", "other", "reading"]
    )


def test_a_short_block_is_heard_only_near_the_last_long_one() -> None:
    text = PARAGRAPHS[0].lower() + " far away " * 200 + " read more "
    heard = Heard(text)
    assert heard.holds(
        [
            "the",
            "harbour",
            "bridge",
            "of",
            "norwick",
            "was",
            "closed",
            "on",
            "monday",
            "after",
            "divers",
        ]
    )
    assert not heard.holds(["read", "more"])
    assert heard.holds(["the", "city"])


def test_chinese_runs_are_long_though_few() -> None:
    run = "潜水员在两个桥墩上发现裂缝后港口大桥已经关闭预计春天之前不会重新开放城市工程师说"
    assert Heard(f"x {run} y").holds([run])


def two_readings(html: str) -> tuple[list[Block], list[Block]]:
    tree = parse_html(html)
    body = tree.find("body")
    assert body is not None
    all_blocks = blocks_of(body)
    return all_blocks, densest(all_blocks, body)


def test_two_readings_that_agree_settle_it() -> None:
    found, inner = two_readings(article().decode())
    settled_blocks = settled(found, inner, Heard(" ".join(PARAGRAPHS)))
    assert settled_blocks is not None
    assert [block.text for block in settled_blocks] == list(PARAGRAPHS)


def test_two_readings_that_differ_do_not() -> None:
    found, inner = two_readings(article().decode())
    assert settled(found, inner, Heard(" ".join(PARAGRAPHS[:2]))) is None


def test_two_of_three_decide() -> None:
    found, inner = two_readings(article().decode())
    others = (Heard(" ".join(PARAGRAPHS[:5])), Heard(" ".join(PARAGRAPHS[1:])))
    assert [block.text for block in elect(found, inner, *others)] == list(PARAGRAPHS)
    others = (Heard(" ".join(PARAGRAPHS[:3])), Heard(" ".join(PARAGRAPHS[:3])))
    assert [block.text for block in elect(found, inner, *others)] == list(PARAGRAPHS[:3])


def test_where_the_density_reading_is_alone_the_others_decide() -> None:
    found, inner = two_readings(article().decode())
    other = "Norwick Courier, Quay 4. All rights reserved. " * 30
    assert [block.text for block in elect(found, inner, Heard(other), Heard(other))] == [
        "Norwick Courier, Quay 4. All rights reserved."
    ]


def test_nothing_in_common_elects_nothing() -> None:
    found, inner = two_readings(article().decode())
    assert elect(found, inner, Heard("something else"), Heard("and another thing")) == []
    assert elect([], [], Heard(""), Heard("")) == []


def test_between_two_blocks_of_the_article_the_careful_reading_needs_no_second() -> None:
    table = "<table class='related'><tr><td>Pier four</td><td>cracked</td></tr></table>"
    html = article().decode().replace("<p>" + PARAGRAPHS[3], table + "<p>" + PARAGRAPHS[3])
    found, inner = two_readings(html)
    careful = Heard(" ".join([*PARAGRAPHS[:3], "Pier four cracked", *PARAGRAPHS[3:]]))
    chosen = [block.text for block in elect(found, inner, careful, Heard(" ".join(PARAGRAPHS)))]
    assert chosen == [*PARAGRAPHS[:3], "Pier four", "cracked", *PARAGRAPHS[3:]]


def test_a_standfirst_outside_the_dense_part_is_kept_by_two_others() -> None:
    standfirst = (
        "Divers found cracks in two of the piers, and nobody knows how old they are, says the city."
    )
    html = (
        article()
        .decode()
        .replace("<h1>", "<div><h1>")
        .replace("</h1>", f"</h1><p>{standfirst}</p></div>")
    )
    found, inner = two_readings(html)
    heard = [Heard(" ".join([standfirst, *PARAGRAPHS])) for _ in range(2)]
    assert standfirst not in [block.text for block in inner]
    assert [block.text for block in elect(found, inner, *heard)] == [standfirst, *PARAGRAPHS]


def test_a_table_in_a_figure_is_no_picture() -> None:
    tree = parse_html(
        "<body><figure><table><tr><td>x</td></tr></table></figure><figure><img></figure>"
    )
    assert [named_aside(figure) for figure in tree.iter("figure")] == [False, True]


def test_a_linked_heading_over_prose_is_of_the_article() -> None:
    inner = "".join(
        f"<h2><a href='/x'>Pier {at}</a></h2><p>{text}</p>" for at, text in enumerate(PARAGRAPHS)
    )
    found = dense(f"<body><div>{inner}<h2><a href='/y'>Next</a></h2></div></body>")
    assert found[:2] == ["Pier 0", PARAGRAPHS[0]]
    assert "Next" not in found
