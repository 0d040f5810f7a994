"""What ships under seeds/: starter lists that a configuration can include, and no code."""

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

SEEDS = Path(__file__).parents[1] / "seeds"
LISTS = sorted(SEEDS.glob("*.toml"))
KEYS = {"url", "name", "publisher", "category", "language"}


def sources(path: Path) -> list[dict[str, str]]:
    document = tomllib.loads(path.read_text("utf-8"))
    assert set(document) == {"source"}
    found: list[dict[str, str]] = document["source"]
    return found


def test_the_promised_fields_are_there() -> None:
    names = {path.stem for path in LISTS}
    assert {"world", "technology", "science", "business", "europe-de", "france-fr"} <= names
    assert {"sport", "health", "environment"} <= names


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_a_list_is_complete(path: Path) -> None:
    found = sources(path)
    assert 8 <= len(found) <= 20
    assert f'include = ["seeds/{path.name}"]' in path.read_text("utf-8")
    for source in found:
        assert set(source) == KEYS
        assert all(value and value == value.strip() for value in source.values())
        url = urlsplit(source["url"])
        assert url.scheme in {"http", "https"}
        assert "." in url.netloc
        assert len(source["language"]) == 2
        assert source["category"].islower()


@pytest.mark.parametrize("key", ["url", "name"])
def test_no_source_is_listed_twice(key: str) -> None:
    values = [source[key].rstrip("/") for path in LISTS for source in sources(path)]
    assert len(values) == len(set(values))


def test_the_seeds_hold_no_code() -> None:
    assert {path.suffix for path in SEEDS.rglob("*") if path.is_file()} <= {
        ".toml",
        ".md",
        ".html",
        ".svg",
        ".txt",
        ".rss",
        ".rdf",
        ".atom",
        ".json",
    }
