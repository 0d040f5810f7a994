"""The parts of the matcher one by one: tokens, sketches, index, corrections, scores, files."""

import gzip
import json
import random
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.cluster import pair_confusion_matrix

from aggregator.matching.arena import Arena
from aggregator.matching.background import Background
from aggregator.matching.column import Column
from aggregator.matching.completing import ENOUGH, completed
from aggregator.matching.copies import containment, sketches
from aggregator.matching.corrections import Correction, Corrections
from aggregator.matching.document import EPOCH, Document
from aggregator.matching.evaluate import score
from aggregator.matching.examples import YOUNG, young_streams
from aggregator.matching.fingerprint import Fingerprinter
from aggregator.matching.fold import below_floors, evaluate_file, fold
from aggregator.matching.holdout import f1_of_held
from aggregator.matching.index import Postings
from aggregator.matching.jsonl import Row, opened_pile, read_rows
from aggregator.matching.model import Model, ModelError
from aggregator.matching.reasons import apart, probability
from aggregator.matching.tokens import BREAK, CAPITAL, NUMBER, Tokenizer, language_code
from aggregator.matching.train import strictest, train
from aggregator.matching.window import Window

# --- tokens ---------------------------------------------------------------------------------------


def stems(language: str, text: str) -> list[str]:
    tokenizer = Tokenizer(language)
    words = tokenizer.terms(text).words.tolist()
    spelled = {tokenizer.word_hash(part): part for part in CANDIDATE_STEMS}
    return [spelled.get(word, "?") for word in words]


CANDIDATE_STEMS = (
    "", "polic", "shoot", "polizei", "schuss", "3000", "u", "s", "東京", "京で", "地震",
    "हिन्दी", "nguyễn", "văn", "mcdonald", "นา",
)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Police's shootings 3,000", ["polic", "shoot", "3000"]),
        ("en", "McDonald's U.S.", ["mcdonald", "u", "s"]),
        ("de", "Polizei Schüsse", ["polizei", "schuss"]),
        ("vi", "Nguyễn Văn", ["nguyễn", "văn"]),
        ("", "हिन्दी", ["हिन्दी"]),
        ("ja", "東京で", ["東京", "京で"]),
    ],
)
def test_words_are_stemmed_by_language(language: str, text: str, expected: list[str]) -> None:
    assert stems(language, text) == expected


def test_kinds_tell_names_numbers_and_punctuation() -> None:
    terms = Tokenizer("en").terms("In Paris, 24 people")
    assert terms.kinds.tolist() == [CAPITAL, CAPITAL, BREAK, NUMBER, 0]


def test_the_same_word_in_two_languages_is_two_words_but_one_name() -> None:
    one, other = Tokenizer("de").terms("Paris"), Tokenizer("fr").terms("Paris")
    assert one.words != other.words
    assert one.names == other.names


def test_names_are_spelled_as_the_text_has_them() -> None:
    tokenizer = Tokenizer("en")
    wanted = frozenset(tokenizer.terms("Maria Teles Santa Elva").words.tolist())
    text = "Governor Maria Teles's aide, in (Santa Elva) today"
    assert list(tokenizer.spelled(text, wanted, 2**32 - 1)) == ["Maria Teles", "Santa Elva"]


@given(st.text(max_size=400))
def test_a_full_memory_changes_nothing(text: str) -> None:
    fresh, used = Tokenizer("en"), SHARED
    assert fresh.terms(text).words.tolist() == used.terms(text).words.tolist()


SHARED = Tokenizer("en")


def test_memory_is_bounded() -> None:
    tokenizer = Tokenizer("en")
    for start in range(0, 140_000, 1_000):
        tokenizer.terms(" ".join(f"q{n}" for n in range(start, start + 1_000)))
    assert tokenizer.terms("q1 q2").words.tolist() == Tokenizer("en").terms("q1 q2").words.tolist()


@pytest.mark.parametrize(
    ("tag", "code"), [("en-GB", "en"), ("pt_BR", "pt"), ("VI", "vi"), (None, ""), ("", "")]
)
def test_language_code(tag: str | None, code: str) -> None:
    assert language_code(tag) == code


# --- copies ---------------------------------------------------------------------------------------


def hashed(words: list[int]) -> np.ndarray:
    return (np.array(words, dtype=np.uint64) * 2654435761 % 2**32).astype(np.uint32)


def sketch(words: np.ndarray) -> np.ndarray:
    (only,) = sketches(words, np.zeros(len(words), dtype=np.int64), 1)
    return only


def test_containment_of_the_same_of_a_part_and_of_another_text() -> None:
    chance = random.Random(1)
    text = [chance.randrange(50_000) for _ in range(600)]
    other = [chance.randrange(50_000) for _ in range(600)]
    whole, part = sketch(hashed(text)), sketch(hashed(text[:240]))
    assert containment(whole, whole) == 1
    assert containment(whole, part) > 0.9
    assert containment(whole, sketch(hashed(other))) < 0.1
    assert containment(whole, sketch(hashed(text[:300] + other[:300]))) == pytest.approx(
        0.5, abs=0.2
    )


def test_too_short_texts_are_no_copies() -> None:
    assert len(sketch(hashed([1, 2, 3]))) == 0
    short = sketch(hashed(list(range(8))))
    assert containment(short, short) == 0
    assert containment(short, sketch(hashed([1]))) == 0


# --- index ----------------------------------------------------------------------------------------


def test_the_index_finds_the_newest_however_it_is_cut_and_merged() -> None:
    chance = random.Random(3)
    index, held = Postings(), {}
    for slot in range(9_000):
        terms = sorted({chance.randrange(300) for _ in range(4)})
        index.add(slot, np.array(terms, dtype=np.uint32))
        for term in terms:
            held.setdefault(term, []).append(slot)
        if slot >= 5_000:
            index.drop_before(slot - 4_999)
    wanted = np.array([5, 77, 299, 1_000_000], dtype=np.uint32)
    slots, which = index.find(wanted, 40)
    for position, term in enumerate(wanted.tolist()):
        expected = [slot for slot in held.get(term, []) if slot >= 4_000][-40:]
        assert sorted(slots[which == position].tolist()) == expected


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 900), max_size=60), st.integers(1, 40))
def test_rows_of_an_arena_stay_what_they_were_until_they_are_dropped(
    lengths: list[int], kept: int
) -> None:
    arena, places = Arena(), []
    for number, length in enumerate(lengths):
        # The block that a row does not fit in any more is left, and not lost.
        many = length * 300 % 200_000
        places.append((arena.add(np.full(many, number, dtype=np.uint32)), many))
        arena.drop_before(places[-kept:][0][0])
        rows = arena.rows(*zip(*places[-kept:], strict=True))
        for expected, row in enumerate(rows, max(number + 1 - kept, 0)):
            assert (row == expected).all()


def test_a_column_lets_go_of_what_is_dropped() -> None:
    column = Column[int]("q")
    for slot in range(20_000):
        column.add(slot * 7)
        column.drop_before(slot - 10)
        assert column[slot] == slot * 7
        assert column[max(slot - 10, 0)] == max(slot - 10, 0) * 7
    assert len(column) < 6_000


# --- scores ---------------------------------------------------------------------------------------


def test_scores_of_a_hand_worked_example() -> None:
    # Amigó et al. (2009): labels a a a b b, found {1: a a, 2: a b, 3: b}.
    scores = score(list("aaabb"), [1, 1, 2, 2, 3])
    assert scores.bcubed.precision == pytest.approx((1 + 1 + 1 / 2 + 1 / 2 + 1) / 5)
    assert scores.bcubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 / 2 + 1 / 2) / 5)
    assert (scores.pairwise.precision, scores.pairwise.recall) == (1 / 2, 1 / 4)
    assert scores.pairwise.f1 == pytest.approx(1 / 3)
    assert (scores.articles, scores.found, scores.true) == (5, 3, 2)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30))
def test_pairwise_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    true, found = [a for a, _ in pairs], [b for _, b in pairs]
    (_, wrong), (missed, right) = pair_confusion_matrix(true, found)
    scores = score(true, found)
    if right + wrong:
        assert scores.pairwise.precision == pytest.approx(right / (right + wrong))
    if right + missed:
        assert scores.pairwise.recall == pytest.approx(right / (right + missed))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_scores_of_what_is_held_out_are_those_of_all_where_all_is(
    pairs: list[tuple[int, int]],
) -> None:
    true, found = [a for a, _ in pairs], [b for _, b in pairs]
    whole = score(true, found)
    scores = f1_of_held(true, found, np.ones(len(pairs), dtype=bool))
    assert scores == pytest.approx((whole.bcubed.f1, whole.pairwise.f1))


def test_what_is_not_held_out_does_not_count() -> None:
    held = np.array([True, True, False, False])
    assert f1_of_held("aabb", [1, 1, 2, 3], held) == (1, 1)
    # A held-out article among others': its pairs count, theirs do not.
    assert f1_of_held("abbb", [1, 1, 1, 1], np.array([True, False, False, False]))[1] == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_bcubed_agrees_with_its_definition(pairs: list[tuple[int, int]]) -> None:
    """Amigó et al. (2009), 4.1: the mean over elements of the correctness of their pairs."""
    precision, recall = [], []
    for label, story in pairs:
        in_story = [a == label for a, b in pairs if b == story]
        in_label = [b == story for a, b in pairs if a == label]
        precision.append(sum(in_story) / len(in_story))
        recall.append(sum(in_label) / len(in_label))
    scores = score([a for a, _ in pairs], [b for _, b in pairs])
    assert scores.bcubed.precision == pytest.approx(sum(precision) / len(pairs))
    assert scores.bcubed.recall == pytest.approx(sum(recall) / len(pairs))
    assert 0 <= scores.pairwise.f1 <= 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_precision_one_way_is_recall_the_other(pairs: list[tuple[int, int]]) -> None:
    true, found = [a for a, _ in pairs], [b for _, b in pairs]
    one, other = score(true, found), score(found, true)
    assert (one.bcubed.precision, one.pairwise.precision) == (
        other.bcubed.recall,
        other.pairwise.recall,
    )
    assert (score(true, true).bcubed.f1, score(true, true).pairwise.f1) == (1, 1)


def test_the_example_of_bagga_and_baldwin() -> None:
    """Their figure 2 (1998): chains of 5, 2 and 5; the better answer joins the 2 with a 5."""
    true = [1] * 5 + [2] * 2 + [3] * 5
    first = score(true, [1] * 5 + [2] * 7).bcubed
    second = score(true, [1] * 5 + [2] * 2 + [1] * 5).bcubed
    assert (first.precision, second.precision) == (pytest.approx(16 / 21), pytest.approx(7 / 12))
    assert first.recall == second.recall == 1


def test_nothing_to_score_is_no_error() -> None:
    scores = score([], [])
    assert (scores.bcubed.f1, scores.pairwise.f1) == (0, 1)


# --- small things ---------------------------------------------------------------------------------


def test_later_words_replace_earlier_and_nobody_is_apart_from_himself() -> None:
    said = Corrections([Correction(1, 2, together=True), Correction(3, 3, together=False)])
    said.add([Correction(2, 1, together=False)])
    assert (said.about(1), said.about(3)) == ({2: False}, {})


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.01, "within the hour"),
        (0.05, "1 hour apart"),
        (0.25, "6 hours apart"),
        (12.2, "12 days apart"),
    ],
)
def test_time_apart_in_words(days: float, words: str) -> None:
    assert apart(days) == words


def test_probability_is_of_thousandths_and_never_overflows() -> None:
    assert probability(0) == 0.5
    assert probability(-(10**15)) < 1e-20
    assert probability(10**15) == 1


def test_a_fingerprint_is_small_and_the_same_each_time() -> None:
    chance = random.Random(5)
    text = " ".join(f"W{chance.randrange(9_000)}" for _ in range(900))
    document = Document(1, "A Title Here", text, language="en")
    one, other = (Fingerprinter(Model.load().background).make(document) for _ in range(2))
    assert one.packed.tolist() == other.packed.tolist()
    assert one.packed.nbytes + one.shingles.nbytes < 1_200


@given(
    st.lists(
        st.tuples(st.text(max_size=40), st.text(max_size=300), st.sampled_from(("en", "vi", None))),
        max_size=40,
    )
)
@settings(deadline=None, max_examples=40)
def test_fingerprints_made_together_are_those_made_one_by_one(
    texts: list[tuple[str, str, str | None]],
) -> None:
    chance = random.Random(len(texts))
    long = " ".join(f"W{chance.randrange(9_000)}" for _ in range(900))
    documents = [
        Document(n, title, text, language=tag) for n, (title, text, tag) in enumerate(texts)
    ]
    documents.append(Document(99, "A Title Here", long, language="en"))
    maker = Fingerprinter(Background())
    for made, document in zip(maker.make_all(documents), documents, strict=True):
        alone = maker.make(document)
        assert made.packed.tolist() == alone.packed.tolist()
        assert made.shingles.tolist() == alone.shingles.tolist()
        assert (made.title, made.title_words, made.words) == (
            alone.title,
            alone.title_words,
            alone.words,
        )


def test_invented_languages_take_no_end_of_memory() -> None:
    maker = Fingerprinter(Background())
    made = [maker.make(Document(1, "A Title Here", language=f"x{n}")) for n in range(200)]
    assert len(maker._tokenizers) <= 64
    assert maker.make(Document(1, "A Title Here", language="x3")).packed.tolist() == (
        made[3].packed.tolist()
    )


def test_a_story_is_completed_by_a_fair_sample_within_bounds() -> None:
    window, maker = Window(Background()), Fingerprinter(Background())
    for number in range(100):
        window.add(maker.make(Document(number, f"Headline number {number}")))
    members = {"large": range(80), "small": range(80, 83), "other": range(83, 100)}
    story = {slot: name for name, slots in members.items() for slot in slots}
    found = completed(window, [5, 7, 81], story.__getitem__, members.__getitem__)
    assert {80, 82} <= set(found)
    assert not {5, 7, 81} & set(found)
    assert not set(members["other"]) & set(found)
    sampled = [slot for slot in found if slot < 80]
    assert ENOUGH // 2 <= len(sampled) <= ENOUGH - 2
    assert min(sampled) < 10
    assert max(sampled) > 60


# --- files ----------------------------------------------------------------------------------------


def write(path: Path, *values: object) -> Path:
    lines = "".join(f"{v if isinstance(v, str) else json.dumps(v)}\n" for v in values)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(lines.encode()))
    else:
        path.write_text(lines, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_reading_names_bad_lines_and_goes_on(tmp_path: Path, name: str) -> None:
    path = write(
        tmp_path / name,
        {"id": "late", "published": "2026-03-02T10:00:00+02:00", "lang": "en", "cluster": "c"},
        "{not json",
        "",
        [1],
        {"title": "no id"},
        {"id": "late"},
        {"id": 7, "title": 5, "published": "someday", "url": None},
        {"id": "early", "title": "T", "published": "2026-03-01"},
        f'{{"id": {"9" * 5_000}}}',
        "y" * 1_000_000,
    )
    rows, bad = read_rows(path)
    assert [row.id for row in rows] == ["7", "early", "late"]
    assert [problem.line for problem in bad] == [2, 4, 5, 6, 9, 10]
    assert str(bad[0]).startswith(f"{path}:2: not JSON")
    assert bad[4].problem == "not JSON that can be read: a number of thousands of digits"
    assert rows[0].document.published is None
    assert rows[0].document.arrived == datetime(2026, 3, 1, tzinfo=UTC)
    assert rows[2].document.published == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert (rows[2].cluster, rows[0].cluster) == ("c", None)


def newsroom(events: int, seed: int) -> list[dict[str, object]]:
    """Events of two or three articles each that share names and half of their words."""
    chance = random.Random(seed)
    vocabulary = [
        f"{a}{b}{c}" for a in "bdfglmnprst" for b in "aeiou" for c in ("n", "rk", "lt", "se")
    ]
    rows = []
    for event in range(events):
        core = [chance.choice(vocabulary) for _ in range(30)]
        names = [f"Na{chance.randrange(900)}m", f"Vi{chance.randrange(900)}l"]
        for number in range(chance.choice((2, 3))):
            words = chance.sample(core, 20) + [chance.choice(vocabulary) for _ in range(20)]
            rows.append(
                {
                    "id": f"{event}-{number}",
                    "title": " ".join([*names, *words[:4]]),
                    "text": " ".join([*words, *names]),
                    "published": f"2026-03-{1 + event % 28:02}",
                    "publisher": f"p{number}",
                    "lang": "en",
                    "cluster": f"e{event}",
                }
            )
    return rows


def test_training_is_deterministic_saved_whole_and_learns(tmp_path: Path) -> None:
    path = write(tmp_path / "labelled.jsonl", *newsroom(40, 1))
    said: list[str] = []
    models = [train([path], date(2026, 3, 1), progress=said.append) for _ in range(2)]
    for number, model in enumerate(models):
        model.save(tmp_path / f"{number}.json")
    assert (tmp_path / "0.json").read_bytes() == (tmp_path / "1.json").read_bytes()
    assert said[:2] == ["without part 1 of 3", "labelled.jsonl: whole"]
    loaded = Model.load(tmp_path / "0.json")
    assert loaded.provenance["date"] == "2026-03-01"
    assert loaded.provenance["files"] == ["labelled.jsonl"]
    kinds = "on the rows trained on", "on clusters held out"
    for rows in (*kinds, f"{kinds[1]}, as streams of their own"):
        ((name, (bcubed, pairwise)),) = loaded.provenance[rows].items()
        assert name == "labelled.jsonl"
        assert 80 < bcubed <= 100
        assert 60 < pairwise <= 100
    assert loaded.background.documents == {"en": len(newsroom(40, 1))}
    report = evaluate_file(write(tmp_path / "other.jsonl", *newsroom(30, 2)), loaded)
    assert report.scores.bcubed.f1 > 0.8


def test_a_stricter_threshold_may_cost_a_fifth_of_a_point() -> None:
    assert strictest({300: 94.2, 600: 94.1, 900: 94.05, 1_200: 93.9, 1_500: 90.0}) == 900
    assert strictest({300: 90.0, 600: 95.0}) == 600


def test_young_streams_hold_a_few_of_a_cluster_each_and_keep_the_order() -> None:
    sizes = {"large": 60, "small": 3} | {f"one {n}": 1 for n in range(250)}
    labels = [label for label, size in sizes.items() for _ in range(size)]
    document = Document(id=0, title="", text="", arrived=EPOCH)
    rows = [Row(str(at), document, label) for at, label in enumerate(labels)]
    streams = young_streams(rows)
    assert len(streams) == len(rows) // YOUNG == 2
    for stream in streams:
        assert stream == sorted(stream)
        assert Counter(labels[at] for at in stream)["large"] == 4
    met = [labels[at] for stream in streams for at in stream]
    assert Counter(met) == Counter(labels) - Counter(large=52)


def test_weights_for_other_features_or_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    with pytest.raises(ModelError, match="cannot be read"):
        Model.load(path)
    path.write_text('{"format": 1, "features": ["one"]}')
    with pytest.raises(ModelError, match="newsfold train"):
        Model.load(path)


def test_folding_files_gives_a_line_per_article_and_never_reads_the_label(tmp_path: Path) -> None:
    rows = newsroom(12, 3)
    model = Model.load()
    one = write(tmp_path / "a.jsonl", *rows)
    other = write(tmp_path / "b.jsonl", *({**row, "cluster": "x"} for row in rows), "oops")
    done: list[tuple[int, int]] = []
    with opened_pile([one]) as pile:
        first = fold(pile, model, progress=lambda so_far, of: done.append((so_far, of)))
    second = fold(read_rows(other)[0], model)
    assert first == second
    assert done[-1] == (len(rows), len(rows))
    assert {line.id for line in first} == {row["id"] for row in rows}
    assert all(line.why for line in first)
    more = write(tmp_path / "c.jsonl", *({**row, "id": f"c{row['id']}"} for row in rows), "oops")
    with opened_pile([one, more]) as pile:
        assert len(pile) == len(list(pile)) == 2 * len(rows)
        assert [bad.line for bad in pile.bad] == [len(rows) + 1]


def test_floors_name_what_fell_below(tmp_path: Path) -> None:
    report = evaluate_file(write(tmp_path / "a.jsonl", *newsroom(12, 3)), Model.load())
    assert below_floors([report], {"a.jsonl": (0.1, 0.1)}) == []
    (first, second) = below_floors([report], {"a.jsonl": (1.1, 1.1)})
    assert first.startswith("a.jsonl: B-cubed F1 is ")
    assert "its floor is 1.100" in second
