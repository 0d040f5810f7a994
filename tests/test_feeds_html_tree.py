# ruff: noqa: RUF001 - the texts are in many languages

import time

import pytest

from feeds.page.html_tree import (
    MOST_ELEMENTS,
    MOST_TEXT,
    UnreadablePageError,
    bound,
    decode,
    parse_html,
    parse_page,
    strip_dead_weight,
)

RUSSIAN = "<p>Мост через гавань закрыт до весны</p>"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (RUSSIAN.encode(), None),
        (RUSSIAN.encode(), "text/html; charset=windows-1251"),
        (b"\xef\xbb\xbf" + RUSSIAN.encode(), None),
        (RUSSIAN.encode("utf-16"), None),
        (RUSSIAN.encode("cp1251"), "text/html; charset=windows-1251"),
        (RUSSIAN.encode("cp1251"), 'text/html; charset="windows-1251"'),
        (b'<meta charset="windows-1251">' + RUSSIAN.encode("cp1251"), None),
        (b'<meta charset="windows-1251">' + RUSSIAN.encode("cp1251"), "text/html; charset=utf-8"),
        (b'<?xml version="1.0" encoding="koi8-r"?>' + RUSSIAN.encode("koi8-r"), None),
        (
            b"<meta http-equiv=content-type content='text/html; charset=koi8-r'>"
            + RUSSIAN.encode("koi8-r"),
            "text/html",
        ),
    ],
)
def test_any_declared_charset_is_read(body: bytes, content_type: str | None) -> None:
    assert "Мост через гавань" in decode(body, content_type)


def test_without_a_declaration_a_page_is_western() -> None:
    assert decode("<p>Zürich – £5</p>".encode("cp1252")) == "<p>Zürich – £5</p>"


@pytest.mark.parametrize(
    "charset", ["no-such", "utf-7", "punycode", "base64", "unicode_escape", "x" * 300]
)
def test_a_charset_no_page_may_have_is_passed_over(charset: str) -> None:
    assert (
        decode("<p>Zürich</p>".encode("cp1252"), f"text/html; charset={charset}") == "<p>Zürich</p>"
    )


def test_latin_1_means_windows_1252() -> None:
    assert decode(b"\x93quoted\x94", "text/html; charset=ISO-8859-1") == "“quoted”"


def test_wrong_bytes_become_replacement_characters() -> None:
    assert decode(b"<p>caf\xe9</p>", "text/html; charset=utf-8") == "<p>caf�</p>"


@pytest.mark.parametrize(
    "body", [b"", b"  \n ", b"\x00\x01\x02", b"just words", b"%PDF-1.7 binary"]
)
def test_what_holds_no_html_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadablePageError):
        parse_page(body)


def test_a_lone_comment_is_refused() -> None:
    with pytest.raises(UnreadablePageError, match="no HTML"):
        parse_html("<!-- -->")


def test_a_page_that_ends_early_is_read_to_its_end() -> None:
    tree = parse_page(b"<html><body><header>a</header></body></html><main>b</main></BODY >")
    assert tree.find("body").text_content() == "ab"


def test_control_characters_do_not_reach_the_tree() -> None:
    assert parse_page(b"<p>a\x00b\x0bc\x1f</p>").text_content() == "abc"


def test_a_tag_with_fifty_thousand_attributes_is_read_at_once() -> None:
    monster = "<p " + " ".join(f'a{number}="x"' for number in range(50_000)) + ">hello</p>"
    start = time.process_time()
    tree = parse_page(monster.encode())
    assert time.process_time() - start < 2
    assert tree.text_content() == "hello"


def test_ten_thousand_levels_are_read() -> None:
    assert parse_page(b"<div>" * 100_000 + b"x") is not None


def test_dead_weight_goes_and_json_ld_stays() -> None:
    tree = parse_html(
        "<head><style>p{}</style><script>var a</script>"
        "<script type='application/ld+json'>{}</script></head><p>a<svg><text>b</text></svg>c</p>"
    )
    strip_dead_weight(tree)
    assert [script.get("type") for script in tree.iter("script")] == ["application/ld+json"]
    assert tree.find("body").text_content() == "ac"


def test_a_tree_of_ordinary_size_is_left_alone() -> None:
    tree = parse_html("<body>" + "<p>word <b>bold</b> tail</p>" * 1000)
    before = tree.text_content()
    assert not bound(tree)
    assert tree.text_content() == before


def test_a_tree_of_a_great_many_elements_ends_early() -> None:
    tree = parse_html("<body><p>first</p>" + "<ul><li>item</li></ul>" * MOST_ELEMENTS)
    assert bound(tree)
    assert tree.xpath("count(//*)") <= MOST_ELEMENTS
    assert tree.text_content().startswith("first")
    assert not bound(tree)


def test_a_tree_of_very_much_text_ends_early_and_keeps_its_data() -> None:
    data = "<script type='application/ld+json'>{}</script>"
    text = "word " * (MOST_TEXT // 10)
    tree = parse_html(f"<body>{data}<p>{text}</p><i>x</i>{text}<p>{text}</p><p>end</p>")
    assert bound(tree)
    assert len(tree.text_content()) <= MOST_TEXT + len("{}")
    assert tree.findtext(".//script") == "{}"
    assert "end" not in tree.text_content()


def test_a_long_tag_keeps_a_few_attributes_and_loses_a_great_many() -> None:
    few = parse_html(f"<p id='x' data-state='{'y' * 50_000}'>hello</p>")
    assert few.find(".//p").get("id") == "x"
    many = parse_html("<p " + " ".join(f"a{number}=1" for number in range(5000)) + ">hello</p>")
    assert dict(many.find(".//p").attrib) == {}
    assert many.text_content() == "hello"
