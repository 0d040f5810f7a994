"""The short way into ``feedparser`` finds what the long way finds, and nothing unsafe comes of it."""
# ruff: noqa: E501, SIM905, RUF005 - markup is read best on one line, lists of names in one text

from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from feedparser.sanitizer import _HTMLSanitizer
from hypothesis import given, settings
from hypothesis import strategies as st
from test_feeds_clean import ADDRESSES, ATTACKS, OTHERS, TAGS, wrongs

from benchmarks.made_feeds import ENTRIES, FORMATS
from feeds.model import FeedEntry, ParsedFeed
from feeds.parsing.decode import decode_document
from feeds.parsing.entries import finish_feed
from feeds.parsing.known import document_of, take_apart
from feeds.parsing.mend import mend
from feeds.parsing.parse import parse_feed
from feeds.parsing.raw import RawFeed
from feeds.parsing.read_feedparser import read_document, read_head
from feeds.parsing.run_feedparser import _UnusualError, parse_document, parse_head, parse_items
from feeds.parsing.xml_tree import parse_xml, root_name

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://feed.example/dir/feed.xml"
SAMPLES = Path(__file__).parent / "data" / "feeds"
TEXTS = {
    path.name: mend(decode_document(path.read_bytes(), None).strip())
    for path in sorted(SAMPLES.glob("*.xml"))
}
WELL_FORMED = sorted(name for name, text in TEXTS.items() if take_apart(text))
HEAD = (
    '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:atom="http://www.w3.org/2005/Atom"'
    ' xmlns:dcterms="http://purl.org/dc/terms/" xmlns:odd="urn:odd" xmlns:two="urn:two"'
    ' xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel><title>T</title>'
)
ATOM_HEAD = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:odd="urn:odd" xml:lang="de">'
)


def assert_both_ways_agree(text: str) -> int:
    """How many plain items there are, which are read alike either way, alone and together."""
    apart = take_apart(text)
    assert apart is not None
    plain = [item for item in apart.items if item.is_plain]
    slow = [entry for item in plain for entry in parse_document(document_of(item))["entries"]]
    fast = [entry for item in plain for entry in parse_items(item.around, [item.element])]
    assert fast == slow
    for around in {item.around for item in plain}:
        together = [item for item in plain if item.around == around]
        alone = [entry for item, entry in zip(plain, slow, strict=True) if item.around == around]
        assert parse_items(around, [item.element for item in together]) == alone
    return len(plain)


@pytest.mark.parametrize("name", WELL_FORMED)
def test_samples_are_read_alike_either_way(name: str) -> None:
    assert_both_ways_agree(TEXTS[name])


def test_most_samples_go_the_short_way() -> None:
    assert sum(assert_both_ways_agree(TEXTS[name]) for name in WELL_FORMED) > 50


@pytest.mark.parametrize("name", WELL_FORMED)
def test_heads_are_read_alike_either_way(name: str) -> None:
    apart = take_apart(TEXTS[name])
    assert apart is not None
    slow = parse_document(apart.head)
    assert parse_head(apart.head) == {key: slow[key] for key in ("feed", "entries", "version")}


def test_a_head_that_cannot_be_read_the_short_way_says_why() -> None:
    assert read_head("<rss><channel>", "rss") != read_head("<no-feed/>", "rss")
    assert isinstance(read_head("<rss>&#99999999999;</rss>", "rss"), RawFeed | str)


@pytest.mark.parametrize("kind", FORMATS)
def test_made_feeds_are_read_as_plain_feedparser_reads_them(kind: str) -> None:
    body = FORMATS[kind](3)
    fast = parse_feed(body, URL, content_type="application/xml", now=NOW)
    assert isinstance(fast, ParsedFeed)
    assert len(fast.entries) == ENTRIES == assert_both_ways_agree(body.decode())
    assert [shown(entry) for entry in fast.entries] == in_one_piece(body.decode(), kind)


@pytest.mark.parametrize("name", WELL_FORMED)
def test_samples_are_read_as_feedparser_reads_the_whole_document(name: str) -> None:
    """Item by item, or the document in one piece: what a reader sees is the same.

    But where one item's base or ``textInput`` would rub off on the next.
    """
    kind = {"feed": "atom", "rdf": "rdf"}.get(
        root_name(TEXTS[name]).lower().partition(":")[0], "rss"
    )
    fast = parse_feed(TEXTS[name].encode(), URL, content_type=None, now=NOW)
    assert isinstance(fast, ParsedFeed)
    if name in {"rdf090.xml", "rdf10.xml"}:
        kind = "rdf"
    whole = in_one_piece(TEXTS[name], kind)
    seen = [shown(entry) for entry in fast.entries]
    assert seen == whole


def in_one_piece(text: str, kind: str) -> list[tuple[object, ...]]:
    raw = read_document(text, kind, 500)
    assert isinstance(raw, RawFeed)
    return [shown(entry) for entry in finish_feed(raw, URL, NOW).entries]


def shown(entry: FeedEntry) -> tuple[object, ...]:
    return (
        *(entry.guid, entry.url, entry.title, entry.published, entry.updated, entry.authors),
        *(entry.categories, entry.enclosures, entry.summary_html, entry.content_html, entry.image),
    )


# --- anything ---------------------------------------------------------------------------------

TEXT = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\n\t",
            "A title",
            "caf\u00e9",
            "Ã©",
            "\x85\x92",
            "<b>bold</b> & more",
            "&amp;lt;",
        ]
        + ["https://a.example/x?a=1&b=2", "/relative", "2026-11-21T10:00:00Z", "nonsense"]
        + ["Sat, 21 Nov 2026 10:00:00 GMT", "a@b.example (Ann)", "Ann <a@b.example>", "a, b,, c"]
        + ["true", "false", "x" * 1200, "PGI+eDwvYj4=", "</p>", "\u6f22\u5b57", "yes"]
    ),
    st.text(
        st.characters(
            min_codepoint=32, exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"
        ),
        max_size=20,
    ),
)
NAMES = st.sampled_from(
    "title link guid id description summary content abstract author category pubDate published updated"
    " created issued modified enclosure comments rights copyright info language keywords tags name url"
    " expirationDate webMaster generator width body fullitem svg math contributor subtitle Title"
    " content:encoded dc:creator dc:date dc:title dc:subject dc:description dc:publisher dc:rights"
    " dc:contributor dcterms:modified dcterms:created itunes:author itunes:summary itunes:subtitle"
    " itunes:image itunes:keywords itunes:category itunes:explicit itunes:owner media:content"
    " media:thumbnail media:title media:description media:credit media:keywords media:category"
    " media:rating media:license media:player media:restriction atom:link atom:updated atom:title"
    " feedburner:origLink odd:thing two:thing odd:title".split()
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ["href", "url", "type", "rel", "isPermaLink", "domain", "term", "label", "scheme", "length"]
        + [
            "mode",
            "src",
            "xml:lang",
            "lang",
            "odd:url",
            "two:href",
            "medium",
            "width",
            "text",
            "TYPE",
        ]
    ),
    st.one_of(
        st.sampled_from(["text/html", "text", "html", "xhtml", "TEXT/Plain", "base64", "alternate"])
        | st.sampled_from(["self", "enclosure", "false", "https://a.example/1", "", "en_us"]),
        TEXT,
    ),
    max_size=3,
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    name, attributes, text = draw(NAMES), draw(ATTRIBUTES), draw(TEXT)
    markup = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    inside = f"<![CDATA[{text}]]>" if draw(st.booleans()) else escape(text)
    if not depth and draw(st.integers(0, 5)) == 0:
        name, markup = "author", ""
        inside += "".join(draw(st.lists(elements(1), max_size=3)))
    return f"<{name}{markup}>{inside}</{name}>{draw(st.sampled_from(['', ' ', chr(10), 'stray']))}"


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(elements(), max_size=9), min_size=1, max_size=3), st.booleans())
def test_any_plain_item_is_read_alike_either_way(items: list[list[str]], is_atom: bool) -> None:
    head, name, tail = (
        (ATOM_HEAD, "entry", "</feed>") if is_atom else (HEAD, "item", "</channel></rss>")
    )
    body = "".join(f"<{name}>{''.join(parts)}</{name}>" for parts in items)
    undeclared = "".join(
        f' xmlns:{prefix}="urn:{prefix}"'
        for prefix in ("content", "dcterms", "itunes", "atom", "feedburner", "two")
        if is_atom
    )
    text = f"{head.replace('<feed', f'<feed{undeclared}')}{body}{tail}"
    apart = take_apart(text)
    assert apart is not None
    for item in (item for item in apart.items if item.is_plain):
        try:
            slow = parse_document(document_of(item))["entries"]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the same
            with pytest.raises(type(error)):
                parse_items(item.around, [item.element])
        else:
            assert parse_items(item.around, [item.element]) == slow


def test_what_turns_out_not_to_be_plain_raises_and_is_read_the_long_way() -> None:
    root = parse_xml(f"{HEAD}<item><title>a<b>c</b></title></item></channel></rss>")
    assert root is not None
    with pytest.raises(_UnusualError):
        parse_items(("<rss>", "<channel>"), list(root.iter("item")))
    unended = parse_xml("<rss><item><nothing/></item></rss>")
    assert unended is not None
    with pytest.raises(_UnusualError):
        parse_items(("<rss>", "<title>"), list(unended.iter("item")))
    inside_a_picture = "<rss><channel><image><item><title>a</title></item></image></channel></rss>"
    strange = take_apart(inside_a_picture)
    assert strange is not None
    with pytest.raises(_UnusualError):
        parse_items(strange.items[0].around, [strange.items[0].element])
    parsed = parse_feed(inside_a_picture.encode(), URL, content_type=None, now=NOW)
    assert isinstance(parsed, ParsedFeed)
    assert [entry.title for entry in parsed.entries] == ["a"]


def test_words_without_end_are_cut_wherever_they_stand() -> None:
    """``feedparser`` looks for addresses in them in quadratic time."""
    for place in (0, 1, 250, 499):
        filling = ". " * place
        (entry,) = parse_items(*an_item(f"<author>{filling}{'a' * 60_000}</author>"))
        assert len(entry["author"]) < 2100 + len(filling)


def an_item(parts: str) -> tuple[tuple[str, ...], list[object]]:
    apart = take_apart(f"{HEAD}<item>{parts}</item></channel></rss>")
    assert apart is not None
    return apart.items[0].around, [apart.items[0].element]


# --- nothing unsafe ---------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_in_feeds_are_harmless_as_with_feedparsers_own_sanitiser(attack: str) -> None:
    """Escaped, in CDATA and as markup; in texts, titles, names: its sanitiser is off, ours is on."""
    legal = attack.replace("\0", "")
    escaped, parts = (
        escape(legal),
        ("description", "content:encoded", "title", "author", "category"),
    )
    cdata = legal.replace("]]>", "]] >")
    items = (
        "".join(f"<{part}>{escaped}</{part}>" for part in parts),
        "".join(f"<{part}><![CDATA[{cdata}]]></{part}>" for part in parts),
        f"<link>{escaped}</link><guid>{escaped}</guid><media:thumbnail url={quoteattr(legal)}/>",
    )
    text = f"{HEAD}{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"
    parsed = parse_feed(text.encode("utf-8", "ignore"), URL, content_type=None, now=NOW)
    assert isinstance(parsed, ParsedFeed)
    for entry in parsed.entries:
        assert wrongs(entry.summary_html) == wrongs(entry.content_html) == []
        for address in (entry.url, entry.image, entry.canonical_url):
            assert address is None or address.startswith(("https://", "http://"))


def test_what_is_allowed_beyond_feedparsers_own_sanitiser_is_harmless() -> None:
    """Ours is held to these names by its own tests; theirs is what was switched off."""
    assert TAGS - _HTMLSanitizer.acceptable_elements == {
        "rp",
        "summary",
        "bdi",
        "ruby",
        "hgroup",
        "bdo",
        "mark",
        "data",
        "wbr",
        "main",
        "rt",
        "rtc",
    }
    assert (ADDRESSES | OTHERS) - _HTMLSanitizer.acceptable_attributes == {"reversed"}
