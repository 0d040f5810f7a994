"""Pages in files and from pipes."""

import gzip
import pickle
from pathlib import Path

import pytest
from pages import PARAGRAPHS, article

from feeds.page.page_rules import PageRules
from feeds.page.stored import ReadPage, Unreadable, read_body, read_file

URL = "https://courier.example/news/bridge"
NONE = PageRules()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_may_be_gzipped(tmp_path: Path, pack: type[bytes]) -> None:
    path = tmp_path / "page"
    path.write_bytes(pack(article()))
    made = read_file(path, URL, NONE)
    assert isinstance(made, ReadPage)
    assert made.reading.text == "\n\n".join(PARAGRAPHS)
    assert made.reading.url == URL


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the page is empty"),
        (b"plain words", "holds no HTML"),
        (gzip.compress(article())[:200], "Compressed file ended"),
        (b"\x1f\x8b not gzip at all", "Unknown compression method"),
        (gzip.compress(b"<p>x")[:10] + b"\xff" * 30, "invalid"),
    ],
)
def test_what_cannot_be_read_is_a_value_that_says_why(body: bytes, why: str) -> None:
    made = read_body(body, URL, None, NONE)
    assert isinstance(made, Unreadable)
    assert why in made.why
    assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_is_none(tmp_path: Path, name: str) -> None:
    made = read_file(tmp_path / name, "", NONE)
    assert isinstance(made, Unreadable)
    assert made.why in {
        "cannot be read: No such file or directory",
        "cannot be read: Is a directory",
    }


def test_a_bomb_does_not_expand() -> None:
    bomb = gzip.compress(b"<p>" + b"word " * 20_000_000, compresslevel=1)
    made = read_body(bomb, URL, None, NONE)
    assert isinstance(made, ReadPage)
    assert len(made.reading.text) < 13_000_000


def test_the_rules_are_tried() -> None:
    html = article(after="<div id='only'><p>Just this.</p></div><a class='next' href='?p=2'>2</a>")
    made = read_body(html, URL, None, PageRules(select=("#only",), next_page="a.next"))
    assert isinstance(made, ReadPage)
    assert made.reading.text == "Just this."
    assert made.next_page == f"{URL}?p=2"


def test_a_page_in_a_file_says_where_it_is_from() -> None:
    html = article(head=f"<link rel='canonical' href='{URL}'>", before="<a href='/more'>More</a>")
    made = read_body(html, "", None, NONE)
    assert isinstance(made, ReadPage)
    assert (made.reading.url, made.reading.canonical_url) == (URL, URL)
    nowhere = read_body(article(), "", None, NONE)
    assert isinstance(nowhere, ReadPage)
    assert nowhere.reading.url == ""
