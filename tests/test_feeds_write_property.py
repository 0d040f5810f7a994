"""Any merged feed at all is a valid document in every format, and reads back as what went in.

"What went in" is modulo the clean-up that feeds.writing.entry_parts and
feeds.writing.output_values document; that this clean-up leaves ordinary text alone is tested
beside it.
"""

import json
from pathlib import Path

import feedparser
import jsonschema
import pytest
from feed_rules import ATOM, CONTENT, DC, atom_complaints, rss_complaints
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from output_builders import feeds, texts, urls

from feeds.model import OpmlSource, OutputFeed
from feeds.writing import entry_parts
from feeds.writing.output_values import rfc822, rfc3339, web_url
from feeds.writing.write_atom import render_atom
from feeds.writing.write_json import render_json
from feeds.writing.write_opml import render_opml
from feeds.writing.write_rss import render_rss

SCHEMAS = Path(__file__).parents[2] / "shared/data/schemas"
ATOM_SCHEMA = SCHEMAS / "atom-rfc4287.rng"
JSON_SCHEMA = SCHEMAS / "jsonfeed-1.1.schema.json"

# Whole feeds take their time to draw; what matters is that nothing else is measured here.
unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

opml_sources = st.builds(
    OpmlSource,
    title=texts,
    feed_url=urls,
    site_url=st.none() | urls,
    categories=st.lists(texts, max_size=2).map(tuple),
    language=st.none() | texts,
)


@unhurried
@given(feeds)
def test_any_feed_is_clean_atom_that_reads_back(feed: OutputFeed) -> None:
    document = render_atom(feed)
    assert atom_complaints(document) == []
    root = etree.fromstring(document)
    assert root.findtext(ATOM + "title") == entry_parts.feed_title(feed)
    elements = root.findall(ATOM + "entry")
    for entry, element in zip(feed.entries, elements, strict=True):
        assert element.findtext(ATOM + "id") == entry.id
        assert element.findtext(ATOM + "title") == entry_parts.title(entry)
        assert (element.findtext(ATOM + "summary") or "") == entry_parts.summary(entry)
        assert element.findtext(ATOM + "content") == entry_parts.content(entry)
        assert element.findtext(ATOM + "published") == rfc3339(entry.published)
        assert (element.findtext(ATOM + "updated") or "")[:19] == rfc3339(entry.updated)[:19]
        names = [name.text for name in element.iter(ATOM + "name")]
        assert names == entry_parts.authors(entry)
        terms = [category.get("term") for category in element.findall(ATOM + "category")]
        assert terms == entry_parts.categories(entry)
        links = {link.get("href") for link in element.findall(ATOM + "link")}
        assert links >= {web_url(entry.url), *entry_parts.other_tellings(entry)}


@unhurried
@given(feeds)
def test_any_feed_is_clean_rss_that_reads_back(feed: OutputFeed) -> None:
    document = render_rss(feed)
    assert rss_complaints(document) == []
    root = etree.fromstring(document)
    assert root.findtext("channel/title") == entry_parts.feed_title(feed)
    for entry, item in zip(feed.entries, root.findall("channel/item"), strict=True):
        assert item.findtext("guid") == entry.id
        assert item.findtext("title") == entry_parts.title(entry)
        assert item.findtext("link") == web_url(entry.url)
        assert item.findtext("pubDate") == rfc822(entry.published)
        assert item.findtext("source") == entry_parts.source_title(entry.source)
        assert item.findtext(CONTENT + "encoded") == entry_parts.content(entry)
        assert item.findtext(DC + "creator") == ", ".join(entry_parts.authors(entry))
        assert [c.text for c in item.findall("category")] == entry_parts.categories(entry)


@unhurried
@given(feeds)
def test_any_feed_is_json_that_reads_back(feed: OutputFeed) -> None:
    document = json.loads(render_json(feed))
    assert document["title"] == entry_parts.feed_title(feed)
    for entry, item in zip(feed.entries, document["items"], strict=True):
        assert item["id"] == entry.id
        assert item["title"] == entry_parts.title(entry)
        assert item["url"] == web_url(entry.url)
        assert item["date_published"] == rfc3339(entry.published)
        assert item["date_modified"] == rfc3339(entry.updated)
        assert item["content_html"] == entry_parts.content(entry)
        assert [author["name"] for author in item["authors"]] == entry_parts.authors(entry)
        assert item.get("tags", []) == entry_parts.categories(entry)
        assert item["_newsfold"]["outlets"] == entry.outlets
        assert len(item["_newsfold"].get("coverage", [])) == len(entry.coverage)


@unhurried
@given(feeds)
def test_feedparser_reads_every_id_and_link_of_any_feed(feed: OutputFeed) -> None:
    for document in (render_atom(feed), render_rss(feed)):
        parsed = feedparser.parse(document)
        assert not parsed.bozo
        assert [item.id for item in parsed.entries] == [entry.id for entry in feed.entries]
        links = [
            (item.link, web_url(entry.url))
            for item, entry in zip(parsed.entries, feed.entries, strict=False)
        ]
        # feedparser resolves what looks like an entity (``&0;``) in an address once more.
        assert all(read == written or "&" in str(written) for read, written in links)


@given(texts, st.lists(opml_sources, max_size=4))
def test_any_subscriptions_are_opml_that_reads_back(title: str, sources: list[OpmlSource]) -> None:
    root = etree.fromstring(render_opml(title, sources))
    addresses = [outline.get("xmlUrl") for outline in root.iterfind(".//outline[@type='rss']")]
    assert sorted(map(str, addresses)) == sorted(str(web_url(s.feed_url)) for s in sources)


@pytest.mark.skipif(not ATOM_SCHEMA.exists(), reason="no RELAX NG schema in ../shared/data")
@unhurried
@given(feeds)
def test_the_schema_of_rfc_4287_accepts_any_feed(feed: OutputFeed) -> None:
    schema = etree.RelaxNG(etree.parse(ATOM_SCHEMA))
    schema.assertValid(etree.fromstring(render_atom(feed)))


@pytest.mark.skipif(not JSON_SCHEMA.exists(), reason="no JSON Feed schema in ../shared/data")
@unhurried
@given(feeds)
def test_the_schema_of_json_feed_accepts_any_feed(feed: OutputFeed) -> None:
    schema = json.loads(JSON_SCHEMA.read_text())
    checker = jsonschema.FormatChecker()
    jsonschema.validate(json.loads(render_json(feed)), schema, format_checker=checker)
