"""Sources added to and removed from a config file that a person wrote."""

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.config.editing import add_sources, own_sources, remove_source, source_block
from aggregator.errors import ApplicationError

MINE = """\
# What I read.
[fetch]
min_interval = "30m"   # politely

# my feeds
[[source]]
# the first
url = "https://one.example/feed"   # daily
# name = "later"

# Outputs: what I serve.
[[output]]
name = "world"
# right above
[[source]]
url = "https://two.example/feed"
[source.headers]
X-Key = "[[not a header]]"

# the end
"""
NEW = {"url": "https://new.example/feed", "name": 'The "New" \\ Times'}
BLOCK = """\
[[source]]
url = "https://new.example/feed"
name = "The \\"New\\" \\\\ Times"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "newsfold.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_a_source_is_added_after_the_others_and_nothing_else_changes(config: Path) -> None:
    add_sources(config, [NEW], {})
    mark = 'X-Key = "[[not a header]]"\n'
    assert config.read_text(encoding="utf-8") == MINE.replace(mark, f"{mark}\n{BLOCK}")
    assert [source["url"] for source in own_sources(config)] == [
        "https://one.example/feed",
        "https://two.example/feed",
        "https://new.example/feed",
    ]


def test_a_source_is_removed_with_what_belongs_to_it(config: Path) -> None:
    remove_source(config, 0, {})
    gone = MINE[MINE.index("[[source]]") : MINE.index("# Outputs")]
    assert config.read_text(encoding="utf-8") == MINE.replace(gone, "", 1)
    remove_source(config, 0, {})
    left = config.read_text(encoding="utf-8")
    assert left.endswith('name = "world"\n# right above\n# the end\n')
    assert own_sources(config) == []


def test_many_are_added_at_once_or_none(config: Path) -> None:
    more = [{"url": f"https://{n}.example/feed"} for n in range(3)]
    add_sources(config, more, {})
    assert [dict(row) for row in own_sources(config)[2:]] == more
    before = config.read_text(encoding="utf-8")
    with pytest.raises(ApplicationError, match="is listed twice"):
        add_sources(config, [{"url": "https://9.example/feed"}, *more], {})
    assert config.read_text(encoding="utf-8") == before


def test_added_and_removed_again_it_is_as_it_was(config: Path) -> None:
    add_sources(config, [NEW], {})
    remove_source(config, 2, {})
    assert config.read_text(encoding="utf-8").split() == MINE.split()


@pytest.mark.parametrize("text", ["", "\n", "# only a remark", '[server]\ntitle = "x"', "a=1"[:0]])
def test_the_first_source_comes_at_the_end(tmp_path: Path, text: str) -> None:
    path = tmp_path / "n.toml"
    path.write_text(text, encoding="utf-8")
    add_sources(path, [NEW], {})
    found = path.read_text(encoding="utf-8")
    assert found.startswith(text)
    assert found.endswith(BLOCK)
    add_sources(path, [NEW | {"url": "https://other.example/"}], {})
    assert len(own_sources(path)) == 2


def test_line_ends_mode_and_links_are_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_bytes(MINE.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    link.symlink_to(real)
    add_sources(link, [NEW], {})
    body = real.read_bytes()
    assert body.count(b"\n") == body.count(b"\r\n") > MINE.count("\n")
    assert real.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, real]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('source = [{ url = "https://one.example/" }]', "only a person can change"),
        ('[[source]]\nurl = "https://new.example/feed"', "is listed twice"),
        ('[[source]]\nurl = """https://x.example/"""\n[[source]]\nurl="ftp://x"', "is not an http"),
    ],
)
def test_what_would_not_be_valid_leaves_the_file_alone(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "n.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ApplicationError, match=words) as caught:
        add_sources(path, [NEW], {})
    assert path.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [path]
    assert "/.n.toml." not in str(caught.value)


def test_brackets_in_long_texts_are_not_taken_for_tables(tmp_path: Path) -> None:
    path = tmp_path / "n.toml"
    text = '[[source]]\nurl = "https://one.example/"\nname = """\n[more]\n"""\n'
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ApplicationError, match="only a person"):
        remove_source(path, 0, {})
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(config: Path) -> None:
    config.parent.chmod(0o500)
    with pytest.raises(ApplicationError, match="cannot write"):
        add_sources(config, [NEW], {})
    config.parent.chmod(0o700)
    assert config.read_text(encoding="utf-8") == MINE


@given(st.dictionaries(st.sampled_from(["url", "name", "category"]), st.text(max_size=60)))
@settings(deadline=None)
def test_any_text_is_written_as_toml_reads_it(values: dict[str, str]) -> None:
    plain = {k: v.encode("utf-8", "replace").decode() for k, v in values.items()}
    assert tomllib.loads(source_block(plain)) == {"source": [plain]}
