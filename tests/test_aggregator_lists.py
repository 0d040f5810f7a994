"""``newsfold sources import`` and ``export``: lists of other readers into a real config file."""

import tomllib
from pathlib import Path

import pytest
from builders import NOW, add_source, commit_poll, poll_commit
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.cli.commands import main
from aggregator.config.settings import Settings
from aggregator.operating.lists import export_opml, plan_import, read_list
from feeds.parsing.read_opml import read_subscriptions
from storage.database import open_database
from storage.values.poll import FeedFacts

CONFIG = """\
# mine
[fetch]
allow_networks = ["192.168.1.0/24"]

[[source]]
url = "https://known.example/feed"   # daily
name = "Known"
# the end
"""
OPML = """<opml version="2.0"><body>
<outline text="World">
<outline text="One &quot;\\ Two" type="rss" xmlUrl="https://one.example/feed"/>
<outline text="Inside" xmlUrl="http://192.168.1.7/feed"/>
<outline text="Outside" xmlUrl="http://10.0.0.1/feed"/>
<outline text="Meta" xmlUrl="http://169.254.169.254/latest"/>
<outline text="Secret" xmlUrl="https://ann:s3cret@two.example/feed"/>
</outline>
<outline text="Known elsewhere" xmlUrl="http://www.known.example/feed/"/>
</body></opml>"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "newsfold.toml"
    path.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "list.opml").write_text(OPML, encoding="utf-8")
    return path


def newsfold(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, ("sources", *words), input=answer)


def test_what_can_go_in_does_and_the_rest_is_named(config: Path) -> None:
    said = newsfold("import", "list.opml")
    assert said.exit_code == 1, said.output
    assert said.stdout.endswith(
        "2 sources added to newsfold.toml, 1 listed already, 3 cannot be read\n"
    )
    assert [line.partition(": ")[0] for line in said.stderr.splitlines()] == [
        "list.opml:5",
        "list.opml:6",
        "list.opml:7",
    ]
    assert "10.0.0.1 is private" in said.stderr
    assert "a user name or password stands in the address" in said.stderr
    assert "s3cret" not in said.output
    text = config.read_text(encoding="utf-8")
    assert text.startswith(CONFIG.removesuffix("# the end\n"))
    assert tomllib.loads(text)["source"][1:] == [
        {"url": "https://one.example/feed", "name": 'One "\\ Two', "category": "World"},
        {"url": "http://192.168.1.7/feed", "name": "Inside", "category": "World"},
    ]
    again = newsfold("import", "list.opml")
    assert "0 sources added to newsfold.toml, 3 listed already" in again.stdout
    assert config.read_text(encoding="utf-8") == text


def test_a_dry_run_changes_nothing(config: Path) -> None:
    said = newsfold("import", "-", "--dry-run", answer="https://new.example/feed news\n")
    assert said.exit_code == 0, said.output
    assert "news  https://new.example/feed" in said.stdout
    assert "1 source would be added" in said.stdout
    assert config.read_text(encoding="utf-8") == CONFIG


def test_what_is_no_list_is_said(tmp_path: Path, config: Path) -> None:
    (tmp_path / "page.html").write_text("<html></html>", encoding="utf-8")
    said = newsfold("import", "page.html")
    assert said.exit_code == 1
    assert said.stderr == "page.html: neither OPML nor a list of addresses\n"
    assert newsfold("import", "missing").exit_code == 2
    assert config.read_text(encoding="utf-8") == CONFIG


def test_out_and_in_again_it_is_the_same(config: Path) -> None:
    newsfold("import", "list.opml")
    said = newsfold("export", "--out", "mine.opml")
    assert said.exit_code == 0, said.output
    assert said.stderr == "3 sources written to mine.opml\n"
    before = tomllib.loads(config.read_text(encoding="utf-8"))["source"]
    config.write_text('[fetch]\nallow_networks = ["192.168.1.0/24"]\n', encoding="utf-8")
    assert newsfold("import", "mine.opml").exit_code == 0
    after = tomllib.loads(config.read_text(encoding="utf-8"))["source"]
    assert sorted(after, key=lambda row: str(row["url"])) == sorted(
        before, key=lambda row: str(row["url"])
    )


def test_an_export_names_the_sites_that_feeds_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'newsfold.db'}"
    db = open_database(url)
    source = add_source(db, url="https://known.example/feed")
    facts = FeedFacts("Known", "https://known.example/", None, None)
    commit_poll(db, poll_commit(source.id, at=NOW, feed=facts))
    db.close()
    assert 'htmlUrl="https://known.example/"' in newsfold("export").stdout


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30
)


@given(st.lists(st.tuples(st.integers(0, 50), names, names), max_size=20))
@settings(deadline=None, max_examples=50)
def test_any_export_can_be_read_again(rows: list[tuple[int, str, str]]) -> None:
    sources = {
        f"https://s{number}.example/feed": {
            "url": f"https://s{number}.example/feed",
            "name": " ".join(name.split()) or "x",
            "category": " ".join(category.split()) or None,
        }
        for number, name, category in rows
    }
    mine = Settings.model_validate(
        {"source": list(sources.values()), "storage": {"url": "sqlite:////no/where.db"}}
    )
    found = read_subscriptions(export_opml(mine).encode())
    assert not found.bad
    assert {feed.url for feed in found.feeds} == set(sources)
    assert len(plan_import(found, mine).known) == len(sources)
    plan = plan_import(found, Settings())
    assert {row["url"] for row in plan.rows} == set(sources)


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_planning_never_raises(body: bytes) -> None:
    read_list(body, Settings())
