"""Atom output: what stands where, and that validators have nothing to say."""

from pathlib import Path

import feedparser
import pytest
from feed_rules import ATOM, HISTORY, LANG, MEDIA, atom_complaints
from lxml import etree
from lxml.etree import _Element
from output_builders import NOON, coverage, entry, feed, source

from feeds.model import Generator, OutputEntry
from feeds.writing.write_atom import render_atom

SCHEMA = Path(__file__).parents[2] / "shared/data/schemas/atom-rfc4287.rng"


def written(*entries: OutputEntry, **changes: object) -> _Element:
    document = render_atom(feed(*entries, **changes))
    assert atom_complaints(document) == []
    return etree.fromstring(document)


def links(parent: _Element | None, relation: str) -> list[str | None]:
    assert parent is not None
    return [link.get("href") for link in parent.findall(f"{ATOM}link[@rel='{relation}']")]


def test_the_feed_says_what_it_is_and_where_it_is() -> None:
    root = written()
    assert root.findtext(ATOM + "id") == "tag:news.example,2026:output/news"
    assert root.findtext(ATOM + "title") == "Merged news"
    assert root.findtext(ATOM + "subtitle") == "Every story once"
    assert root.findtext(ATOM + "updated") == "2026-11-22T12:00:00Z"
    assert root.findtext(ATOM + "rights") == "Each article belongs to its outlet"
    assert root.get(LANG) == "en"
    assert links(root, "self") == ["https://news.example/news.atom"]
    assert links(root, "hub") == ["https://hub.example/", "https://hub2.example/"]
    assert links(root, "alternate") == ["https://news.example/"]
    generator = root.find(ATOM + "generator")
    assert generator is not None
    assert (generator.text, generator.get("version")) == ("Newsfold", "0.1.0")


def test_an_entry_shows_its_lead_and_names_the_source_and_the_other_outlets() -> None:
    (element,) = written(entry()).findall(ATOM + "entry")
    assert element.findtext(ATOM + "title") == "Bridge closed after flood"
    assert element.findtext(ATOM + "summary") == "The old bridge was closed on Sunday."
    assert element.findtext(ATOM + "published") == "2026-11-22T11:00:00Z"
    assert [name.text for name in element.iter(ATOM + "name")] == ["Ada Writer", "Ben Editor"]
    assert [c.get("term") for c in element.iter(ATOM + "category")] == ["Local", "Weather"]
    assert element.get(LANG) == "en-GB"
    assert links(element, "alternate") == ["https://gazette.example/bridge-1"]
    assert links(element, "related") == [
        "https://news.example/stories/1",
        "https://daily-copy.example/story",
        "https://the-herald.example/story",
        "https://herald-online.example/story",
    ]
    image = element.find(MEDIA + "content")
    assert image is not None
    assert image.get("url") == "https://gazette.example/bridge.jpg"
    lead = element.find(ATOM + "source")
    assert lead is not None
    assert lead.findtext(ATOM + "id") == "https://gazette.example/feed.xml"
    assert lead.findtext(ATOM + "title") == "The Gazette: News"
    assert lead.findtext(ATOM + "rights") == "© 2026 The Gazette"
    assert links(lead, "self") == ["https://gazette.example/feed.xml"]
    assert links(lead, "alternate") == ["https://gazette.example/"]


def test_entries_that_share_a_source_each_have_it() -> None:
    elements = written(entry(1), entry(2), entry(3)).findall(ATOM + "entry")
    titles = [element.findtext(f"{ATOM}source/{ATOM}title") for element in elements]
    assert titles == ["The Gazette: News"] * 3


def test_an_entry_without_author_language_or_times_is_still_complete() -> None:
    bare = entry(
        authors=(),
        categories=(),
        language=None,
        image=None,
        page_url=None,
        summary="",
        coverage=(),
        source=source(updated=None, rights=None, icon=None, site_url=None),
    )
    (element,) = written(bare, language=None, rights=None, icon=None).findall(ATOM + "entry")
    assert element.findtext(f"{ATOM}author/{ATOM}name") == "The Gazette: News"
    assert element.findtext(f"{ATOM}source/{ATOM}updated") == "2026-11-22T12:00:00Z"
    assert element.find(ATOM + "summary") is None


def test_a_leading_by_is_no_part_of_a_name() -> None:
    named = ("By Ada Writer", "by: Ben Byrd", "Byron Bay", "By", "by  Carl")
    root = etree.fromstring(render_atom(feed(entry(authors=named))))
    names = [name.text for name in root.iter(ATOM + "name")]
    assert names == ["Ada Writer", "Ben Byrd", "Byron Bay", "By", "Carl"]


def test_the_outlet_stands_in_for_missing_authors_and_mail_addresses_stay_private() -> None:
    unsigned = written(entry(authors=("", " ")))
    assert unsigned.findtext(f".//{ATOM}author/{ATOM}name") == "The Gazette"
    signed = written(entry(authors=("Ada Writer <ada@gazette.example>",)))
    assert signed.findtext(f".//{ATOM}author/{ATOM}name") == "Ada Writer"


def test_entries_updated_together_have_distinct_times_that_stay_theirs() -> None:
    entries = [entry(number, updated=NOON) for number in range(50)]
    times = {element.text for element in written(*entries).iterfind(f"{ATOM}entry/{ATOM}updated")}
    assert len(times) == 50
    alone = written(entries[7]).findtext(f"{ATOM}entry/{ATOM}updated")
    assert alone in times
    assert alone is not None
    assert alone.startswith("2026-11-22T12:00:00.")


def test_a_plain_title_that_reads_as_markup_is_still_plain() -> None:
    wild = 'AT&T <b>&amp; "S&P500"</b> ]]> 👩\u200d👩\u200d👧'
    herald = coverage("The Herald", title="Tags & </b>")
    document = render_atom(feed(entry(title=wild, coverage=(coverage(), herald))))
    assert atom_complaints(document) == []
    assert etree.fromstring(document).findtext(f"{ATOM}entry/{ATOM}title") == wild
    assert b"&#x26;amp; " in document


def test_archives_and_complete_feeds_are_marked() -> None:
    pages = {"atom": {"current": "https://news.example/news.atom"}}
    pages["atom"]["prev-archive"] = "https://news.example/archive/1.atom"
    archive = written(entry(), archive=True, page_links=pages)
    assert archive.find(HISTORY + "archive") is not None
    assert archive.find(HISTORY + "complete") is None
    assert links(archive, "prev-archive") == ["https://news.example/archive/1.atom"]
    complete = written(entry(), complete=True, page_links={})
    assert complete.find(HISTORY + "complete") is not None


def test_a_document_without_an_address_of_its_own_links_to_none() -> None:
    root = etree.fromstring(render_atom(feed(self_urls={}, generator=Generator(), icon=None)))
    assert links(root, "self") == []
    generator = root.find(ATOM + "generator")
    assert generator is not None
    assert not generator.attrib


def test_the_same_feed_is_the_same_bytes() -> None:
    assert render_atom(feed(entry(1), entry(2))) == render_atom(feed(entry(1), entry(2)))


def test_nothing_but_links_to_follow_is_followed() -> None:
    strange = entry(
        url="javascript:alert(1)",
        page_url="mailto:a@b.example",
        image="data:image/png;base64,AA",
        source=source(feed_url="file:///feed", site_url="data:text/html,x"),
        coverage=(coverage(url="ftp://files.example/"), coverage(url="javascript:alert(2)")),
    )
    (element,) = written(strange, icon="file:///etc/passwd").findall(ATOM + "entry")
    assert element.findall(ATOM + "link") == []
    assert element.findall(f"{ATOM}source/{ATOM}link") == []
    assert b"javascript" not in etree.tostring(element)


def test_titles_and_texts_of_two_megabytes_come_out_bounded() -> None:
    huge = "word " * 400_000
    big = entry(
        title=huge,
        summary=huge,
        content_html=f"<p>{huge}</p>",
        authors=(huge,) * 30,
        categories=(huge,),
        source=source(title=huge, rights=huge),
        coverage=(coverage(huge, title=huge, copies=(coverage(huge),) * 30),) * 30,
    )
    document = render_atom(feed(big))
    assert atom_complaints(document) == []
    assert len(document) < 30_000_000


def test_feedparser_reads_back_what_was_written() -> None:
    parsed = feedparser.parse(render_atom(feed(entry())))
    assert not parsed.bozo
    (item,) = parsed.entries
    assert item.id == "tag:news.example,2026:story/1"
    assert item.link == "https://gazette.example/bridge-1"
    assert item.title == "Bridge closed after flood"
    assert [author.name for author in item.authors] == ["Ada Writer", "Ben Editor"]
    assert item.source.title == "The Gazette: News"
    assert item.published_parsed[:5] == (2026, 11, 22, 11, 0)
    assert "The Herald" in item.content[0].value


@pytest.mark.skipif(not SCHEMA.exists(), reason="the RELAX NG schema is not in ../shared/data")
def test_the_schema_of_rfc_4287_accepts_it() -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    document = render_atom(feed(entry(1), entry(2, content_html=None, coverage=())))
    schema.assertValid(etree.fromstring(document))
