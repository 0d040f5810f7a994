# ruff: noqa: E501 - markup and phrases stand whole on their lines

from hypothesis import given
from hypothesis import strategies as st

from feeds.page.blocks import blocks_of
from feeds.page.display import Display, caption_of, shown, shown_text, with_pictures
from feeds.page.html_tree import parse_html

URL = "https://courier.example/news/bridge"


def display(body: str) -> Display:
    blocks = blocks_of(parse_html(f"<body><main>{body}</main></body>"))
    return shown(with_pictures([block for block in blocks if block.text], blocks), URL)


def test_paragraphs_headings_and_emphasis() -> None:
    made = display(
        "<h1>Piers</h1><p>Two of <b>seven</b> are <i>cracked</i>.</p><h3>Cost</h3><p>Eleven</p>"
    )
    assert made.html == (
        "<h2>Piers</h2>\n<p>Two of <strong>seven</strong> are <em>cracked</em>.</p>\n<h3>Cost</h3>\n<p>Eleven</p>"
    )
    assert made.text == "Piers\n\nTwo of seven are cracked.\n\nCost\n\nEleven"


def test_lists_quotes_and_preformatted_text() -> None:
    made = display(
        "<ul><li>one</li><li><p>two</p><p>more</p></li></ul><ol><li>three</li></ol>"
        "<blockquote><p>said</p><p>she</p></blockquote><pre>a\n  b</pre>"
    )
    assert made.html == (
        "<ul><li>one</li><li>two<br>more</li></ul>\n<ol><li>three</li></ol>\n"
        "<blockquote><p>said</p><p>she</p></blockquote>\n<pre>a\n  b</pre>"
    )
    assert made.text == "- one\n- two more\n\n- three\n\nsaid\n\nshe\n\na\n  b"


def test_tables_keep_their_rows() -> None:
    made = display(
        "<table><tr><th>Pier</th><th>State</th></tr><tr><td>1</td><td>good</td></tr></table>"
    )
    assert "<th>Pier</th><th>State</th>" in made.html
    assert made.text == "Pier | State\n1 | good"


def test_links_are_absolute_and_only_to_the_web() -> None:
    made = display(
        "<p><a href='/b'>in</a> <a href='javascript:alert(1)'>out</a> <a href='mailto:a@b.example'>m</a></p>"
    )
    assert 'href="https://courier.example/b"' in made.html
    assert "javascript" not in made.html
    assert "mailto" not in made.html
    assert made.text == "in out m"


def test_no_markup_of_the_page_survives() -> None:
    made = display(
        "<p onclick='x()' style='color:red' class='y'>a &lt;script&gt;alert(1)&lt;/script&gt; &amp; b</p>"
    )
    assert made.html == "<p>a &lt;script&gt;alert(1)&lt;/script&gt; &amp; b</p>"
    assert made.text == "a <script>alert(1)</script> & b"


def test_inline_elements_that_cross_blocks_are_closed() -> None:
    made = display("<b>one<div>two</div>three</b><p><a href='/x'></a>four<br>five</p>")
    assert made.html == "<p><strong>one</strong></p>\n<p>two</p>\n<p>three</p>\n<p>four<br>five</p>"


def test_pictures_stand_where_they_stood_with_their_captions() -> None:
    made = display(
        "<figure><img src='/a.jpg' alt='A &quot;bridge&quot;'><figcaption>The  bridge</figcaption></figure>"
        "<p>one</p><p>two</p>"
    )
    assert made.html.startswith(
        '<figure><img src="https://courier.example/a.jpg" alt="A &quot;bridge&quot;"><figcaption>The bridge</figcaption></figure>'
    )


def test_lazy_pictures_are_found_and_icons_are_not_shown() -> None:
    made = display(
        "<p>one</p><img src='data:image/gif;base64,x' data-src='/b.jpg'><img src='/i.png' width='16' height='16px'>"
        "<img src=''><p>two</p>"
    )
    assert (
        made.html
        == '<p>one</p>\n<figure><img src="https://courier.example/b.jpg" alt=""></figure>\n<p>two</p>'
    )


def test_pictures_of_asides_and_of_what_follows_are_left() -> None:
    page = (
        "<body><header><img src='/logo.png'></header><main><p>one</p>"
        "<div class='related'><img src='/r.jpg'></div><p>two</p></main><img src='/after.jpg'></body>"
    )
    blocks = blocks_of(parse_html(page))
    assert (
        "img"
        not in shown(with_pictures([block for block in blocks if block.text], blocks), URL).html
    )


def test_without_text_there_are_no_pictures() -> None:
    blocks = blocks_of(parse_html("<body><img src='/a.jpg'></body>"))
    assert with_pictures([], blocks) == []


def test_an_article_of_one_paragraph_keeps_its_picture() -> None:
    blocks = blocks_of(parse_html("<body><main><img src='/a.jpg'><p>one</p></main></body>"))
    assert "a.jpg" in shown(with_pictures([blocks[-1]], blocks), URL).html


def test_a_figure_without_a_caption_element_has_its_text() -> None:
    tree = parse_html("<figure><img src='a.jpg'><span>The bridge</span></figure>")
    assert caption_of(next(tree.iter("img"))) == "The bridge"


def test_plain_lines_become_paragraphs() -> None:
    assert shown_text("a < b\n\n c ", URL) == Display("<p>a &lt; b</p>\n<p>c</p>", "a < b\n\nc")


@given(st.text(alphabet="<>/abp ='\"&;!-", max_size=80))
def test_any_markup_is_shown_without_tags_of_its_own(markup: str) -> None:
    html = display(f"<p>x</p>{markup}").html
    assert "<script" not in html
    assert html.count("<p>") == html.count("</p>")
