# ruff: noqa: RUF001 - the texts are in many languages

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import PARAGRAPHS

from feeds.page.furniture import body_lines, ends_article, is_byline, is_plea, same_words, words
from feeds.page.matching_text import (
    html_lines,
    is_caption,
    is_photo_credit,
    matching_lines,
    matching_text_of,
    without_trailing_credit,
)

TITLE = "Harbour bridge closed until spring"


@pytest.mark.parametrize(
    "line",
    [
        "Divers at the harbour bridge on Monday. (Jo Park/Norwick Courier via AP)",
        "Divers at the harbour bridge on Monday (Jo Park/AFP)",
        "The president during his address. (Ministry of Defence)",
        "Rescuers carry a woman out of the ruins. (Reuters)",
        "Retter tragen eine Frau aus den Trümmern. (Foto: Jo Park/dpa)",
        "Le pont du port, lundi. (Photo Jo Park)",
        "Спасатели на месте. (Фото: Иван Петров)",
    ],
)
def test_a_name_in_brackets_after_the_last_sentence_is_a_caption(line: str) -> None:
    assert is_caption(line)


@pytest.mark.parametrize(
    "line",
    [
        PARAGRAPHS[0],
        "Some forty languages are supported. (As of December 2024)",
        "He denies it. (He has denied it before.)",
        "They move offices (packing, storage, furniture assembly/disassembly)",
        "The cost is high (see below).",
        "The bridge (built 1931)",
        "word " * 80 + "ends. (Reuters)",
    ],
)
def test_sentences_in_brackets_are_no_captions(line: str) -> None:
    assert not is_caption(line)


@pytest.mark.parametrize(
    ("line", "credit"),
    [
        ("Photo: Jo Park", True),
        ("Foto: Jo Park / dpa", True),
        ("Crédit photo : Jo Park", True),
        ("Image credit: Jo Park", True),
        ("AP Photo/Jo Park", True),
        ("Jo Park / Getty Images", True),
        ("Ảnh: Minh Anh", True),
        ("FILE - The bridge in 2019", True),
        ("Photographs of the bridge were shown on Monday.", False),
        ("Video games are on the rise", False),
    ],
)
def test_photo_credits(line: str, credit: bool) -> None:
    assert is_photo_credit(line) is credit


@pytest.mark.parametrize(
    ("line", "bare"),
    [
        ("He went home. (dpa)", "He went home."),
        ("He went home. (Reporting by AFP)", "He went home."),
        ("He went home (or so he said)", "He went home (or so he said)"),
        ("He went home.", "He went home."),
    ],
)
def test_a_trailing_credit_is_cut(line: str, bare: str) -> None:
    assert without_trailing_credit(line) == bare


def test_only_what_was_written_as_the_article_is_left() -> None:
    lines = [
        "By Marta Lind",
        "NORWICK (AP) — " + PARAGRAPHS[0],
        "Divers at the bridge on Monday. (Jo Park/AP)",
        PARAGRAPHS[1],
        "Photo: Jo Park",
        PARAGRAPHS[1],
        PARAGRAPHS[2] + " (AP)",
        "(Reporting by Jane Doe; Editing by John Smith)",
        "© 2026 AFP",
    ]
    assert matching_lines(lines) == [PARAGRAPHS[0], PARAGRAPHS[1], PARAGRAPHS[2]]


def test_a_last_line_is_never_taken_for_a_caption() -> None:
    assert matching_lines(["One two three four five. (Reuters)"]) == []
    long = PARAGRAPHS[3] + " (Reuters)"
    assert matching_lines([PARAGRAPHS[0], long]) == [PARAGRAPHS[0], PARAGRAPHS[3]]


def test_two_outlets_copies_match_word_for_word() -> None:
    one = matching_text_of("<p>NORWICK (AP) — " + "</p><p>".join(PARAGRAPHS) + "</p>", TITLE)
    other = matching_text_of(
        f"<h2>{TITLE}</h2><figure><img src='x.jpg'><figcaption>The bridge</figcaption></figure>"
        "<p>By Jo Park, Associated Press</p><p>"
        + "</p><p>".join(PARAGRAPHS)
        + "</p><p>The Associated Press contributed to this report.</p>"
        "<p>Sign up for our newsletter and get the news in your inbox.</p>"
        "<h3>Related articles</h3><ul><li><a href='/a'>Bridge to be painted</a></li></ul>",
        TITLE,
    )
    assert one == other == "\n".join(PARAGRAPHS)


def test_plain_text_is_read_by_its_lines() -> None:
    assert matching_text_of(f"{TITLE}\n\n{PARAGRAPHS[0]}\n{PARAGRAPHS[1]}\n", TITLE) == (
        f"{PARAGRAPHS[0]}\n{PARAGRAPHS[1]}"
    )
    assert matching_text_of("", TITLE) == ""
    assert matching_text_of("a < b and b > c", "") == "a < b and b > c"


def test_html_without_content_has_no_lines() -> None:
    assert html_lines("<!-- -->") == []
    assert html_lines("<p></p>") == []


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_has_a_matching_text(text: str, title: str) -> None:
    assert isinstance(matching_text_of(text, title), str)


@pytest.mark.parametrize(
    "line",
    [
        "Advertisement",
        "Share this article",
        "All rights reserved.",
        "© Norwick Courier",
        "Read more: Bridge to be painted",
        "[Read: Bridge to be painted]",
        "Sign up for our newsletter",
        "Get the news delivered to your inbox.",
        "Melden Sie sich für unseren Newsletter an",
        "Abonnez-vous à notre lettre",
        "Lees ook: Brug dicht",
        "Czytaj także: Most zamknięty",
        "Читайте также: Мост закрыт",
        "Xem thêm: Cầu đóng cửa",
        "• Related: more of this",
        "5 min read",
        "Facebook Twitter WhatsApp Copy link 111 Comments",
        "FacebookTwitterEmail",
        "This article contains affiliate links.",
    ],
)
def test_pleas_and_marks_are_furniture(line: str) -> None:
    assert is_plea(line)


@pytest.mark.parametrize(
    "line",
    [
        PARAGRAPHS[0],
        "Copyrights were the subject of the talks.",
        "11 100 2,500",
        "The newsletter of the society is the oldest in the country.",
        "Read by few, his books were loved by those.",
        "all rights reserved " * 20,
    ],
)
def test_sentences_are_not(line: str) -> None:
    assert not is_plea(line)


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("By Marta Lind", True),
        ("Von Marta Lind", True),
        ("Written by Marta Lind, Norwick Courier", True),
        ("November 20, 2026", True),
        ("Published: 20 November 2026, 08:30", True),
        ("2026-11-20 08:30", True),
        ("By the time they came it was over", False),
        ("By Monday he had gone home.", False),
        ("Bystanders", False),
    ],
)
def test_bylines_and_dates(line: str, byline: bool) -> None:
    assert is_byline(line) is byline


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ("Related articles", True),
        ("More from Norwick Courier", True),
        ("You may also like", True),
        ("Leave a comment", True),
        ("Das könnte Sie auch interessieren", True),
        ("À lire aussi", True),
        ("Читайте также", True),
        ("Tin liên quan", True),
        ("相关阅读", True),
        ("Tags: bridge, harbour", True),
        ("Related to this is the question of who will pay for all of the works", False),
        ("The council votes", False),
    ],
)
def test_headings_that_end_an_article(line: str, ends: bool) -> None:
    assert ends_article(line) is ends


def test_everything_up_to_the_title_goes() -> None:
    lines = ["Home › News", TITLE + " | Courier", "By Marta Lind", *PARAGRAPHS]
    assert [lines[at] for at in body_lines(lines, [TITLE])] == list(PARAGRAPHS)


def test_a_standfirst_that_only_begins_the_text_goes() -> None:
    lines = [PARAGRAPHS[0], "Marta Lind", "NORWICK (AP) — " + PARAGRAPHS[0], PARAGRAPHS[1]]
    assert body_lines(lines, ["Marta Lind"]) == [2, 3]
    assert body_lines([PARAGRAPHS[0], "___", PARAGRAPHS[0]], []) == [2]


def test_a_title_far_down_is_a_mention() -> None:
    lines = [*PARAGRAPHS, TITLE, PARAGRAPHS[0]]
    assert body_lines(lines, [TITLE]) == list(range(len(lines)))


def test_the_tail_goes_only_where_it_is_a_tail() -> None:
    lines = [*PARAGRAPHS, "Related articles", "Bridge to be painted", "Ferry is late"]
    assert [lines[at] for at in body_lines(lines, [])] == list(PARAGRAPHS)
    lines = [PARAGRAPHS[0], "Related articles", *PARAGRAPHS]
    assert PARAGRAPHS[-1] in [lines[at] for at in body_lines(lines, [])]


def test_titles_are_compared_by_their_words() -> None:
    assert same_words("Harbour Bridge closed!", "harbour bridge closed")
    assert same_words(
        "Harbour bridge closed until", "Harbour bridge closed until - Norwick Courier"
    )
    assert not same_words("Harbour", "Harbour bridge")
    assert not same_words("", "")
    assert words("Ünder 21 – né") == ("ünder", "21", "né")
