"""What counts as news in an article that changed."""

import pytest

from aggregator.stages.extract.material_change import materially_changed
from storage.values.extract import EarlierReading

TEXT = " ".join(
    f"The council heard engineer {name}." for name in ["Ann", "Ben", "Cid", "Dot", "Eva", "Fay"]
)
TEXT = f"{TEXT} Five people were hurt and 3 are missing. " + "The bridge stays closed. " * 20


@pytest.mark.parametrize(
    ("title", "text", "changed"),
    [
        ("Bridge closed", TEXT, False),
        ("BRIDGE: closed!", TEXT.replace(". ", ".\n\n"), False),
        ("Bridge closed", TEXT.replace("heard", "herd", 1), False),
        ("Bridge closed", TEXT.replace("3 are", "4 are"), True),
        ("Bridge closed again", TEXT, True),
        ("Bridge closed", TEXT + " A new paragraph says much more about what was found.", True),
        ("Bridge closed", TEXT[: len(TEXT) // 2], True),
        ("Bridge closed", "", True),
    ],
)
def test_a_word_is_no_news_but_a_number_or_a_paragraph_is(
    title: str, text: str, changed: bool
) -> None:
    earlier = EarlierReading("Bridge closed", TEXT, "hash")
    assert materially_changed(earlier, title, text) is changed


def test_nothing_from_nothing_is_no_change() -> None:
    assert not materially_changed(EarlierReading("", "", ""), "", "")
