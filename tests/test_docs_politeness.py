"""The table of rules names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_test_named_in_the_table_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "politeness.md").read_text()))
    sources = "".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    assert len(named) > 50
    assert {name for name in named if f"def {name}(" not in sources} == set()


def test_every_file_named_in_the_table_exists() -> None:
    page = (ROOT / "docs" / "politeness.md").read_text()
    named = set(re.findall(r"`((?:tests|benchmarks)/[\w/]+\.py)`", page))
    assert {name for name in named if not (ROOT / name).exists()} == set()
