"""The list at the foot of an entry."""

import html5lib
from lxml import html
from output_builders import coverage, entry

from feeds.writing.coverage import MAX_LISTED, coverage_html
from feeds.writing.entry_parts import content


def test_every_outlet_is_named_linked_and_timed_with_its_copies_under_it() -> None:
    foot = coverage_html(entry())
    assert foot == (
        '<hr><p><a href="https://gazette.example/bridge-1" dir="auto">The Gazette</a>,'
        ' <time datetime="2026-11-22T12:00:00Z">2026-11-22 12:00 UTC</time>;'
        ' also at <a href="https://daily-copy.example/story" dir="auto">Daily Copy</a>,'
        ' <time datetime="2026-11-22T12:00:00Z">2026-11-22 12:00 UTC</time></p>'
        '<p><a href="https://news.example/stories/1" dir="auto">Told by 2 outlets</a>:</p>'
        '<ul><li><a href="https://the-herald.example/story" dir="auto">How The Herald put it</a>'
        ' — The Herald, <time datetime="2026-11-22T12:00:00Z">2026-11-22 12:00 UTC</time>;'
        ' also at <a href="https://herald-online.example/story" dir="auto">Herald Online</a>,'
        ' <time datetime="2026-11-22T12:00:00Z">2026-11-22 12:00 UTC</time></li></ul>'
    )


def test_a_story_told_once_names_its_outlet_only() -> None:
    foot = coverage_html(entry(coverage=(coverage("The Gazette", published=None),), outlets=1))
    link = '<a href="https://the-gazette.example/story" dir="auto">The Gazette</a>'
    assert foot == f"<hr><p>{link}</p>"


def test_without_coverage_there_is_no_foot() -> None:
    assert coverage_html(entry(coverage=())) == ""


def test_two_feeds_of_one_outlet_count_as_one() -> None:
    foot = coverage_html(entry(coverage=(coverage(), coverage()), outlets=1, page_url=None))
    assert "<p>Told by 1 outlet:</p>" in foot


def test_names_and_headlines_are_text_and_addresses_only_links() -> None:
    wild = coverage(
        '<b>"A & B"</b>', title="<script>x</script>\u202e", url='https://a.example/"?a=1&b'
    )
    bad = coverage("Bad", title="Bad one", url="javascript:alert(1)")
    foot = coverage_html(entry(coverage=(coverage(), wild, bad)))
    html5lib.HTMLParser(strict=True).parseFragment(foot)
    items = html.fragments_fromstring(foot)[-1].findall("li")
    assert items[0].text_content().startswith('<script>x</script> — <b>"A & B"</b>')
    assert items[0].xpath("a/@href") == ["https://a.example/%22?a=1&b"]
    assert items[1].xpath("a") == []
    assert items[1].text_content().startswith("Bad one — Bad")


def test_what_has_no_name_is_named_by_its_address() -> None:
    foot = coverage_html(entry(coverage=(coverage(outlet="", url="https://x.example/1"),) * 2))
    assert ">https://x.example/1</a>" in foot
    nameless = coverage_html(
        entry(coverage=(coverage(), coverage(title="", url="https://y.example/2")))
    )
    assert ">https://y.example/2</a> — The Herald" in nameless


def test_a_thousand_outlets_are_counted_beyond_the_limit() -> None:
    many = (coverage(copies=(coverage(),) * (MAX_LISTED + 7)),) * (MAX_LISTED + 6)
    foot = coverage_html(entry(coverage=many))
    assert foot.count("<li>") == MAX_LISTED + 1
    assert foot.endswith("<li>and 5 more</li></ul>")
    assert foot.count("and 7 more") == MAX_LISTED + 1


def test_content_is_the_text_or_the_summary_or_the_title_with_the_foot() -> None:
    foot = coverage_html(entry())
    assert content(entry()) == "<p>The old bridge was <b>closed</b> on Sunday.</p>" + foot
    summarised = content(entry(content_html=None, summary="1 < 2"))
    assert summarised == "<p>1 &lt; 2</p>" + foot
    assert (
        content(entry(content_html=None, summary="")) == "<p>Bridge closed after flood</p>" + foot
    )
    too_long = content(entry(content_html="<p>x</p>" * 100_000))
    assert too_long == "<p>The old bridge was closed on Sunday.</p>" + foot
