from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.durations import format_duration, parse_duration
from aggregator.config.environment import variables
from aggregator.config.example import example
from aggregator.config.loading import ConfigError, load_config
from aggregator.config.settings import Settings
from aggregator.config.starters import starters
from aggregator.config.toml_lines import line_of

CONTRACT = """
include = ["seeds/world.toml"]
[server]
listen = "127.0.0.1:8080"
base_url = "http://127.0.0.1:8080"
[storage]
url = "sqlite:///newsfold.db"
[fetch]
allow_networks = ["127.0.0.0/8"]
min_interval = "15m"
[[source]]
url = "https://example.org/feed.xml"
name = "Example Times"
category = "world"
publisher = "Example Times"
priority = 1
[[output]]
name = "world"
categories = ["world"]
min_outlets = 1
content = "summary"
"""


def write(folder: Path, text: str, name: str = "newsfold.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, environment or {})
    return str(caught.value).replace(str(path), "FILE").splitlines()


def test_every_key_of_the_contract_is_read(tmp_path: Path) -> None:
    settings = load_config(write(tmp_path, CONTRACT), {})
    assert settings.server.listen == "127.0.0.1:8080"
    assert settings.fetch.allow_networks == (ip_network("127.0.0.0/8"),)
    assert settings.fetch.min_interval == timedelta(minutes=15)
    source = settings.source[0]
    assert (source.url, source.name, source.category) == (
        "https://example.org/feed.xml",
        "Example Times",
        "world",
    )
    assert source.priority == 1
    assert settings.outputs()[0].categories == ("world",)


def test_the_starter_list_that_comes_with_the_program_is_included(tmp_path: Path) -> None:
    settings = load_config(write(tmp_path, 'include = ["seeds/world.toml"]'), {})
    assert len(settings.source) > 5
    assert all(source.name and source.publisher for source in settings.source)


def test_an_own_list_wins_over_one_that_comes_along(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    write(tmp_path / "seeds", '[[source]]\nurl = "https://own.example/feed"', "world.toml")
    settings = load_config(write(tmp_path, 'include = ["seeds/world.toml"]'), {})
    assert [source.url for source in settings.source] == ["https://own.example/feed"]


def test_the_example_is_a_valid_configuration(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, example(starters())), {}).source


def test_without_outputs_there_is_one_called_feed() -> None:
    assert [output.name for output in Settings().outputs()] == ["feed"]


def test_the_database_is_beside_the_config_file(tmp_path: Path) -> None:
    settings = load_config(write(tmp_path, '[storage]\nurl = "sqlite:///data/n.db"'), {})
    assert settings.storage.url == f"sqlite:///{tmp_path.resolve()}/data/n.db"


@pytest.mark.parametrize("url", ["sqlite:////var/lib/n.db", "postgresql+psycopg://u:p@h/d"])
def test_an_absolute_database_address_stays(tmp_path: Path, url: str) -> None:
    assert load_config(write(tmp_path, f'[storage]\nurl = "{url}"'), {}).storage.url == url


def test_every_mistake_is_named_with_its_place(tmp_path: Path) -> None:
    text = """include = ["seeds/wrld.toml"]
[server]
listen = "127.0.0.1"
bas_url = "x"
[fetch]
min_interval = "15x"
allow_networks = ["127.0.0.0/40"]
[[source]]
url = "https://example.org/feed.xml"
naem = "E"
[[source]]
name = "x"
[[output]]
name = "A b"
"""
    found = problems(tmp_path, text)
    assert 'FILE:1: included file "seeds/wrld.toml" is not there' in found
    assert any(line.startswith("FILE:3: listen = '127.0.0.1' is not HOST:PORT") for line in found)
    assert 'FILE:4: unknown key "bas_url"; did you mean "base_url"?' in found
    assert any(line.startswith("FILE:6: min_interval = '15x' is not a duration") for line in found)
    assert any(line.startswith("FILE:7: allow_networks") for line in found)
    assert 'FILE:10: unknown key "naem"; did you mean "name"?' in found
    assert 'FILE:11: "url" is missing' in found
    assert any(line.startswith("FILE:14: name = 'A b' may hold") for line in found)
    assert len(found) == 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[server", "is not valid TOML"),
        ('[fetch]\nallow_networks = ["0.0.0.0/0"]', "allows every address"),
        ("[fetch]\nallow_networks = [7]", "is not a network"),
        ('[fetch]\nmin_interval = "2h"\nmax_interval = "1h"', "max_interval is shorter"),
        ('[[source]]\nurl = "ftp://example.org/"', "is not an http:// or https:// address"),
        ('[[source]]\nurl = "http://[bad"', "is not an http:// or https:// address"),
        ('[[output]]\nname = "api"', "an address of the daemon's own"),
        ('[[output]]\nname = "a"\n[[output]]\nname = "a"', "FILE:4: output"),
        ('[[output]]\nname = "a"\ncontent = "full"', "set a token"),
        ('[[source]]\nurl = "http://a/"\n[[source]]\nurl = "http://a/"', "FILE:4: source"),
        ("include = [1]", "include"),
        ('include = "x"', "include"),
        ("server = 1", "server"),
        ("unknown = 1", 'unknown key "unknown"'),
    ],
)
def test_a_mistake_is_explained(tmp_path: Path, text: str, expected: str) -> None:
    assert any(expected in line for line in problems(tmp_path, text))


def test_a_mistake_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    write(tmp_path, '[[source]]\nurl = "http://a/"\nnam = "A"', "more.toml")
    found = problems(tmp_path, 'include = ["more.toml"]')
    assert found == [f'{tmp_path}/more.toml:3: unknown key "nam"; did you mean "name"?']


def test_a_broken_included_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_bytes(b"\xff\xfe")
    found = problems(tmp_path, 'include = ["more.toml"]')
    assert "more.toml: is not UTF-8" in found[0]


def test_a_token_is_never_shown(tmp_path: Path) -> None:
    found = problems(tmp_path, '[[output]]\nname = "a"\ntoken = "hush"')
    assert "token" in found[0]
    assert "hush" not in "\n".join(found)


def test_the_environment_overrides_every_setting(tmp_path: Path) -> None:
    environment = {
        "NEWSFOLD_FETCH_MIN_INTERVAL": "0s",
        "NEWSFOLD_FETCH_ALLOW_NETWORKS": '["10.0.0.0/8"]',
        "NEWSFOLD_FETCH_CONCURRENCY": "7",
        "NEWSFOLD_SERVER_BASE_URL": "https://news.example",
        "NEWSFOLD_CONFIG": "ignored.toml",
        "HOME": "/nowhere",
    }
    settings = load_config(write(tmp_path, CONTRACT), environment)
    assert settings.fetch.min_interval == timedelta(0)
    assert settings.fetch.allow_networks == (ip_network("10.0.0.0/8"),)
    assert settings.fetch.concurrency == 7
    assert settings.server.base_url == "https://news.example"


def test_every_setting_of_a_table_has_a_variable() -> None:
    assert variables(Settings)["NEWSFOLD_EXTRACT_FULL_TEXT"] == ("extract", "full_text")
    assert "NEWSFOLD_STORAGE_URL" in variables(Settings)


def test_a_bad_variable_is_named(tmp_path: Path) -> None:
    environment = {"NEWSFOLD_FETCH_CONCURENCY": "7", "NEWSFOLD_FETCH_TIMEOUT": "soon"}
    found = problems(tmp_path, "", environment)
    assert (
        "NEWSFOLD_FETCH_CONCURENCY: is not a setting; "
        'did you mean "NEWSFOLD_FETCH_CONCURRENCY"?' in found
    )
    assert any(line.startswith("environment variable NEWSFOLD_FETCH_TIMEOUT:") for line in found)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("15m", 900), ("1h 30m", 5400), ("1.5d", 129600), ("5ms", 0.005)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "15", "m", "-1s", "1y", "1e9d", "99999999999999999w", "\u0661s"]
)
def test_what_is_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|century"):
        parse_duration(text)


@given(st.integers(0, 10**12))
def test_durations_are_written_as_they_are_read(milliseconds: int) -> None:
    value = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("a",), 1),
        (("t", "b c"), 3),
        (("s", 1, "x"), 7),
        (("s", 1, "missing"), 6),
        (("s", 9, "x"), 4),
        (("nowhere",), None),
    ],
)
def test_the_line_of_a_key(location: tuple[str | int, ...], line: int | None) -> None:
    text = 'a = 1\n[t]\n"b c" = 2\n[[s]] # first\nx = 1\n[[s]]\n  x = 2\n'
    assert line_of(text, location) == line


SOURCES = """
[[source]]
url = "https://example.org/feed.xml"
name = "Example Times"
[[output]]
name = "x"
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('sources = ["Exampel Times"]', 'there is no source "Exampel Times"; did you mean'),
        ('exclude_sources = ["x"]', 'exclude_sources: there is no source "x"'),
        ('include = [{regex = "(a+)+$"}]', "include: '(a+)+$' takes too long on some texts"),
        ('exclude = [{regex = "["}]', "exclude: '[' is no regular expression"),
        ('include = [" "]', "' ' is no keyword"),
        ("include = [{}]", 'include: needs either keyword = "..." or regex = "..."'),
        ('include = [{keyword = "a", regex = "b"}]', "needs either keyword"),
        ('include = [{keyword = "a", in = "body"}]', "in = 'body' input should be 'anywhere'"),
        ('include = [{regx = "a"}]', 'unknown key "regx"; did you mean "regex"?'),
        ('content = "full"', "republish = true if you may show them to everybody"),
        ("fold = false\nmin_outlets = 2", "fold = false shows articles"),
        ('fold = false\nsettle = "5m"', "fold = false shows articles"),
        ('fold = false\norder = "covered"', "fold = false shows articles"),
        ('order = "oldest"', "order = 'oldest'"),
        ("per_source = 0", "per_source = 0"),
        ("max_bytes = 5", "max_bytes = 5"),
    ],
)
def test_what_an_output_cannot_be(tmp_path: Path, text: str, problem: str) -> None:
    found = problems(tmp_path, SOURCES + text)
    assert len(found) == 1
    assert found[0].startswith("FILE:")
    assert problem in found[0]


def test_an_output_with_everything(tmp_path: Path) -> None:
    text = """
title = "Mine"
subtitle = "All mine"
sources = ["Example Times", "https://example.org/feed.xml"]
include = ["quake*", {keyword = "flood", in = "title"}, {regex = "a|b", in = "text"}]
exclude = [{regex = "c"}]
max_age = "2d"
settle = "30m"
order = "covered"
per_source = 3
content = "full"
republish = true
"""
    output = load_config(write(tmp_path, SOURCES + text), {}).output[0]
    assert [item.place for item in output.include] == ["anywhere", "title", "text"]
    assert (output.max_age, output.settle) == (timedelta(days=2), timedelta(minutes=30))
    assert output.rolling


def test_status_is_an_address_of_the_daemons_own(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, '[[output]]\nname = "status"')
    assert "is an address of the daemon's own" in problem


# --- what fuzzing found -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [("x" * 300, "cannot be read: File name too long"), ("a\0b", "is not there")],
    ids=["too long", "NUL"],
)
def test_an_include_that_names_no_possible_file_is_a_mistake(
    tmp_path: Path, name: str, why: str
) -> None:
    text = f'\ninclude = ["{name}"]'.replace("\0", "\\u0000")
    (found,) = problems(tmp_path, text)
    assert found.startswith("FILE:2: included file ")
    assert found.endswith(why)


def test_a_secrets_file_that_cannot_be_named_is_a_mistake(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, '[storage]\nurl_file = "a\\u0000b"')
    assert found.startswith("FILE:2: url_file: ")
    assert found.endswith("is not the name of a file")


@pytest.mark.parametrize(
    "text",
    [
        f'"{"k" * 50_000}" = 1',
        '"one\\nother" = 1',
        f'[server]\nlisten = "{"x" * 50_000}"',
        '[server]\ntitle = 5\n["a\\u2028b"]\nc = 1',
    ],
    ids=["long key", "key of two lines", "long value", "line separator"],
)
def test_a_mistake_is_one_line_of_bearable_length(tmp_path: Path, text: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == (2 if "title" in text else 1)
    assert all(len(line) < 1100 for line in found)


def test_problems_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "newsfold.toml"
    path.write_text('[[source]]\nnam = "x"\n[fetch]\ntimeout = "soon"\n[server]\nlisten = 8080\n')
    with pytest.raises(ConfigError) as raised:
        load_config(path, {})
    lines = [int(problem.place.rpartition(":")[2]) for problem in raised.value.problems]
    assert lines == [1, 2, 4, 6]
    assert raised.value.problems[-1].text == "listen = 8080 is not text; write it in quotes"
