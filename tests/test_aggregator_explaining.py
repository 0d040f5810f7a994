"""Explaining: by any name, from what was recorded, and just as the whole matcher would."""

import itertools
from collections.abc import Iterator
from dataclasses import asdict

import pytest
from builders import NOW, add_articles, add_source, article_reading, latest_stories
from click.testing import CliRunner
from fakes import FakeClock
from newsroom_runs import settings_for

from aggregator.cli.commands import main
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.ledger import Ledger
from aggregator.matching.model import Model
from aggregator.matching.reasons import Kind, Reason, recorded_reason, why_not
from aggregator.newsroom import load_newsroom
from aggregator.operating.correcting import join_stories, split_story
from aggregator.operating.explaining import articles_named, explanation, in_words
from aggregator.stages.fold.explaining import explain
from aggregator.stages.fold.folding import Folder, rebuild
from aggregator.stages.tally import Tally
from storage.articles import claim_new, commit_reading
from storage.database import Database, open_database
from storage.values.publish import StoryView

MODEL = Model.load()
ARTICLES = load_newsroom().articles[:60]


async def fold(database: Database) -> None:
    ledger = Ledger(database)
    numbers = itertools.count(len(latest_stories(database)))

    def mint(_: object) -> tuple[str, str]:
        number = next(numbers)
        return f"tag:news.example,2026-11-22:story/slug{number}", f"slug{number}"

    folder = Folder(ledger, MODEL, mint, FakeClock(), Tally())
    while batches := await folder.claim(1):
        for batch in batches:
            await folder.fold(batch)


def read_newsroom(database: Database) -> None:
    """Some of the newsroom as articles that have been read."""
    source = add_source(database)
    ids = add_articles(database, source.id, *(article.id for article in ARTICLES))
    by_id = dict(zip(ids, ARTICLES, strict=True))
    for waiting in claim_new(database, NOW, NOW, 1000):
        told = by_id[waiting.id]
        text = "\n".join(told.paragraphs)
        commit_reading(
            database,
            article_reading(
                waiting.id,
                title=told.title,
                text=text,
                matching_text=text,
                outlet=told.outlet,
                publisher=told.outlet,
                language=told.language,
                published=told.published,
                text_hash=told.id,
            ),
        )


@pytest.fixture
async def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    read_newsroom(opened)
    await fold(opened)
    yield opened
    opened.close()


def stories(database: Database) -> tuple[StoryView, ...]:
    return latest_stories(database)


def settings(database_url: str) -> Settings:
    return settings_for(database_url, [])


async def test_what_stood_near_explains_as_the_whole_matcher_does(database: Database) -> None:
    whole = rebuild(database, MODEL)
    ids = sorted(article.id for story in stories(database) for article in story.articles)
    assert len(ids) == len(ARTICLES)
    near_misses = 0
    for one in explain(database, MODEL, ids[::3]):
        expected = whole.explain(one.article.id)
        assert [(o.nearest.id, o.score, o.needed) for o in one.not_chosen] == [
            (o.nearest, o.score, o.needed) for o in expected.not_chosen
        ]
        near_misses += len(one.not_chosen)
        assert (one.reason.kind is Kind.COPY) == (expected.copy_of is not None)
    assert near_misses > 5


async def test_the_reasons_are_those_of_the_issue(database: Database) -> None:
    found = [article for story in stories(database) for article in story.articles]
    by_id = {one.article.id: one for one in explain(database, MODEL, [a.id for a in found])}
    kinds = {one.reason.kind for one in by_id.values()}
    assert kinds == {Kind.FIRST, Kind.EVENT, Kind.COPY}
    for one in by_id.values():
        partner = str(by_id[one.reason.partner].article) if one.reason.partner else ""
        match one.reason.kind:
            case Kind.COPY:
                assert one.why.startswith(f"same text as {partner}, ")
                assert one.why.endswith(" %")
                assert one.reason.score >= one.reason.needed == 0.8
            case Kind.EVENT:
                assert one.why.startswith(f"the same event as {partner}; ")
                assert one.why.endswith(
                    f"needed {one.reason.needed:.2f}, had {one.reason.score:.2f}"
                )
            case _:
                assert one.why == "the first of its story"
        for other in one.not_chosen:
            assert other.story.slug != one.story.slug
            assert f"needed {other.needed:.2f}, had {other.score:.2f}" in other.why[-1]
    said = " ".join(in_words(one) for one in by_id.values())
    assert "names in common: " in said
    assert "hours apart" in said
    assert "The nearest stories that were not chosen:" in said
    assert any("names in common" in o.why[0] for one in by_id.values() for o in one.not_chosen)


async def test_articles_and_stories_go_by_any_of_their_names(database: Database) -> None:
    story = next(story for story in stories(database) if len(story.articles) > 1)
    article = story.articles[0]
    everyone = tuple(one.id for one in story.articles)
    assert articles_named(database, str(article.id)) == (article.id,)
    assert article.url is not None
    for name in (article.url, f"{article.url}?utm_source=feed#top"):
        assert articles_named(database, name) == (article.id,)
    for name in (story.slug, story.uri, f"https://news.example/story/{story.slug}"):
        assert articles_named(database, name) == everyone


@pytest.mark.parametrize(
    "name", ["4711", "9" * 30, "nothing", "https://times.example/none", "", "²"]
)
async def test_what_is_not_there_is_told_with_what_would_be(database: Database, name: str) -> None:
    with pytest.raises(ApplicationError, match=r"there is no article or story .*: name an article"):
        articles_named(database, name)


async def test_an_article_that_waits_is_told(database: Database, database_url: str) -> None:
    (waiting,) = add_articles(database, 1, "new")
    with pytest.raises(ApplicationError, match="has no story yet; try again shortly"):
        explanation(settings(database_url), str(waiting))


async def test_a_whole_story_is_explained_article_by_article(
    database: Database, database_url: str
) -> None:
    story = next(story for story in stories(database) if len(story.articles) > 1)
    said = explanation(settings(database_url), story.slug)
    assert said.count(f"is in story {story.slug}: ") == len(story.articles)
    plain = asdict(explain(database, MODEL, [story.articles[0].id])[0])
    assert plain["story"] == {
        "slug": story.slug,
        "title": story.title,
        "articles": len(story.articles),
    }


async def test_an_operators_word_is_given_as_the_reason(
    database: Database, database_url: str
) -> None:
    story = next(story for story in stories(database) if len(story.articles) > 2)
    leaving = story.articles[-1].id
    split_story(settings(database_url), story.slug, [leaving])
    await fold(database)
    (one,) = explain(database, MODEL, [leaving])
    assert one.story.slug != story.slug
    assert one.reason.kind is Kind.OPERATOR
    assert one.why.startswith("an operator's word")
    kept_out = [o for o in one.not_chosen if o.story.slug == story.slug]
    assert [o.why[-1] for o in kept_out] == ["an operator's word keeps it out"]
    alone = next(s for s in stories(database) if len(s.articles) == 1 and s.slug != one.story.slug)
    join_stories(settings(database_url), story.slug, alone.slug)
    await fold(database)
    joined = sorted((alone.articles[0].id, story.lead.id))
    assert Kind.OPERATOR in {o.reason.kind for o in explain(database, MODEL, joined)}


def test_the_command_needs_a_configuration_and_says_so(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    said = CliRunner().invoke(main, ["explain", "1"])
    assert said.exit_code == 2
    assert "no configuration" in said.stderr


@pytest.mark.parametrize(
    ("score", "articles", "home", "said"),
    [
        (0.5, 1, None, "needed 0.80, had 0.50"),
        (0.5, 3, 0.9, "needed 0.80, had 0.50 on average over its 3 articles"),
        (0.85, 1, 0.9, "needed 0.80, had 0.85, less than the 0.90 where it stands"),
        (0.85, 1, None, "needed 0.80, had 0.85, but that was seen when the article had long been"),
    ],
)
def test_why_not(score: float, articles: int, home: float | None, said: str) -> None:
    assert why_not(score, 0.8, articles, home).startswith(said)


def test_a_recorded_reason_is_read_back() -> None:
    reason = Reason(Kind.EVENT, 7, 0.9, 0.8, ("title 0.41",))
    assert recorded_reason({**asdict(reason), "parts": ["title 0.41"]}) == reason
    assert recorded_reason({}) == Reason()
