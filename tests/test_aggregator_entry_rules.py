"""Rules for entries on their way in: what they decide, and what a config may not say."""

import time
from pathlib import Path
from typing import Any

import pytest
from builders import entry_write, feed_entry
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.entry_settings import PublisherSettings
from aggregator.config.loading import ConfigError, load_config
from aggregator.config.publishers import publisher_of
from aggregator.config.settings import Settings
from aggregator.config.source_settings import SourceSettings
from aggregator.stages.poll.entry_rules import EntryRules, Verdict, bare_title, ruled
from storage.values.poll import Ruling

TIMES, HERALD = "https://times.example/feed", "https://herald.example/feed"
SOURCES = [
    {"url": TIMES, "name": "Times", "category": "world"},
    {"url": HERALD, "name": "Herald", "category": "sport"},
]
Row = dict[str, Any]


def rules(*rows: Row, sources: list[Row] | None = None) -> EntryRules:
    return EntryRules(Settings.model_validate({"source": sources or SOURCES, "rule": rows}))


def judged(*rows: Row, source: str = TIMES, **entry: Any) -> Verdict:
    return rules(*rows).judge(source, feed_entry(**entry))


DROP = {"match": ["horoscope*"], "action": "drop"}


@pytest.mark.parametrize(
    ("match", "dropped"),
    [
        (["horoscope"], True),
        (["HOROSCOPES"], False),
        (["horo*"], True),
        ([{"keyword": "stars", "in": "title"}], False),
        ([{"keyword": "stars", "in": "text"}], True),
        ([{"regex": r"/fun/\d+", "in": "url"}], True),
        ([{"regex": r"/fun/\d+"}], False),  # anywhere is title and text
        (["nothing", "horoscope"], True),
        ([{"keyword": "b", "in": "text"}], False),  # no markup
    ],
)
def test_what_is_looked_for_and_where(match: list[Any], dropped: bool) -> None:
    verdict = judged(
        {"match": match, "action": "drop"},
        title="Your horoscope",
        content_html="<p>What the <b>stars</b> say</p>",
        url="https://times.example/fun/12",
    )
    assert verdict.dropped == dropped
    assert verdict.by == ((1,) if dropped else ())


@pytest.mark.parametrize(
    ("condition", "source", "holds"),
    [
        ({"sources": ["Times"]}, TIMES, True),
        ({"sources": [TIMES]}, TIMES, True),
        ({"sources": ["Times"]}, HERALD, False),
        ({"categories": ["sport"]}, HERALD, True),
        ({"categories": ["sport"]}, TIMES, False),
        ({"sources": ["Times"], "categories": ["sport"]}, TIMES, False),
        ({"sources": ["Times"], "categories": ["sport"]}, HERALD, False),
    ],
)
def test_whose_entries(condition: Row, source: str, holds: bool) -> None:
    assert judged(condition | {"action": "drop"}, source=source).dropped == holds


def test_the_first_drop_or_keep_decides() -> None:
    keep = {"match": ["cup final"], "action": "keep"}
    rest = {"sources": ["Times"], "action": "drop"}
    assert not judged(keep, rest, title="The cup final").dropped
    assert judged(rest, keep, title="The cup final").dropped
    assert judged(keep, rest, title="Another match").dropped
    assert judged(keep, rest, title="The cup final").by == (1,)


def test_what_is_set_is_what_the_lowest_rule_says() -> None:
    verdict = judged(
        {"sources": ["Times"], "category": "one", "publisher": "A", "never_fold": True},
        {"match": ["title"], "category": "two", "language": "de"},
        {"match": ["not there"], "category": "three"},
    )
    assert verdict.ruling == Ruling("two", "A", never_fold=True)
    assert verdict.language == "de"
    assert verdict.by == (1, 2)


def test_a_pattern_that_takes_too_long_finds_nothing_and_is_told() -> None:
    # One that no probe leads astray when it is read.
    slow = {"match": [{"regex": r"abcdefgh(\w|\w\w)+\d$", "in": "title"}], "action": "drop"}
    title = f"abcdefgh{'x' * 80}!"
    engine = rules(slow, {"match": ["abc*"], "category": "c"})
    verdict = engine.judge(TIMES, feed_entry(title=title))
    assert verdict == Verdict(ruling=Ruling("c"), by=(2,), slow=(1,))
    begun = time.monotonic()
    kept, _, told = ruled(engine, TIMES, [entry_write(str(n), title=title) for n in range(100)])
    assert len(kept) == 100
    assert told == {1}
    assert time.monotonic() - begun < 20, "one that is slow again and again is not tried for ever"


def test_writes_are_ruled() -> None:
    engine = rules(DROP, {"match": ["quake"], "category": "science", "language": "fr"})
    writes = [entry_write("1", title="Horoscope"), entry_write("2", title="Quake")]
    kept, dropped, slow = ruled(engine, TIMES, writes)
    assert dropped == ("1",)
    (write,) = kept
    assert (write.entry.language, write.ruling.category) == ("fr", "science")
    assert not slow


def test_what_is_known_is_judged_but_not_dropped() -> None:
    engine = rules(DROP, {"match": ["stars"], "category": "c"})
    write = entry_write("1", title="Horoscope", summary_html="Of stars.")
    (kept,), dropped, _ = ruled(engine, TIMES, [write], known=True)
    assert dropped == ()
    assert kept.ruling == Ruling("c")
    assert ruled(engine, TIMES, [write])[:2] == ((), ("1",))


def test_only_sources_with_rules_are_concerned() -> None:
    engine = rules({"sources": ["Times"], "action": "drop"})
    assert engine.concern(TIMES)
    assert not engine.concern(HERALD)
    assert rules(DROP).concern(HERALD)
    assert not rules().concern(TIMES)
    titled = rules(sources=[SOURCES[0] | {"title_prefixes": ["BREAKING: "]}])
    assert titled.concern(TIMES)
    assert titled.with_title(TIMES, feed_entry(title="Breaking: rain")).title == "rain"


# --- titles -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("BREAKING: Rain", "Rain"),
        ("breaking: Rain | The Times", "Rain"),
        ("Rain |  The Times", "Rain |  The Times"),
        ("Rain - Times", "Rain"),
        ("BREAKING:", "BREAKING:"),
        ("BREAKING: BREAKING: Rain", "BREAKING: Rain"),
        ("", ""),
        ("STRASSE Rain", "STRASSE Rain"),
    ],
)
def test_bare_titles(title: str, bare: str) -> None:
    assert bare_title(title, ["BREAKING: "], [" | The Times", " - Times"]) == bare


def test_folding_that_changes_a_length_cuts_no_letter() -> None:
    assert bare_title("STRASSE: Rain", ["straße: "], []) == "Rain"
    assert bare_title("Straße: Rain", ["STRASSE: "], []) == "Rain"
    assert bare_title("Rain (STRASSE)", [], [" (straße)"]) == "Rain"


parts = st.lists(st.text(max_size=5), max_size=3)


@given(st.text(max_size=40), parts, parts)
def test_a_bare_title_is_part_of_the_title(
    title: str, prefixes: list[str], suffixes: list[str]
) -> None:
    bare = bare_title(title, prefixes, suffixes)
    assert bare in title
    assert bool(bare) == bool(title), "never empty where there was one"
    if not prefixes and not suffixes:
        assert bare == title.strip() or not title.strip()


# --- properties ---------------------------------------------------------------------------------


words = st.sampled_from(["alpha", "beta", "gamma", "delta"])
conditions = st.fixed_dictionaries(
    {},
    optional={
        "match": st.lists(words, min_size=1, max_size=2),
        "sources": st.lists(st.sampled_from(["Times", HERALD]), min_size=1, max_size=2),
    },
).filter(bool)
effects = st.one_of(
    st.sampled_from([{"action": "drop"}, {"action": "keep"}]),
    st.fixed_dictionaries({"category": words}, optional={"never_fold": st.booleans()}),
)
rows = st.lists(st.builds(lambda one, other: one | other, conditions, effects), max_size=6)


def holds(row: Row, source: str, title: str) -> bool:
    named = {"Times": TIMES}
    here = source in [named.get(name, name) for name in row.get("sources", [source])]
    return here and (not row.get("match") or any(word in title.split() for word in row["match"]))


@given(rows, st.sampled_from([TIMES, HERALD]), st.lists(words, max_size=3).map(" ".join))
def test_rules_mean_what_the_documentation_says(some: list[Row], source: str, title: str) -> None:
    found = rules(*some).judge(source, feed_entry(title=title, summary_html="", content_html=""))
    matching = [row for row in some if holds(row, source, title)]
    deciding = [row["action"] for row in matching if "action" in row][:1]
    assert found.dropped == (deciding == ["drop"])
    if not found.dropped:
        set_ = [row["category"] for row in matching if "category" in row]
        assert found.ruling.category == (set_[-1] if set_ else None)
        assert found.ruling.never_fold == any(row.get("never_fold") for row in matching)


# --- publishers ---------------------------------------------------------------------------------


def test_whose_a_source_is() -> None:
    groups = [
        PublisherSettings(name="Named", sources=("Herald",)),
        PublisherSettings(name="By domain", domains=("times.example", "herald.example")),
    ]
    times, herald = (SourceSettings.model_validate(row) for row in SOURCES)
    assert publisher_of(times, groups) == "By domain"
    assert publisher_of(herald, groups) == "Named"
    assert publisher_of(times.model_copy(update={"publisher": "Own"}), groups) == "Own"
    assert publisher_of(times, []) == "times.example"


# --- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[[rule]]\nmatch = ["x"]', 1, 'does nothing: give it action = "drop"'),
        ('[[rule]]\naction = "drop"', 1, "would hold for every entry"),
        ('[[rule]]\nmatch = ["x"]\naction = "drop"\ncategory = "y"', 1, "nothing else can be set"),
        ('[[rule]]\nmatch = ["x"]\naction = "dorp"', 3, "'drop' or 'keep'"),
        ('[[rule]]\naction = "drop"\nsources = ["Tims"]', 3, 'did you mean "Times"?'),
        ('[[rule]]\naction = "drop"\nmatch = [{regex = "("}]', 3, "is no regular expression"),
        ('[[rule]]\naction = "drop"\nmatch = [{regex = "(a+)+$"}]', 3, "takes too long"),
        ('[[rule]]\naction = "drop"\nmatch = [{keyword = "x", in = "body"}]', 3, "'url'"),
        ('[[rule]]\nmatch = ["x"]\nlanguage = "german!"', 3, "language"),
        ('[[publisher]]\nname = "X"', 1, "has no sources"),
        ('[[publisher]]\nname = "X"\ndomains = ["www.bbc.co.uk"]', 3, "not a registrable domain"),
        ('[[publisher]]\nname = "X"\nsources = ["Nobody"]', 3, 'there is no source "Nobody"'),
    ],
)
def test_mistakes_are_told_with_their_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    path = tmp_path / "newsfold.toml"
    path.write_text(f'{text}\n[[source]]\nurl = "{TIMES}"\nname = "Times"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    (problem,) = caught.value.problems
    assert problem.place == f"{path}:{line}"
    assert words in problem.text
