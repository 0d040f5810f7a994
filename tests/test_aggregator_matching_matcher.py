"""The matcher's behaviour on articles written for the purpose, and on hostile ones."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.matching.corrections import Correction
from aggregator.matching.decisions import FoldResult
from aggregator.matching.document import Document
from aggregator.matching.matcher import Limits, Matcher
from aggregator.matching.model import Model
from aggregator.matching.reasons import Kind
from aggregator.matching.recurring import is_round_up

MODEL = Model.load()
START = datetime(2026, 3, 1, 8, tzinfo=UTC)

QUAKE = (
    "A magnitude 6.1 earthquake struck the island of Amorra on Sunday, killing at least 12 people "
    "and damaging hundreds of houses in the port of Santa Elva, officials said. Governor Maria "
    "Teles declared a state of emergency and asked the army to bring tents and water. The tremor "
    "was felt as far as the capital, 200 kilometres away, where people ran into the streets."
)
QUAKE_RETOLD = (
    "Rescuers dug through rubble in Santa Elva after Sunday's earthquake on Amorra, which left at "
    "least 12 dead. Governor Maria Teles said tents and water were on their way and that hundreds "
    "of houses could not be lived in. The quake, of magnitude 6.1, was followed by aftershocks."
)
STRIKE = (
    "Train drivers in Velmark will walk out for 48 hours from Thursday in a dispute over pay, the "
    "union TGV said, after talks with the operator Norrail broke down. Commuters were told to "
    "expect no service on the northern lines. Norrail's chief, Peter Ankh, called it reckless."
)


def article(number: int, title: str, text: str, hours: float = 0, **more: object) -> Document:
    when = START + timedelta(hours=hours)
    fields = {"publisher": f"outlet {number}", "published": when, "language": "en", **more}
    return Document(id=number, title=title, text=text, arrived=when, **fields)


def stories(results: list[FoldResult]) -> dict[int, int]:
    found = {}
    for result in results:
        for one in (result.decision, *result.moves):
            found[one.id] = one.story
    return found


def fold(*documents: Document, matcher: Matcher | None = None) -> list[FoldResult]:
    matcher = Matcher(MODEL) if matcher is None else matcher
    return [matcher.add(document) for document in documents]


def test_an_event_told_twice_is_one_story_and_another_event_is_not() -> None:
    results = fold(
        article(1, "Earthquake kills 12 on Amorra", QUAKE),
        article(2, "Train drivers to strike in Velmark", STRIKE, 1),
        article(3, "Amorra earthquake: rescuers search Santa Elva", QUAKE_RETOLD, 5),
    )
    assert stories(results) == {1: 1, 2: 2, 3: 1}
    decision = results[2].decision
    assert decision.copy_of is None
    assert decision.reason.kind is Kind.EVENT
    assert decision.reason.partner == 1
    assert decision.score > decision.reason.needed > 0.5
    words = str(decision.reason)
    assert "names in common: " in words
    assert "Santa Elva" in words
    assert "5 hours apart" in words
    assert f"needed {decision.reason.needed:.2f}" in words


def test_the_first_of_a_story_has_no_score() -> None:
    decision = fold(article(1, "Earthquake kills 12 on Amorra", QUAKE))[0].decision
    assert (decision.story, decision.score, str(decision.reason)) == (
        1,
        0.0,
        "the first of its story",
    )


def test_the_same_text_is_a_copy_even_trimmed() -> None:
    text = f"{QUAKE} {STRIKE} {QUAKE_RETOLD}"
    results = fold(
        article(1, "Earthquake kills 12 on Amorra", text),
        article(2, "Deadly quake hits Amorra", text, 1),
        article(3, "Amorra in ruins", text[: len(text) * 6 // 10], 2),
    )
    assert [result.decision.copy_of for result in results] == [None, 1, 1]
    assert set(stories(results).values()) == {1}
    assert str(results[1].decision.reason) == "same text as 1, 100 %"


def test_a_copy_outlives_its_original_and_is_copied_in_turn() -> None:
    matcher = Matcher(MODEL, Limits(documents=2))
    results = fold(
        *(article(n, "Earthquake on Amorra", QUAKE, n) for n in range(1, 6)), matcher=matcher
    )
    assert [result.decision.copy_of for result in results] == [None, 1, 1, 1, 1]
    assert len(matcher) == 2
    assert set(stories(results).values()) == {1}


def test_what_left_the_window_by_age_is_not_met_again() -> None:
    matcher = Matcher(MODEL, Limits(days=10))
    results = fold(article(1, "Quake", QUAKE), article(2, "Quake", QUAKE, 24 * 11), matcher=matcher)
    assert stories(results) == {1: 1, 2: 2}
    assert 1 not in matcher
    with pytest.raises(KeyError):
        matcher.explain(1)


def test_an_article_is_not_compared_with_its_own_earlier_version() -> None:
    url = "https://outlet.test/quake"
    results = fold(article(1, "Quake", QUAKE, url=url), article(2, "Quake", QUAKE, 1, url=url))
    assert results[1].decision.evidence == ()


@pytest.mark.parametrize("title", ["", "News", "Live"])
def test_empty_and_very_short_titles_never_match(title: str) -> None:
    results = fold(*(article(n, title, "") for n in range(1, 4)))
    assert stories(results) == {1: 1, 2: 2, 3: 3}


@pytest.mark.parametrize(
    "text",
    [
        "Comments",
        "Read more",
        "Click here to read the full story",
        "submitted by /u/someone to r/news [link] [comments]",
        "The post {title} appeared first on Example Times.",
    ],
)
def test_what_a_feed_says_with_each_item_makes_no_story_of_them(text: str) -> None:
    titles = ("Harbour bridge reopens", "Parliament votes on fishing", "Volcano erupts in Iceland")
    results = fold(
        *(article(n, t, text.format(title=t), n, publisher="a") for n, t in enumerate(titles))
    )
    assert stories(results) == {0: 0, 1: 1, 2: 2}


def test_a_short_text_that_says_something_is_read() -> None:
    text = "Twelve people died when a quake of magnitude six struck Amorra and its port Santa Elva."
    results = fold(article(1, "Sunday's news", text), article(2, "What we know so far", text, 1))
    assert stories(results) == {1: 1, 2: 1}


def test_a_title_that_its_source_repeats_stands_alone() -> None:
    title = "Letters to the editor"
    results = fold(*(article(n, title, "", n, publisher="a") for n in range(1, 8)))
    assert [result.decision.recurring for result in results] == [False, False] + [True] * 5
    assert all(result.decision.evidence == () for result in results[2:])


@pytest.mark.parametrize(
    "title",
    [
        "Morning briefing",
        "Tuesday morning briefing: what you need to know",
        "The day's headlines",
        "Der Morgen in Kürze: Mittwoch, 19. April",
        "Der Tag kompakt",
        "L'essentiel de la semaine",
    ],
)
def test_a_round_up_stands_alone_from_the_first(title: str) -> None:
    results = fold(
        article(1, "Earthquake kills 12 on Amorra", QUAKE),
        article(2, title, QUAKE_RETOLD, 1),
        article(3, "Amorra quake: rescuers search Santa Elva", QUAKE_RETOLD, 3),
    )
    assert stories(results) == {1: 1, 2: 2, 3: 1}
    assert results[1].decision.recurring


@pytest.mark.parametrize(
    "title",
    [
        "White House briefing: president names new envoy to the island",
        "Intelligence briefing warned of flood days before the dam broke in Velmark",
        "Magnitude 4.5 earthquake shakes Amorra",
        "",
    ],
)
def test_news_that_mentions_a_briefing_is_no_round_up(title: str) -> None:
    assert not is_round_up(title)


def test_dated_titles_of_one_source_recur_and_numbers_alone_do_not() -> None:
    dated = fold(*(article(n, f"In pictures, {n} May", "", n, publisher="a") for n in range(1, 5)))
    assert [result.decision.recurring for result in dated] == [False, False, True, True]
    sized = fold(*(article(n, f"Magnitude 4.{n} quake", "", n, publisher="a") for n in range(1, 5)))
    assert not any(result.decision.recurring for result in sized)


def test_explain_names_the_nearest_story_that_was_not_chosen() -> None:
    matcher = Matcher(MODEL)
    other = QUAKE.replace("Amorra", "Beldan").replace("Santa Elva", "Port Hume").replace("12", "31")
    fold(
        article(1, "Earthquake kills 12 on Amorra", QUAKE),
        article(2, "Amorra quake: rescuers search Santa Elva", QUAKE_RETOLD, 3),
        article(3, "Beldan earthquake kills 31", other.replace("Maria Teles", "Jon Arve"), 900),
        matcher=matcher,
    )
    explanation = matcher.explain(2)
    assert (explanation.story, explanation.reason.partner) == (1, 1)
    assert explanation.reason.score > explanation.reason.needed
    assert all(one.story != 1 and one.score < 0.79 for one in explanation.not_chosen)
    assert all("needed" in one.why[-1] for one in explanation.not_chosen)


def test_operators_split_and_join_and_their_word_holds() -> None:
    matcher = Matcher(MODEL)
    fold(
        article(1, "Earthquake kills 12 on Amorra", QUAKE),
        article(2, "Amorra quake: rescuers search Santa Elva", QUAKE_RETOLD, 1),
        article(3, "Train drivers to strike in Velmark", STRIKE, 2),
        matcher=matcher,
    )
    (split,) = matcher.apply([Correction(1, 2, together=False)])
    assert split.id == 2
    assert split.story not in {1, 3}
    assert split.reason.kind is Kind.FIRST or split.reason.kind is Kind.OPERATOR
    (joined,) = matcher.apply([Correction(1, 3, together=True)])
    assert (joined.id, joined.story, joined.reason.kind) == (3, 1, Kind.OPERATOR)
    # What arrives later does not undo it.
    later = matcher.add(article(4, "Amorra earthquake", QUAKE_RETOLD.replace("Rescuers", "Men"), 3))
    assert {move.id for move in later.moves} == set()
    assert matcher.explain(2).story == split.story
    assert matcher.explain(3).story == 1


def test_a_word_said_before_an_article_comes_is_obeyed_when_it_comes() -> None:
    apart = Matcher(MODEL, corrections=[Correction(1, 2, together=False)])
    results = fold(article(1, "Quake", QUAKE), article(2, "Quake", QUAKE, 1), matcher=apart)
    assert stories(results) == {1: 1, 2: 2}
    joined = Matcher(MODEL, corrections=[Correction(1, 2, together=True)])
    results = fold(article(1, "Quake", QUAKE), article(2, "Strike", STRIKE, 1), matcher=joined)
    assert stories(results) == {1: 1, 2: 1}
    assert results[1].decision.reason.kind is Kind.OPERATOR


def test_an_empty_article_joined_by_an_operator_does_no_harm() -> None:
    matcher = Matcher(MODEL, corrections=[Correction(1, 2, together=True)])
    fold(article(1, "Quake", QUAKE), article(2, "", "", 1), matcher=matcher)
    result = matcher.add(article(3, "Amorra quake: rescuers search", QUAKE_RETOLD, 2))
    assert result.decision.evidence
    assert matcher.explain(2).story == 1


def test_a_split_takes_a_copy_out_of_its_text() -> None:
    matcher = Matcher(MODEL)
    fold(article(1, "Quake", QUAKE), article(2, "Quake", QUAKE, 1), matcher=matcher)
    (move,) = matcher.apply([Correction(1, 2, together=False)])
    assert (move.id, move.copy_of) == (2, None)
    assert matcher.explain(2).story == move.story != 1


def test_corrections_about_strangers_are_kept_for_later() -> None:
    matcher = Matcher(MODEL)
    assert matcher.apply([Correction(8, 9, together=True)]) == ()
    results = fold(article(8, "Quake", QUAKE), article(9, "Strike", STRIKE, 1), matcher=matcher)
    assert stories(results) == {8: 8, 9: 8}


def test_a_chain_of_near_copies_does_not_become_one_story() -> None:
    chance = random.Random(7)
    words = [f"w{n}" for n in range(5_000)]
    text = chance.sample(words, 100)
    documents = []
    for number in range(1_000):
        documents.append(article(number, " ".join(text[:8]), " ".join(text), number / 60))
        for at in chance.sample(range(100), 10):
            text[at] = chance.choice(words)
    sizes: dict[int, int] = {}
    for story in stories(fold(*documents)).values():
        sizes[story] = sizes.get(story, 0) + 1
    assert max(sizes.values()) < 200


@pytest.mark.parametrize(
    "documents",
    [
        [
            article(n, "The same title for every item here", "", n / 60, publisher=None)
            for n in range(2_000)
        ],
        [article(n, "word " * 400_000, "", n) for n in range(5)],
        [article(n, "", "word " * 400_000, n) for n in range(5)],
        [article(n, "x" * 1_000_000, "y" * 1_000_000, n) for n in range(5)],
        [article(n, "地震" * 500_000, "ไทย" * 300_000, n, language="th") for n in range(5)],
    ],
    ids=["one title", "huge titles", "one word", "one line", "unspaced"],
)
def test_hostile_input_stays_cheap(documents: list[Document]) -> None:
    started = time.process_time()
    results = fold(*documents)
    assert len(results) == len(documents)
    assert time.process_time() - started < 0.05 * len(documents) + 5


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=300)), max_size=8))
def test_any_text_gets_a_decision(texts: list[tuple[str, str]]) -> None:
    results = fold(*(article(n, *pair, n) for n, pair in enumerate(texts)))
    ids = {result.decision.id for result in results}
    assert set(stories(results).values()) <= ids
