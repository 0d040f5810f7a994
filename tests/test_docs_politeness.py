"""The tables of rules name tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("page", "least"), [("politeness.md", 50), ("websub.md", 25)])
def test_every_test_named_in_the_table_exists(page: str, least: int) -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / page).read_text()))
    sources = "".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    assert len(named) > least
    assert {name for name in named if f"def {name}(" not in sources} == set()


def test_every_file_named_in_the_table_exists() -> None:
    page = (ROOT / "docs" / "politeness.md").read_text()
    named = set(re.findall(r"`((?:tests|benchmarks)/[\w/]+\.py)`", page))
    assert {name for name in named if not (ROOT / name).exists()} == set()
