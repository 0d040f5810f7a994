"""Almost-XML made well-formed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.parsing.mend import mend
from feeds.parsing.xml_tree import parse_xml, text_of


def mended(inside: str) -> str | None:
    root = parse_xml(mend(f"<rss><channel>{inside}</channel></rss>"))
    return None if root is None else text_of(root)


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("<t>A & B</t>", "A & B"),
        ("<t>AT&T;</t>", "AT&T;"),
        ("<t>&amp; &lt; &#65; &#x42; &copy; &AMP;</t>", "& < A B © &"),
        ("<t>&nosuch; &; &#; &#x;</t>", "&nosuch; &; &#; &#x;"),
        ("<t>a &#0;&#xD800;&#x110000;&#xFFFE; b</t>", "a \ufffd\ufffd\ufffd\ufffd b"),
        ('<t a="x?a=1&b=2">x</t>', "x"),
        ("<t>3 < 4</t>", "3 < 4"),
        ("<t>x ]]> y</t>", "x ]]> y"),
        ("<t><![CDATA[a & b &nbsp; <br>]]></t>", "a & b &nbsp; <br>"),
        ("<t><!-- a & b --><![CDATA[x]]></t>&amp;", "x&"),
        ("<t><![CDATA[a <![CDATA[b]]> c]]> & d</t>", "a b c & d"),
        ("<dc:t q:a='1'>x</dc:t>", "x"),
        ('<t xmlns:p="urn:p"><p:u>x</p:u></t>&', "x&"),
    ],
)
def test_the_usual_mistakes(inside: str, text: str) -> None:
    assert mended(inside) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<rss><a/></rss>junk <b>", "<rss><a/></rss>"),
        (
            "<rss><channel><item/><item></item><item><a>",
            "<rss><channel><item/><item></item></channel></rss>",
        ),
        ("<feed><entry>x</entry ><entry>", "<feed><entry>x</entry ></feed>"),
        (
            "<rdf:RDF xmlns:rdf='x'><item></item><item",
            "<rdf:RDF xmlns:rdf='x'><item></item></rdf:RDF>",
        ),
        ("<rss><channel><title>no item", "<rss><channel><title>no item"),
        ("no root", "no root"),
    ],
)
def test_the_end_is_found_or_made(text: str, expected: str) -> None:
    assert mend(text) == expected


def test_well_known_prefixes_get_their_own_namespace() -> None:
    assert 'xmlns:media="http://search.yahoo.com/mrss/"' in mend("<rss><media:x/><y:z/></rss>")
    assert 'xmlns:y="urn:undeclared:y"' in mend("<rss><media:x/><y:z/></rss>")


shards = st.sampled_from(
    [
        *("<rss>", "</rss>", "<item>", "</item>", "&", "&a;", "]]>", "<![CDATA[", "<!--", "-->"),
        *("<", ">", "a:b=", "<a:b", " x"),
    ]
)


@given(st.lists(shards, max_size=12).map("".join))
def test_mending_never_raises_and_mends_once(text: str) -> None:
    once = mend(text)
    if parse_xml(once) is not None:
        assert parse_xml(mend(once)) is not None


@pytest.mark.parametrize(
    "shard", ["<![CDATA[", "]]>", "<!--", "&", "<", "<a:b ", "</item", "<rss ", " a:b="]
)
def test_hostile_text_takes_linear_time(shard: str) -> None:
    start = time.process_time()
    mend("<rss>" + shard * (400_000 // len(shard)))
    assert time.process_time() - start < 4
