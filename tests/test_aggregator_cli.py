"""The command line: in this process where that is all the same, as a process where it is not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aggregator.cli.commands import main
from aggregator.config.loading import load_config
from aggregator.version import VERSION

ROOT = Path(__file__).parent.parent
COMMANDS = ("check", "demo", "extract", "init", "render", "run", "update")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEWSFOLD_CONFIG", raising=False)


def newsfold(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, words, env=environment)


def configure(text: str = "", name: str = "newsfold.toml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def test_help_teaches() -> None:
    said = newsfold("--help")
    assert said.exit_code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in said.stdout
    assert "newsfold demo" in said.stdout
    assert newsfold("-h").stdout == said.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    said = newsfold(command, "--help")
    assert said.exit_code == 0
    assert f"Usage: main {command}" in said.stdout
    assert len(said.stdout.splitlines()) > 5


def test_help_and_check_need_none_of_what_is_heavy() -> None:
    """They are to answer at once."""
    configure()
    script = (
        "import sys\nfrom aggregator.cli.commands import main\n"
        "main(['check'], standalone_mode=False)\n"
        "heavy = {'uvicorn', 'fastapi', 'apscheduler', 'structlog'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_version() -> None:
    assert newsfold("--version").stdout == f"newsfold, version {VERSION}\n"


@pytest.mark.parametrize("command", ["check", "run", "update", "render"])
def test_without_a_configuration_it_explains_how_to_make_one(command: str) -> None:
    said = newsfold(command, *(("--to", "site") if command == "render" else ()))
    assert said.exit_code == 2
    assert "no configuration at newsfold.toml" in said.stderr
    assert "newsfold init" in said.stderr
    assert f"newsfold {command} --config FILE" in said.stderr
    assert said.stdout == ""
    assert not list(Path.cwd().iterdir())


def test_a_broken_configuration_is_explained_with_its_places() -> None:
    configure('[server]\nlisten = "nowhere"\ntitel = "x"\n')
    said = newsfold("check")
    assert said.exit_code == 2
    assert "newsfold.toml:2: " in said.stderr
    assert 'newsfold.toml:3: unknown key "titel"; did you mean "title"?' in said.stderr
    assert said.stderr.endswith("2 problems in the configuration\n")
    configure('[server]\nlisten = "nowhere"\n')
    assert newsfold("check").stderr.endswith("1 problem in the configuration\n")


def test_a_configuration_that_cannot_be_read_is_told() -> None:
    configure().chmod(0)
    said = newsfold("check", "--config", "newsfold.toml/x.toml")
    assert said.exit_code == 2
    assert said.stderr == "cannot read newsfold.toml/x.toml: Not a directory\n"


def test_check_says_what_there_is() -> None:
    configure(
        '[[source]]\nurl = "https://a.example/"\n[[output]]\nname = "a"\n[[output]]\nname = "b"'
    )
    said = newsfold("check")
    assert said.exit_code == 0
    assert said.stdout == "newsfold.toml is fine: 1 source, 2 outputs (/a.atom, /b.atom)\n"
    configure()
    assert newsfold("check").stdout == "newsfold.toml is fine: 0 sources, 1 output (/feed.atom)\n"


def test_the_configuration_can_be_named_in_the_environment() -> None:
    configure(name="other.toml")
    assert newsfold("check", NEWSFOLD_CONFIG="other.toml").stdout.startswith("other.toml is fine")
    assert newsfold("check", NEWSFOLD_CONFIG="other.toml", NEWSFOLD_FETCH_X="1").exit_code == 2


def test_init_writes_an_example_that_is_fine_and_overwrites_nothing() -> None:
    said = newsfold("init")
    assert said.exit_code == 0
    assert "newsfold run --config newsfold.toml" in said.stdout
    assert newsfold("check").exit_code == 0
    path = Path("newsfold.toml")
    path.write_text("mine", encoding="utf-8")
    said = newsfold("init", "--field", "world")
    assert said.exit_code == 1
    assert "it was not touched" in said.stderr
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "categories", "languages"),
    [
        ((), {"world"}, {"en"}),
        (("--field", "Technology"), {"technology"}, {"en"}),
        (("--field", "science,health", "--field", "sport"), {"science", "health", "sport"}, {"en"}),
        (("--language", "de"), {"world"}, {"de"}),
        (("--field", "world", "--language", "all"), {"world"}, {"de", "en", "fr"}),
        (("--no-sources",), set(), set()),
    ],
)
def test_init_by_field_and_language(
    words: tuple[str, ...], categories: set[str], languages: set[str]
) -> None:
    said = newsfold("init", *words, "--base-url", "https://news.example")
    assert said.exit_code == 0, said.output
    settings = load_config(Path("newsfold.toml"), {})
    assert {source.category for source in settings.source} == categories
    assert {source.language for source in settings.source} == languages
    assert settings.server.base_url == "https://news.example"
    assert f"with {len(settings.source)} source" in said.stdout
    assert ("sources add ADDRESS" in said.stdout) == (not settings.source)
    if settings.source:  # they are the operator's own, to be taken out one by one
        removed = newsfold("sources", "remove", settings.source[0].url)
        assert removed.exit_code == 0, removed.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--field", "tecnology"), 'did you mean "technology"?'),
        (("--language", "xx"), "there are de, en, es, fr, or all"),
        (("--field", "business", "--language", "fr"), "no starter sources in business and fr"),
        (("--base-url", "news.example"), "is not an http:// or https:// address"),
    ],
)
def test_init_explains_what_there_is_not(words: tuple[str, ...], told: str) -> None:
    said = newsfold("init", *words)
    assert said.exit_code == 2
    assert told in said.stderr
    assert not Path("newsfold.toml").exists()


def test_init_lists_what_there_is() -> None:
    said = newsfold("init", "--list")
    assert said.exit_code == 0
    assert said.stdout.splitlines()[0].split() == ["FIELD", "de", "en", "es", "fr"]
    assert [line.split()[0] for line in said.stdout.splitlines()[1:]] == sorted(
        {"business", "environment", "health", "science", "sport", "technology", "world"}
    )
    assert not Path("newsfold.toml").exists()


def test_init_asks_on_a_terminal_only() -> None:
    import pty

    script = "from aggregator.cli.commands import main; main(['init'])"
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.write(ours, b"science\n\nhttps://news.example\n")
        assert process.wait(60) == 0
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "Fields, with commas (or all) [world]:" in shown
    settings = load_config(Path("newsfold.toml"), {})
    assert {source.category for source in settings.source} == {"science"}
    assert settings.server.base_url == "https://news.example"


def test_init_says_why_it_cannot_write() -> None:
    said = newsfold("init", "--config", "no/such/folder.toml")
    assert said.exit_code == 1
    assert said.stderr == "cannot write no/such/folder.toml: No such file or directory\n"


@pytest.mark.parametrize(
    "words",
    [("nonsense",), ("run", "--nonsense"), ("render",), ("demo", "--port", "70000"), ("demo", "x")],
)
def test_wrong_usage_is_2_and_explained(words: tuple[str, ...]) -> None:
    said = newsfold(*words)
    assert said.exit_code == 2
    assert "Usage:" in said.stderr


@pytest.mark.parametrize("command", [("run",), ("update",), ("render", "--to", "site")])
def test_a_bad_database_is_one_clear_line(command: tuple[str, ...]) -> None:
    script = f"from aggregator.cli.commands import main; main({[*command]!r})"
    configure(
        f"[server]\nlisten = '127.0.0.1:0'\n[storage]\nurl = {json.dumps('sqlite:///no/n.db')}"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "cannot open the database" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "1"),
        ("story", "split", "x", "1"),
        ("story", "join", "x", "y"),
        ("corrections", "export"),
        ("refold", "--since", "2026-11-01"),
        ("backup", "b.db"),
    ],
)
def test_in_a_wrong_folder_no_database_is_made(words: tuple[str, ...]) -> None:
    newsfold("init", "--no-sources")
    said = newsfold(*words)
    assert said.exit_code == 1
    assert "there is no database" in said.stderr
    assert [path.name for path in Path().iterdir()] == ["newsfold.toml"]
