"""A matcher rebuilt from storage decides exactly like one that never stopped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.matching.corrections import Correction
from aggregator.matching.decisions import Decision, FoldResult
from aggregator.matching.document import Document
from aggregator.matching.matcher import Limits, Matcher
from aggregator.matching.model import Model

MODEL = Model.load()
START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(hours=1)
SUBJECTS = ("Harbour Bridge", "Mayor Alma Reyes", "Northfield Mill", "Lake Orta", "Dr Ian Quayle")
VERBS = ("burns down", "is sold for 40 million", "closes after 112 years", "wins a court case")
FILLERS = (
    "Officials said on Tuesday that nobody was hurt.",
    "Residents had complained for years about the state of the roof.",
    "A spokeswoman for the council declined to comment.",
    "The inquiry, led by Judge Petra Holm, will report in June.",
    "Firefighters from 3 counties worked through the night.",
)


@st.composite
def articles(draw: st.DrawFn) -> Document:
    subject, verb = draw(st.sampled_from(SUBJECTS)), draw(st.sampled_from(VERBS))
    fillers = draw(st.lists(st.sampled_from(FILLERS), max_size=4))
    title = draw(
        st.sampled_from((f"{subject} {verb}", "Morning briefing", "", f"{verb}: {subject}"))
    )
    text = draw(st.sampled_from((" ".join([f"{subject} {verb}.", *fillers]), "", subject)))
    return Document(
        id=0,
        title=title,
        text=text * draw(st.integers(1, 3)),
        url=draw(st.sampled_from((None, "https://a.test/1", "https://a.test/2"))),
        publisher=draw(st.sampled_from((None, "a", "b"))),
        published=draw(st.none() | st.just(START)),
        arrived=START,
        language=draw(st.sampled_from(("en", "vi", None))),
    )


def remember(
    kept: dict[int, tuple[Document, Decision]], document: Document, result: FoldResult
) -> None:
    kept[document.id] = document, result.decision
    for move in result.moves:
        earlier, decision = kept[move.id]
        kept[move.id] = earlier, replace(decision, story=move.story, copy_of=move.copy_of)


@settings(deadline=None, max_examples=60)
@given(
    drawn=st.lists(articles(), min_size=2, max_size=25),
    hours=st.lists(st.integers(0, 60), min_size=25, max_size=25),
    stop=st.integers(0, 25),
    said=st.lists(st.tuples(st.integers(1, 25), st.integers(1, 25), st.booleans()), max_size=3),
    capacity=st.sampled_from((4, 9, 100)),
)
def test_an_interrupted_run_gives_the_same_stories(
    drawn: list[Document],
    hours: list[int],
    stop: int,
    said: list[tuple[int, int, bool]],
    capacity: int,
) -> None:
    documents, now = [], START
    for number, (document, gap) in enumerate(zip(drawn, hours, strict=False), 1):
        now += timedelta(hours=gap)
        published = now if document.published else None
        documents.append(replace(document, id=number, arrived=now, published=published))
    corrections = [Correction(a, b, together) for a, b, together in said if a != b]
    limits = Limits(days=20, documents=capacity)

    steady, kept = Matcher(MODEL, limits, corrections), {}
    for document in documents[:stop]:
        remember(kept, document, steady.add(document))
    rebuilt = Matcher(MODEL, limits, corrections)
    for document, decision in kept.values():
        if document.id in steady:
            rebuilt.restore(document, decision)

    rebuilt.prepare(documents[stop:])  # a matter of speed alone
    for document in documents[stop:]:
        assert rebuilt.add(document) == steady.add(document)
    for document in documents:
        assert (document.id in rebuilt) == (document.id in steady)
        if document.id in steady:
            assert rebuilt.explain(document.id) == steady.explain(document.id)


def test_restoring_what_is_there_already_is_an_error() -> None:
    matcher = Matcher(MODEL)
    document = Document(id=1, title="Harbour Bridge burns down", language="en")
    decision = matcher.add(document).decision
    for again in (matcher.add, lambda one: matcher.restore(one, decision)):
        with pytest.raises(ValueError, match="document 1 "):
            again(document)


@settings(deadline=None, max_examples=40)
@given(
    drawn=st.lists(articles(), min_size=4, max_size=25),
    forgotten=st.sets(st.integers(1, 25), max_size=8),
    stop=st.integers(3, 25),
    capacity=st.sampled_from((4, 9, 100)),
)
def test_what_turned_out_to_be_another_article_is_in_no_answer_any_more(
    drawn: list[Document], forgotten: set[int], stop: int, capacity: int
) -> None:
    matcher = Matcher(MODEL, Limits(days=20, documents=capacity))
    gone: set[int] = set()
    for number, document in enumerate(drawn, 1):
        decided = matcher.add(replace(document, id=number, arrived=START + number * STEP))
        assert not gone & {one.id for one in decided.decision.evidence}
        assert decided.decision.reason.partner not in gone
        assert not gone & {move.id for move in decided.moves}
        if number == stop:
            gone = {one for one in forgotten if one <= number}
            for one in gone:
                matcher.forget(one)
    left = [number for number in range(1, len(drawn) + 1) if number in matcher]
    assert len(matcher) == len(left) <= capacity
    assert not gone & {number for number in left if number <= stop}
    for number in left:
        assert matcher.explain(number).reason.partner not in gone
