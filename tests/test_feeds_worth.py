"""What a source's own pages teach about whether to fetch the next."""

import pytest
from pages import PARAGRAPHS

from feeds.model import PageReading
from feeds.page.choose import FeedText, choose_text
from feeds.page.worth import Trial, worth_fetching

WHOLE = "\n\n".join(PARAGRAPHS)


def feed(text: str) -> FeedText:
    return FeedText("Harbour bridge closed", text, f"<p>{text}</p>", text, None)


def page(text: str, *, wall: str | None = None) -> PageReading:
    return PageReading("https://courier.example/bridge", "Bridge", text, text, text, wall=wall)


@pytest.mark.parametrize(
    ("carried", "recent", "passed", "fetch"),
    [
        (WHOLE, [], 0, True),
        (WHOLE, [Trial.FEED_WHOLE] * 4, 0, True),
        (WHOLE, [Trial.FEED_WHOLE] * 5, 0, False),
        (WHOLE, [Trial.FEED_WHOLE] * 12, 49, False),
        (WHOLE, [Trial.FEED_WHOLE] * 12, 50, True),
        (PARAGRAPHS[0], [Trial.FEED_WHOLE] * 12, 0, True),
        (PARAGRAPHS[0], [Trial.NO_BETTER] * 12, 0, False),
        (PARAGRAPHS[0], [Trial.NO_BETTER] * 12, 60, True),
        (PARAGRAPHS[0], [Trial.BETTER] * 12, 0, True),
        (WHOLE, [*[Trial.BETTER] * 12, *[Trial.FEED_WHOLE] * 12], 0, False),
        (WHOLE, [*[Trial.FEED_WHOLE] * 12, Trial.BETTER], 0, True),
    ],
)
def test_a_source_teaches_whether_its_pages_are_worth_it(
    carried: str, recent: list[str], passed: int, fetch: bool
) -> None:
    decided, why = worth_fetching(feed(carried), recent, passed)
    assert decided is fetch
    assert why


@pytest.mark.parametrize(
    ("carried", "shown", "expected"),
    [
        (PARAGRAPHS[0], page(WHOLE), Trial.BETTER),
        (WHOLE, page(WHOLE), Trial.FEED_WHOLE),
        (PARAGRAPHS[0], page("Accept all cookies.", wall="consent"), Trial.NO_BETTER),
    ],
)
def test_what_is_remembered_of_a_choice(carried: str, shown: PageReading, expected: Trial) -> None:
    own = feed(carried)
    assert Trial.of(own, choose_text(own, shown)) is expected


def test_what_is_remembered_is_understood_again() -> None:
    stored = [str(trial) for trial in [Trial.NO_BETTER] * 5]
    assert worth_fetching(feed(PARAGRAPHS[0]), stored, 0)[0] is False
