"""Whatever a feed sends for text can be kept; on neither engine does any of it do harm."""

import json

import pytest
from builders import (
    NOW,
    add_articles,
    add_source,
    add_sources,
    article_reading,
    commit_poll,
    decision,
    entry_write,
    known_hashes,
    latest_stories,
    poll_commit,
    source_config,
    story_write,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.model import Validators
from storage.articles import claim_new, commit_reading
from storage.columns import dump_json, storable, storable_key
from storage.database import Database
from storage.folding import commit_fold, folded_since, waiting_to_fold
from storage.publishing import story_by_slug
from storage.sources import claim_due, source_health
from storage.values.fold import FoldCommit
from storage.values.poll import FeedFacts
from storage.values.publish import StoryFilter

NASTY = "a\x00b\ud800c\udfff\U0001f600\u202e\x01\ufeff'\"\\u0000%s\\"
CLEAN = "abc\U0001f600\u202e\x01\ufeff'\"\\u0000%s\\"
WILD = st.text(st.characters())


def test_strange_text_passes_through_every_stage(database: Database) -> None:
    (source,) = add_sources(database, source_config("times", name=NASTY, category=NASTY))
    assert source.name == CLEAN
    write = entry_write(
        NASTY,
        NASTY,
        url=NASTY,
        title=NASTY,
        summary_html=NASTY,
        content_html=NASTY,
        authors=(NASTY,),
        categories=(NASTY, NASTY),
        language=NASTY,
        image=NASTY,
        content_hash=NASTY,
    )
    commit = poll_commit(
        source.id,
        write,
        error=NASTY,
        schedule={"note": NASTY, NASTY: [NASTY, {"deep": NASTY}]},
        feed=FeedFacts(NASTY, NASTY, NASTY, NASTY),
        validators=Validators(source.url, NASTY, NASTY),
        body_hash=NASTY,
    )
    commit_poll(database, commit)

    assert known_hashes(database, source.id, [NASTY]) == {NASTY: CLEAN}
    commit_poll(database, poll_commit(source.id, changed=(write,)))
    assert source_health(database)[0].site_url == CLEAN
    (state,) = claim_due(database, NOW.replace(year=2027), NOW, 10)
    assert state.validators == Validators(source.url, CLEAN, CLEAN)

    (article,) = claim_new(database, NOW, NOW, 10)
    (seen,) = article.appearances
    assert (seen.title, seen.authors, seen.categories) == (CLEAN, (CLEAN,), (CLEAN, CLEAN))
    reading = article_reading(
        article.id,
        title=NASTY,
        text=NASTY,
        html=NASTY,
        summary=NASTY,
        matching_text=NASTY,
        text_reasons=(NASTY,),
        agency=NASTY,
    )
    assert commit_reading(database, reading)
    (waiting,) = waiting_to_fold(database, NOW, NOW - NOW, 10)
    assert (waiting.title, waiting.matching_text) == (CLEAN, CLEAN)

    reason = {"kind": NASTY, "parts": [NASTY, 1.5, None]}
    story = story_write(1, article.id, title=NASTY, slug=NASTY, events=(("founded", NASTY),))
    commit_fold(database, FoldCommit(NOW, (decision(article.id, reason=reason),), stories=(story,)))
    (folded,) = folded_since(database, NOW)
    assert folded.reason == {"kind": CLEAN, "parts": [CLEAN, 1.5, None]}
    view = story_by_slug(database, NASTY)
    assert view is not None
    assert (view.title, view.lead.text, view.lead.agency) == (CLEAN, CLEAN, CLEAN)
    wanted = StoryFilter(categories=(NASTY,), languages=("en", NASTY))
    assert len(latest_stories(database, wanted)) == 1


def test_very_long_keys_are_told_apart(database: Database) -> None:
    """PostgreSQL indexes no more than 2,704 bytes, and random text does not compress."""
    source = add_source(database)
    long = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(30_000))
    one, two = entry_write(long + "1", long + "1"), entry_write(long + "2", long + "2")
    commit_poll(database, poll_commit(source.id, one, two))

    known = known_hashes(database, source.id, [long + "1", long + "2", long + "3"])

    assert set(known) == {long + "1", long + "2"}
    found = claim_new(database, NOW, NOW, 10)
    assert [article.url for article in found] == [one.entry.url, two.entry.url]


@given(WILD)
def test_storable_text_is_text_without_the_unstorable(wild: str) -> None:
    clean = storable(wild)

    clean.encode()
    assert "\x00" not in clean
    assert storable(clean) == clean
    if "\x00" not in wild and wild.isprintable():
        assert clean == wild


@given(st.text(st.characters(), max_size=10), st.integers(0, 3000))
def test_storable_keys_fit_an_index(wild: str, repeat: int) -> None:
    key = storable_key(wild * repeat)

    assert len(key.encode()) < 2100
    assert storable_key(key) == key or len(key.encode()) > 2000


@given(st.text(alphabet="xé漢", min_size=1, max_size=9), st.text(min_size=1))
def test_long_keys_with_the_same_beginning_stay_different(start: str, end: str) -> None:
    if storable(end):
        assert storable_key(start * 2001) != storable_key(start * 2001 + end)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WILD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WILD, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_holds_nothing_unstorable(value: object) -> None:
    dumped = dump_json(value)

    dumped.encode()
    again = json.loads(dumped)
    assert "\x00" not in json.dumps(again)
    assert dump_json(again) == dumped


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(WILD, JSON, max_size=4))
def test_json_comes_back_as_it_was(database: Database, schedule: dict[str, object]) -> None:
    source = add_source(database) if not source_health(database) else None
    source_id = source.id if source else source_health(database)[0].id
    commit_poll(database, poll_commit(source_id, schedule=schedule))

    (state,) = claim_due(database, NOW.replace(year=2027), NOW, 10)

    assert state.schedule == json.loads(dump_json(schedule))


@pytest.mark.parametrize("number", [0, -1, 2**53, 1.5, -0.25])
def test_json_numbers_come_back_as_they_were(database: Database, number: float) -> None:
    source_id = add_source(database).id
    commit_poll(database, poll_commit(source_id, schedule={"number": number}))

    assert claim_due(database, NOW.replace(year=2027), NOW, 1)[0].schedule == {"number": number}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WILD.filter(bool), max_size=5, unique_by=storable_key))
def test_any_guids_are_known_again(database: Database, guids: list[str]) -> None:
    source_id = (source_health(database) or (add_source(database),))[0].id
    commit_poll(database, poll_commit(source_id, *(entry_write(g, g or "k") for g in guids)))

    assert set(known_hashes(database, source_id, guids)) == set(guids)


def test_an_article_may_have_no_text_at_all(database: Database) -> None:
    (article_id,) = add_articles(database, add_source(database).id, "a")
    empty = article_reading(article_id, title="", text="", html="", summary="", matching_text="")

    assert commit_reading(database, empty)
    assert waiting_to_fold(database, NOW, NOW - NOW, 10)[0].matching_text == ""
