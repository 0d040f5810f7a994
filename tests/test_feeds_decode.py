"""What encoding a document is really in."""
# ruff: noqa: RUF001 - in their own scripts

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.parsing.decode import decode_document

TEXT = "<a>Fähre – «quai»</a>"


def declared(encoding: str, text: str = "<a>x</a>") -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides(encoding: str) -> None:
    body = declared("koi8-r", TEXT).encode(encoding)
    assert decode_document(body, "text/xml; charset=iso-8859-1") == declared("koi8-r", TEXT)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp037"])
def test_wide_encodings_are_known_by_their_first_bytes(encoding: str) -> None:
    assert decode_document(declared(encoding).encode(encoding), None) == declared(encoding)


@pytest.mark.parametrize(
    ("text", "really", "inside", "header"),
    [
        (TEXT, "utf-8", "iso-8859-1", None),
        (TEXT, "utf-8", "utf-8", "text/xml; charset=us-ascii"),
        (TEXT, "utf-8", "nonsense", 'application/xml; charset="also nonsense"'),
        ("Паром", "cp1251", "windows-1251", None),
        ("Паром", "cp1251", "windows-1251", "text/xml; charset=utf-8"),
        ("Паром", "koi8-r", "utf-8", "text/xml; charset=koi8-r"),
        ("フェリー", "cp932", "Shift_JIS", None),
        ("フェリー", "euc-jp", "euc-jp", None),
        ("フェリー", "iso-2022-jp", "iso-2022-jp", None),
        ("轮渡", "gb18030", "gb2312", None),
        ("渡輪", "big5", "Big5", None),
        ("여객선", "cp949", "euc-kr", None),
        ("“mayor’s”", "cp1252", "iso-8859-1", None),
        ("“mayor’s”", "cp1252", "us-ascii", None),
        ("“mayor’s”", "cp1252", "utf-8", None),
        ("Gemi işçisi", "cp1254", "iso-8859-9", None),
    ],
)
def test_declarations_are_tried_and_not_trusted(
    text: str, really: str, inside: str, header: str | None
) -> None:
    document = declared(inside, f"<a>{text}</a>")
    assert decode_document(document.encode(really), header) == document


def test_a_few_broken_bytes_do_not_change_the_encoding() -> None:
    body = "Fähre, Möwe, Küste, Förde".encode().replace(b"\xc3\xb6", b"\xc3", 1)
    assert decode_document(body, None) == "Fähre, M\ufffdwe, Küste, Förde"


def test_control_characters_and_marks_go() -> None:
    assert decode_document(b"\0a\x0bb\x1fc\td\n\xef\xbf\xbe\xef\xbf\xbf", None) == "abc\td\n"
    assert decode_document("\ufeff\ufeffx".encode(), None) == "x"
    assert decode_document(b"<\0\xd8\0" + "x".encode("utf-16-le"), None).endswith("x")


@pytest.mark.parametrize(
    "name", ["punycode", "idna", "unicode_escape", "base64", "zlib", "undefined"]
)
def test_codecs_that_are_no_text_encodings_are_not_used(name: str) -> None:
    body = declared(name).encode() + b"\xff" * 5000
    assert decode_document(body, f"text/xml; charset={name}").startswith(declared(name))


@given(st.binary(max_size=60), st.one_of(st.none(), st.text(max_size=30)))
def test_decoding_never_raises_and_leaves_text_that_can_be_encoded(
    body: bytes, header: str | None
) -> None:
    decode_document(body, header).encode()
