"""What retention lets go, and when it believes the clock."""

from datetime import timedelta

from builders import HOUR, NOW
from hypothesis import given
from hypothesis import strategies as st

from aggregator.stages.fold.retention_rules import AWHILE, DISTRUST, Keep, Trust, choose_going
from storage.retention import OldArticle, OldStory


def old(
    number: int, story: int | None = None, *, folded: bool = True, waits: bool = False
) -> OldArticle:
    return OldArticle(number, 1, NOW, story, was_folded=folded, waits=waits)


def test_a_story_goes_with_its_last_article() -> None:
    stories = {7: OldStory(7, lead_article_id=1, articles=2)}
    going = choose_going([old(1, 7), old(2, 7)], stories, for_age=True)
    assert (going.articles, going.stories, going.shrunk) == ((1, 2), (7,), ())


def test_the_lead_stays_while_the_story_has_other_articles() -> None:
    stories = {7: OldStory(7, lead_article_id=1, articles=3)}
    going = choose_going([old(1, 7), old(2, 7)], stories, for_age=True)
    assert (going.articles, going.stories, going.shrunk) == ((2,), (), (7,))


def test_a_story_that_has_to_stay_keeps_its_lead() -> None:
    story = OldStory(7, lead_article_id=1, articles=2, stays=True)
    going = choose_going([old(1, 7), old(2, 7)], {7: story}, for_age=True)
    assert (going.articles, going.stories, going.shrunk) == ((2,), (), (7,))


def test_what_waits_to_be_folded_stays_and_no_number_drops_what_never_was() -> None:
    waiting = old(1, waits=True)
    unread = old(2, folded=False)
    assert choose_going([waiting, unread], {}, for_age=False).articles == ()
    assert choose_going([waiting, unread], {}, for_age=True).articles == (2,)


@given(
    st.dictionaries(
        st.integers(1, 30), st.tuples(st.integers(1, 5), st.booleans(), st.booleans()), max_size=30
    ),
    st.data(),
)
def test_no_living_story_loses_its_lead_and_none_is_left_empty(
    articles: dict[int, tuple[int, bool, bool]], data: st.DataObject
) -> None:
    members: dict[int, list[int]] = {}
    for number, (story, *_) in articles.items():
        members.setdefault(story, []).append(number)
    stories = {
        story: OldStory(
            story, data.draw(st.sampled_from(numbers)), len(numbers), stays=data.draw(st.booleans())
        )
        for story, numbers in members.items()
    }
    aged = [
        old(number, story, folded=folded, waits=folded and waits)
        for number, (story, folded, waits) in articles.items()
        if data.draw(st.booleans())
    ]
    going = choose_going(aged, stories, for_age=data.draw(st.booleans()))
    assert set(going.articles) <= {one.id for one in aged if not one.waits}
    for story, numbers in members.items():
        left = set(numbers) - set(going.articles)
        assert bool(left) == (story not in going.stories)
        assert left or not stories[story].stays
        assert not left or stories[story].lead_article_id in left
        assert (story in going.shrunk) == (bool(left) and len(left) < len(numbers))


def test_a_source_has_its_own_rules_or_everybodys() -> None:
    everybodys = Keep(timedelta(days=90), None)
    assert everybodys.but(None, None) == everybodys
    assert everybodys.but(timedelta(0), 5) == Keep(None, 5)
    assert everybodys.but(timedelta(days=1), 0).until(NOW) == NOW - timedelta(days=1)
    assert Keep(None, None).until(NOW) is None


def test_nothing_goes_for_its_age_soon_after_a_start() -> None:
    trust = Trust.begin(NOW, 100.0)
    assert not trust.look(NOW + HOUR / 2, 100.0 + 1800).holds
    assert trust.look(NOW + AWHILE, 100.0 + AWHILE.total_seconds()).holds


def test_a_clock_set_forward_is_not_believed_for_a_day_unless_it_is_set_back() -> None:
    trust = Trust(NOW, 0.0, 0.0)
    year = timedelta(days=365)
    leapt = trust.look(NOW + year, 60.0)
    assert not leapt.holds
    assert not leapt.look(NOW + year + HOUR, 60.0 + 3600).holds
    assert leapt.look(NOW + year + DISTRUST, 60.0 + DISTRUST.total_seconds()).holds
    mended = leapt.look(NOW + timedelta(minutes=2), 120.0)
    assert not mended.holds
    assert mended.look(NOW + AWHILE + timedelta(minutes=2), 120.0 + AWHILE.total_seconds()).holds


def test_a_clock_that_goes_as_time_does_is_believed() -> None:
    trust = Trust(NOW, 0.0, 0.0)
    for minute in range(1, 3000):
        trust = trust.look(NOW + timedelta(minutes=minute, seconds=minute % 7), minute * 60.0)
        assert trust.holds
