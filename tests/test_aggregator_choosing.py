"""Orders, shares, pages and archives: everything once, in one order, within the limits."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from output_builders import entry, feeds

from aggregator.stages.publish.archives import Frozen, archive_size, freeze, is_to_close, thaw
from aggregator.stages.publish.choosing import WordFilter, admit, choose, says_all, split
from aggregator.text_rules import Rule, compile_keyword
from feeds.model import OutputFeed
from feeds.writing.entry_size import entry_bytes
from feeds.writing.write_atom import render_atom
from feeds.writing.write_json import render_json
from feeds.writing.write_rss import render_rss
from storage.values.publish import Listed, Wording

listings = st.lists(
    st.builds(
        Listed,
        id=st.integers(1, 10**6),
        position=st.integers(1, 10**6),
        source_id=st.none() | st.integers(1, 4),
        outlets=st.integers(1, 5),
    ),
    unique_by=lambda item: item.position,
    max_size=30,
).map(lambda items: sorted(items, key=lambda item: -item.position))


@given(st.lists(st.integers(1, 50)), st.integers(1, 60))
def test_pages_hold_everything_once_in_order_and_within_the_limit(
    sizes: list[int], limit: int
) -> None:
    pages = split(sizes, lambda size: size, limit)
    assert [size for page in pages for size in page] == sizes
    assert pages == split(sizes, lambda size: size, limit)
    for page in pages:
        assert sum(page) <= limit or len(page) == 1
        assert page or not sizes
    for page, following in pairwise(pages):
        assert sum(page) + following[0] > limit, "no page ends before it is full"


@given(listings, st.booleans(), st.none() | st.integers(1, 3), st.integers(1, 10))
def test_a_choice_keeps_to_order_share_and_limit(
    listed: list[Listed], covered: bool, per_source: int | None, limit: int
) -> None:
    chosen = choose(listed, covered=covered, per_source=per_source, limit=limit)
    assert len(chosen) <= limit
    assert set(chosen) <= set(listed)
    keys = [(-item.outlets * covered, -item.position) for item in chosen]
    assert keys == sorted(keys)
    shares = Counter(item.source_id for item in chosen)
    assert per_source is None or not chosen or max(shares.values()) <= per_source
    # Nothing is left out but by share or limit.
    if len(chosen) < limit:
        for item in set(listed) - set(chosen):
            assert per_source is not None
            assert shares[item.source_id] == per_source


def test_one_loud_source_does_not_push_out_the_others() -> None:
    loud = [Listed(n, n, 1, 1) for n in range(100, 0, -1)]
    quiet = [Listed(1000, 0, 2, 1)]
    chosen = choose([*loud, *quiet], covered=False, per_source=3, limit=10)
    assert [item.id for item in chosen] == [100, 99, 98, 1000]


def test_words_to_include_and_to_exclude() -> None:
    said = {1: Wording("Flood", "in town"), 2: Wording("Rain", "no flood"), 3: Wording("Sun", "")}
    flood = (Rule(compile_keyword("flood")),)
    rain = (Rule(compile_keyword("rain"), "title"),)
    assert admit([1, 2, 3, 4], said, WordFilter(flood, ())).ids == (1, 2)
    assert admit([1, 2, 3, 4], said, WordFilter(flood, rain)).ids == (1,)
    assert admit([1, 2, 3, 4], said, WordFilter((), flood)).ids == (3,)
    assert admit([3, 2, 1], said, WordFilter((*flood, *rain), ())).ids == (2, 1)


def test_what_a_rule_could_not_tell_is_counted_and_not_found() -> None:
    import regex

    slow = (Rule(regex.compile(r"(z+)+$"), "text"),)
    said = {1: Wording("", "z" * 5000 + "!"), 2: Wording("", "zz")}
    included = admit([1, 2], said, WordFilter(slow, ()))
    assert (included.ids, included.undecided) == ((2,), 1)
    excluded = admit([1, 2], said, WordFilter((), slow))
    assert (excluded.ids, excluded.undecided) == ((1,), 1)


def test_every_word_that_was_asked_for() -> None:
    wording = Wording("Straße gesperrt", "Der Fluss steigt.")
    assert says_all(wording, ["strasse", "fluss"])
    assert not says_all(wording, ["strasse", "berg"])


def test_when_an_archive_is_closed() -> None:
    assert not is_to_close(100, 500, limit=100, max_bytes=1000)
    assert is_to_close(101, 500, limit=100, max_bytes=1000)
    assert is_to_close(2, 1001, limit=100, max_bytes=1000)
    assert not is_to_close(1, 10**9, limit=1, max_bytes=1000), "a single entry always fits"
    assert [archive_size(limit) for limit in (1, 2, 100, 1000)] == [1, 1, 50, 100]


def test_what_is_frozen_comes_back_the_same() -> None:
    frozen = Frozen("Title", "", tuple(entry(n) for n in range(3)))
    assert thaw(freeze(frozen)) == frozen
    assert freeze(thaw(freeze(frozen))) == freeze(frozen)


@settings(deadline=None, max_examples=100)
@given(feeds)
def test_no_entry_is_larger_than_it_was_counted(feed: OutputFeed) -> None:
    for render in (render_atom, render_rss, render_json):
        empty = len(render(replace(feed, entries=())))
        counted = sum(entry_bytes(one) for one in feed.entries)
        assert len(render(feed)) - empty <= counted


def test_an_entry_is_not_counted_for_many_times_its_size() -> None:
    one = entry(1, content_html="<p>Ordinary words, and “quotes”.</p>\n" * 200)
    size = max(
        len(render(OutputFeed("tag:x", "", "", "https://x.example/", {}, one.updated, (one,))))
        for render in (render_atom, render_rss, render_json)
    )
    assert size < entry_bytes(one) < 2.5 * size
