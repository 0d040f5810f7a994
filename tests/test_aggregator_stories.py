from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.stages.fold.identity import authority_of, mint_identity, random_slug
from aggregator.stages.fold.stories import (
    DOUBLING,
    HALF_LIFE,
    choose_lead,
    independent_outlets,
    newsworthiness,
    regroup,
)
from storage.values.fold import Member, StoryState, StoryWrite

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def member(number: int, **changes: object) -> Member:
    base = Member(
        id=number,
        title=f"Title {number}",
        outlet=f"Outlet {number}",
        publisher=f"publisher{number}",
        language="en",
        priority=0,
        text_source="page",
        text_length=2000,
        text_hash=f"hash{number}",
        copy_of=None,
        published=NOW + timedelta(minutes=number),
        arrived_at=NOW + timedelta(hours=1),
        fold_order=number,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test names its fields itself


def minter() -> Callable[[], tuple[str, str]]:
    made = ((f"tag:example.org,2026:story/{n}", f"slug{n}") for n in count(1))
    return lambda: next(made)


def state(story_id: int, written: StoryWrite, members: list[Member]) -> StoryState:
    return StoryState(
        id=story_id,
        uri=written.uri,
        slug=written.slug,
        key=written.key,
        first_article_id=written.first_article_id,
        lead_article_id=written.lead_article_id,
        title=written.title,
        lead_text_hash=written.lead_text_hash,
        published_at=written.published_at,
        updated_at=written.updated_at,
        members=tuple(members),
    )


def story_of(story_id: int, members: list[Member]) -> StoryState:
    group_of = {m.id: 1 for m in members}
    written = regroup((), (), group_of, members, mint=minter(), now=NOW).stories[0]
    return replace(
        state(story_id, written, members), uri=f"tag:x,2026:{story_id}", slug=f"s{story_id}"
    )


def test_an_article_alone_founds_a_story() -> None:
    result = regroup((), (), {7: 7}, [member(7)], mint=minter(), now=NOW)
    (story,) = result.stories
    assert story.id is None
    assert story.uri == "tag:example.org,2026:story/1"
    assert (story.lead_article_id, story.title, story.outlets) == (7, "Title 7", 1)
    assert story.updated_at == NOW + timedelta(minutes=7)
    assert story.events == (("founded", "Outlet 7: Title 7"),)


def test_one_more_outlet_changes_neither_lead_nor_updated() -> None:
    before = story_of(1, [member(1)])
    (story,) = regroup(
        (before,), (), {1: 1, 2: 1}, [member(1), member(2, priority=9)], mint=minter(), now=NOW
    ).stories
    assert story.uri == before.uri
    assert (story.lead_article_id, story.updated_at) == (1, before.updated_at)
    assert story.outlets == 2
    assert story.events == ()


def test_a_materially_changed_lead_moves_updated() -> None:
    before = story_of(1, [member(1)])
    changed = member(1, text_hash="other", title="New title")
    later = NOW + timedelta(days=1)
    (story,) = regroup((before,), (), {1: 1}, [changed], mint=minter(), now=later).stories
    assert story.updated_at == later
    assert story.title == "New title"
    assert [kind for kind, _ in story.events] == ["text", "title"]


def test_of_two_stories_that_are_one_the_older_stays() -> None:
    one, two = story_of(1, [member(1)]), story_of(2, [member(2)])
    result = regroup((two, one), (), {1: 5, 2: 5}, [member(1), member(2)], mint=minter(), now=NOW)
    (story,) = result.stories
    assert (story.id, story.uri) == (1, one.uri)
    assert result.retired == {2: 0}


def test_on_a_split_the_identity_stays_with_the_first_article() -> None:
    before = story_of(1, [member(1), member(2), member(3)])
    members = [member(1), member(2), member(3)]
    result = regroup((before,), (), {1: 8, 2: 9, 3: 9}, members, mint=minter(), now=NOW)
    old, new = result.stories
    assert (old.id, old.members) == (1, (1,))
    assert (new.id, new.members) == (None, (2, 3))
    assert new.uri != before.uri
    assert result.retired == {}


def ended(story: StoryState) -> StoryState:
    return replace(story, members=())


def test_stories_that_part_again_are_the_stories_they_were() -> None:
    one, two = story_of(1, [member(1)]), story_of(2, [member(2), member(3)])
    members = [member(1), member(2), member(3)]
    (joined,) = regroup((one, two), (), {1: 5, 2: 5, 3: 5}, members, mint=minter(), now=NOW).stories
    together = state(1, joined, members)
    result = regroup(
        (together,), (ended(two),), {1: 5, 2: 8, 3: 8}, members, mint=minter(), now=NOW
    )
    old, back = result.stories
    assert (old.id, old.uri, old.members) == (1, one.uri, (1,))
    assert (back.id, back.uri, back.slug, back.members) == (2, two.uri, two.slug, (2, 3))
    assert (back.lead_article_id, back.updated_at) == (two.lead_article_id, two.updated_at)
    assert [kind for kind, _ in back.events] == ["parted"]
    assert result.retired == {}


def test_a_story_that_ended_stays_where_its_first_article_stays() -> None:
    one, two = story_of(1, [member(1), member(2), member(3)]), story_of(2, [member(2)])
    members = [member(1), member(2), member(3)]
    result = regroup((one,), (ended(two),), {1: 5, 2: 5, 3: 8}, members, mint=minter(), now=NOW)
    assert [story.id for story in result.stories] == [1, None]


def test_of_those_that_ended_with_one_article_the_oldest_lives_again() -> None:
    two, three = ended(story_of(2, [member(2)])), ended(story_of(3, [member(2)]))
    (story,) = regroup((), (three, two), {2: 8}, [member(2)], mint=minter(), now=NOW).stories
    assert story.id == 2


def test_a_story_whose_first_article_left_for_another_lives_on_in_the_rest() -> None:
    one, two = story_of(1, [member(1)]), story_of(2, [member(2), member(3)])
    members = [member(1), member(2), member(3)]
    result = regroup((one, two), (), {1: 5, 2: 5, 3: 8}, members, mint=minter(), now=NOW)
    assert [(story.id, story.members) for story in result.stories] == [(1, (1, 2)), (2, (3,))]
    assert result.retired == {}


def test_an_older_story_makes_room_where_it_can_live_on_elsewhere() -> None:
    one, two = story_of(1, [member(1), member(3)]), story_of(2, [member(2)])
    members = [member(1), member(2), member(3)]
    result = regroup((one, two), (), {1: 5, 2: 5, 3: 8}, members, mint=minter(), now=NOW)
    assert [(story.id, story.members) for story in result.stories] == [(2, (1, 2)), (1, (3,))]
    assert result.retired == {}


def test_a_lead_that_left_is_replaced_and_said_so() -> None:
    before = story_of(1, [member(1), member(2)])
    moved = replace(before, lead_article_id=2, title="Title 2", lead_text_hash="hash2")
    stories = regroup(
        (moved,), (), {1: 1, 2: 2}, [member(1), member(2)], mint=minter(), now=NOW
    ).stories
    kept = next(story for story in stories if story.id == 1)
    assert kept.lead_article_id == 1
    assert ("lead", "Outlet 1: Title 1") in kept.events


def test_retention_of_the_first_article_does_not_lose_the_identity() -> None:
    before = replace(story_of(1, [member(2), member(3)]), first_article_id=1)
    (story,) = regroup(
        (before,), (), {2: 4, 3: 4}, [member(2), member(3)], mint=minter(), now=NOW
    ).stories
    assert story.id == 1


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (member(2, priority=1), member(1)),
        (member(2), member(1, text_source="feed", text_length=200)),
        (member(2), member(1, copy_of=2)),
        (member(1), member(2)),
        (member(2, text_source="feed", text_length=5000), member(1, copy_of=2)),
    ],
)
def test_what_makes_a_lead(better: Member, worse: Member) -> None:
    assert choose_lead([worse, better], None) == better
    assert choose_lead([better, worse], None) == better
    assert choose_lead([better, worse], worse.id) == worse


def test_copies_count_once_and_publishers_once() -> None:
    group = [member(1), member(2, copy_of=1), member(3), member(4, publisher="publisher3")]
    assert independent_outlets(group) == 2
    assert independent_outlets([member(2, copy_of=1)]) == 1


@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=8))
def test_whatever_the_groups_do_identities_are_never_shared_or_lost(
    steps: list[list[int]],
) -> None:
    members = [member(n) for n in range(6)]
    mint, ids = minter(), count(1)
    living: dict[int, StoryState] = {}
    gone: dict[int, StoryState] = {}
    for groups in steps:
        result = regroup(
            tuple(living.values()),
            tuple(gone.values()),
            dict(enumerate(groups)),
            members,
            mint=mint,
            now=NOW,
        )
        rows = {}
        for story in result.stories:
            row = story.id or next(ids)
            before = living.get(row) or gone.get(row)
            assert before is None or before.uri == story.uri
            rows[row] = state(row, story, [members[i] for i in story.members])
        assert set(living) - set(rows) == set(result.retired)
        gone |= {row: ended(living[row]) for row in result.retired}
        gone = {row: story for row, story in gone.items() if row not in rows}
        living = rows
        uris = [story.uri for story in (*living.values(), *gone.values())]
        assert len(uris) == len(set(uris))
        assert len(living) == len(set(groups))
        assert sorted(i for s in living.values() for i in (m.id for m in s.members)) == list(
            range(6)
        )


GROUPS = st.lists(st.integers(0, 5), min_size=6, max_size=6)


@given(GROUPS, GROUPS)
def test_a_regrouping_mints_only_where_no_story_could_live_on(
    first: list[int], then: list[int]
) -> None:
    """As many stories live on as can: counted by trying every way to give them groups."""
    members = [member(n) for n in range(6)]
    begun = regroup((), (), dict(enumerate(first)), members, mint=minter(), now=NOW).stories
    before = [
        state(row, story, [members[i] for i in story.members]) for row, story in enumerate(begun, 1)
    ]
    after = regroup(before, (), dict(enumerate(then)), members, mint=minter(), now=NOW).stories
    reach = [{then[m.id] for m in story.members} for story in before]
    assert sum(story.id is not None for story in after) == most_housed(reach, frozenset(then))


def most_housed(reach: list[set[int]], places: frozenset[int]) -> int:
    if not reach:
        return 0
    first, *others = reach
    ways = [1 + most_housed(others, places - {place}) for place in first & places]
    return max([most_housed(others, places), *ways])


def test_identities_are_tag_uris_that_say_nothing() -> None:
    uri, slug = mint_identity("news.example", NOW, lambda: "abc")
    assert (uri, slug) == ("tag:news.example,2026-05-01:story/abc", "abc")
    assert random_slug() != random_slug()
    assert authority_of("https://news.example:8080/x") == "news.example"
    assert authority_of("http://[::1]:80") == "localhost"


# --- rank -------------------------------------------------------------------------------------


def reported(number: int, hours_ago: float, **changes: object) -> Member:
    at = NOW - timedelta(hours=hours_ago)
    return member(number, published=at, arrived_at=at, **changes)


def test_more_outlets_and_later_reports_rank_higher() -> None:
    one, other = reported(1, 3), reported(2, 3)
    assert newsworthiness([one, other]) == pytest.approx(newsworthiness([one]) + 1)
    assert newsworthiness([reported(1, 1)]) > newsworthiness([reported(1, 2)])
    half_life = HALF_LIFE.total_seconds() / 3600
    fading = newsworthiness([reported(1, 3 + half_life), reported(2, 3 + half_life)])
    assert fading == pytest.approx(newsworthiness([one]))


def test_copies_and_further_reports_of_one_publisher_count_once() -> None:
    one = reported(1, 3)
    copy = reported(2, 3, copy_of=1)
    again = reported(3, 9, publisher="publisher1")
    assert newsworthiness([one, copy, again]) == newsworthiness([one])
    later = reported(3, 1, publisher="publisher1")
    assert newsworthiness([one, later]) == newsworthiness([later])


def test_a_preferred_source_weighs_more() -> None:
    preferred = newsworthiness([reported(1, 3, priority=DOUBLING)])
    assert preferred == pytest.approx(newsworthiness([reported(1, 3), reported(2, 3)]))


def test_a_date_in_the_future_lifts_no_story() -> None:
    early = member(1, published=NOW + timedelta(days=900), arrived_at=NOW)
    assert newsworthiness([early]) == newsworthiness([reported(1, 0)])
    assert newsworthiness([member(1, published=None, arrived_at=NOW)]) == newsworthiness([early])


def test_a_ring_of_copies_has_a_rank_too() -> None:
    ring = [reported(1, 3, copy_of=2), reported(2, 3, copy_of=1)]
    assert newsworthiness(ring) == pytest.approx(newsworthiness([reported(1, 3), reported(2, 3)]))


@given(st.lists(st.tuples(st.floats(0, 200), st.integers(-100, 100)), min_size=1, max_size=8))
def test_the_order_of_ranks_does_not_depend_on_when_one_looks(
    reports: list[tuple[float, int]],
) -> None:
    now = newsworthiness([reported(n, h, priority=p) for n, (h, p) in enumerate(reports)])
    later = newsworthiness([reported(n, h - 12, priority=p) for n, (h, p) in enumerate(reports)])
    assert later - now == pytest.approx(2)  # half-lives


def test_copies_are_counted_and_the_latest_report_is_remembered() -> None:
    group = [reported(1, 9), reported(2, 3, copy_of=1), reported(3, 5)]
    (story,) = regroup((), (), {1: 1, 2: 1, 3: 1}, group, mint=minter(), now=NOW).stories
    assert (story.copies, story.outlets) == (1, 2)
    assert story.latest_at == NOW - timedelta(hours=3)
    assert story.rank == newsworthiness(group)
