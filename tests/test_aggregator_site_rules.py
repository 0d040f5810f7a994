"""Which of the operator's page rules hold, and how wrong ones are refused."""

from pathlib import Path
from typing import Any

import pytest

from aggregator.config.loading import ConfigError, load_config
from aggregator.config.settings import Settings
from aggregator.stages.extract.site_rules import SiteRules
from feeds.page.page_rules import PageRules

FEED = "https://times.example/feed.xml"
PAGE = "https://www.times.example/a"


def rules(source: dict[str, Any] | None = None, *sites: dict[str, Any]) -> SiteRules:
    sources = [{"url": FEED} | source] if source else []
    return SiteRules(Settings.model_validate({"source": sources, "site": sites}))


def test_without_rules_there_are_none() -> None:
    assert rules().of(FEED, PAGE) is None
    assert rules({"name": "Times"}).of(FEED, PAGE) is None


def test_a_source_has_its_own() -> None:
    own = rules({"select": ["article"], "remove": [".ad"], "next_page": "a.next"})
    assert own.of(FEED, PAGE) == PageRules(("article",), (".ad",), "a.next")
    assert own.of("https://other.example/feed.xml", PAGE) is None


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("https://times.example/a", ("article",)),
        ("https://www.times.example/a", ("article",)),
        ("https://live.times.example/a", (".live",)),
        ("https://old-times.example/a", None),
        ("not an address", None),
    ],
)
def test_a_site_has_its_own_by_the_longest_host(page: str, found: tuple[str, ...] | None) -> None:
    known = rules(
        None,
        {"host": "times.example", "select": ["article"]},
        {"host": "live.times.example", "select": [".live"]},
    )
    got = known.of(FEED, page)
    assert (got.select if got else None) == found


def test_the_sources_word_counts_before_the_sites() -> None:
    both = rules(
        {"remove": [".ad"], "next_page": "a.more"},
        {"host": "times.example", "select": ["main"], "remove": [".x"], "next_page": "a.next"},
    )
    assert both.of(FEED, PAGE) == PageRules(("main",), (".ad", ".x"), "a.more")


def test_what_is_no_selector_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "newsfold.toml"
    path.write_text(
        f'[[source]]\nurl = "{FEED}"\nselect = ["article", "p["]\nnext_page = "..x"\n'
        '[[site]]\nhost = "Times.example"\nremove = ["p:nosuch"]\n'
    )
    with pytest.raises(ConfigError) as raised:
        load_config(path, {})
    said = str(raised.value)
    assert "newsfold.toml:3: select = 'p[' is no CSS selector" in said
    assert "newsfold.toml:4: next_page = '..x' is no CSS selector" in said
    assert "newsfold.toml:6: host = 'Times.example' is not a host" in said
    assert "newsfold.toml:7: remove = 'p:nosuch' is no CSS selector" in said
