"""The rules that documents are held to notice what is wrong: a check that cannot fail is none."""

from collections.abc import Callable

import pytest
from feed_rules import atom_complaints, rss_complaints
from output_builders import entry, feed

from feeds.writing.write_atom import render_atom
from feeds.writing.write_rss import render_rss

ATOM = render_atom(feed(entry(1), entry(2)))
RSS = render_rss(feed(entry(1), entry(2)))


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        (b'rel="self" href="https://news', b'rel="via" href="https://news', "no link to itself"),
        (b"story/2</id>", b"story/1</id>", "two entries have one id"),
        (b"<name>Ada Writer</name>", b"<name>Ada &lt;a@b.example&gt;</name>", "bad author"),
        (b"<updated>2026-11-22T12:00:00Z", b"<updated>2026-11-22T12:00:00", "bad date"),
        (b'rel="hub"', b'rel="hubbub"', "unregistered relation"),
        (b'rel="related"', b'rel="alternate" type="text/html"', "two alternates"),
        (b'rel="related"', b'rel="next"', "a feed's relation in an entry"),
        (b'title="Coverage"', b'title="Q &amp;amp; A"', "bad link title"),
        (b"https://hub.example/", b"https://hub.example/a b", "not a URI"),
        (b"Bridge closed after", b"&lt;b>Bridge&lt;/b>", "plain text that reads as HTML"),
        (b"Bridge closed after", b"Bridge \xc2\x93closed", "bad characters"),
        (b"Bridge closed after", b"Bridge \xe2\x80\xaeclosed", "direction controls"),
        (b'xml:lang="en-GB"', b'xml:lang="English!"', "bad language"),
        (b"&lt;hr&gt;", b"&lt;script&gt;x&lt;/script&gt;", "unsafe HTML"),
        (b'&lt;a href="https://the-herald.example', b'&lt;a href="', "relative or strange"),
        (b"<fh:archive/>", b"", None),
    ],
)
def test_atom_rules_notice(good: bytes, bad: bytes, complaint: str | None) -> None:
    notice(atom_complaints, ATOM, good, bad, complaint)


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        (b'rel="self"', b'rel="via"', "no link to itself"),
        (b"story/2</guid>", b"story/1</guid>", "two items have one guid"),
        (b'isPermaLink="false"', b'isPermaLink="true"', "the guid is no permalink"),
        (b"Sun, 22 Nov 2026", b"Mon, 22 Nov 2026", "wrong day of the week"),
        (b"Sun, 22 Nov 2026", b"Sun, 22 Nov 26", "bad date"),
        (b"<ttl>15", b"<ttl>0", "ttl is not positive"),
        (b"<language>en<", b"<language>english!<", "bad language"),
        (b"<image><url>", b"<image><url>/", "not a URI"),
        (b"<category>Local", b"<category>", "blank category"),
        (b"<description>Every story once</description>", b"", "lacks description"),
        (b"<title>Bridge closed", b"<title>AT&amp;amp;T", "plain text that reads as HTML"),
        (b"</channel>", b"<ttl>1</ttl></channel>", "metadata after the first item"),
        (b"</item>", b"<pubDate>Sun, 22 Nov 2026 12:00:00 GMT</pubDate></item>", "several pubDate"),
        (b"</item>", b"<author>x</author></item>", "belongs in dc:creator"),
        (b'version="2.0"', b'version="0.91"', "not RSS 2.0"),
        (b"<docs>", b"<docs>", None),
    ],
)
def test_rss_rules_notice(good: bytes, bad: bytes, complaint: str | None) -> None:
    notice(rss_complaints, RSS, good, bad, complaint)


def notice(
    complaints: Callable[[bytes], list[str]],
    document: bytes,
    good: bytes,
    bad: bytes,
    complaint: str | None,
) -> None:
    found = complaints(document.replace(good, bad))
    if complaint is None:
        assert found == []
    else:
        assert good in document
        assert any(complaint in sentence for sentence in found), found


def test_an_archive_that_leads_nowhere_is_noticed() -> None:
    archive = render_atom(feed(entry(), archive=True, page_links={}))
    assert atom_complaints(archive) == [
        "an archive that leads nowhere",
        "an archive without its current document",
    ]
