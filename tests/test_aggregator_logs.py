"""Logging is the process's own, so each case runs in one of its own."""

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aggregator.config.secrets import secrets_in
from aggregator.config.settings import Settings
from aggregator.running.logs import KEYS, Tidy
from aggregator.running.redaction import MASK, MOST, Redaction

ROOT = Path(__file__).parent.parent
SCRIPT = """
import logging, sys, warnings
from aggregator.running.logs import configure_logs
import structlog
configure_logs(json={json}, level={level!r}, secrets=["geheimnis"])
log = structlog.get_logger()
log.debug("seen in detail", article=1)
log.info("polled", new=3, seconds=0.5, outcome="new", source="The Times", error=None)
secret = "the password"
try:
    raise ValueError("no such thing as geheimnis at http://a.example/?x=1")
except ValueError:
    log.exception("worked")
logging.getLogger("trafilatura").error("never seen")
logging.getLogger("uvicorn.error").warning("never seen")
logging.getLogger("sqlalchemy").info("never seen")
logging.getLogger("asyncio").warning("slow %s", "geheimnis")
try:
    raise KeyError("geheimnis")
except KeyError:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=True)
warnings.warn("old ways")
"""


def lines(*, as_json: bool, level: str = "info") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(json=as_json, level=level)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == ""
    assert "never seen" not in done.stderr
    assert "geheimnis" not in done.stderr
    return done.stderr.splitlines()


def test_json_lines_are_json_with_the_same_keys_whoever_speaks() -> None:
    told = [json.loads(line) for line in lines(as_json=True)]
    polled, worked, slow, crash, warned = told
    assert all(line["timestamp"].endswith("Z") for line in told)
    assert list(polled) == ["timestamp", "level", "event", "source", "outcome", "seconds", "new"]
    assert (polled["level"], polled["source"], polled["new"]) == ("info", "The Times", 3)
    assert worked["level"] == "error"
    assert "ValueError: no such thing as *** at http://a.example/?***" in worked["exception"]
    assert (slow["level"], slow["event"], slow["logger"]) == ("warning", "slow ***", "asyncio")
    assert (crash["logger"], crash["level"]) == ("uvicorn.error", "error")
    assert "KeyError" in crash["exception"]
    assert "UserWarning: old ways" in warned["event"]


def test_a_level_is_where_it_begins() -> None:
    assert "seen in detail" in lines(as_json=True, level="debug")[0]
    told = [json.loads(line)["level"] for line in lines(as_json=True, level="warning")]
    assert told == ["error", "warning", "error", "warning"]


def test_lines_for_people_hold_no_escapes_in_a_pipe_and_no_local_variables() -> None:
    found = lines(as_json=False)
    assert "polled" in found[0]
    assert "source='The Times'" in found[0]
    assert found[0].index("source") < found[0].index("outcome") < found[0].index("new=3")
    text = "\n".join(found)
    assert "\x1b" not in text
    assert "ValueError: no such thing" in text
    assert "slow ***" in text
    assert text.count("the password") == 0


# --- what is taken out --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing at all", "nothing at all"),
        ("two\nlines", "two lines"),
        ("the key s3cr3t-key.", f"the key {MASK}."),
        ("http://ann:pw@a.example/x", f"http://{MASK}@a.example/x"),
        ("postgresql://u:p@db/news", f"postgresql://{MASK}@db/news"),
        ("at https://a.example/feed?u=1&h=2 there", f"at https://a.example/feed?{MASK} there"),
        ("GET /world.atom?token=abc", f"GET /world.atom?token={MASK}"),
        ("/websub/0123456789abcdefXYZ", f"/websub/{MASK}"),
        ("at 3 pm? yes", "at 3 pm? yes"),
        ("a@b.example", "a@b.example"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str) -> None:
    assert Redaction(["s3cr3t-key", "abc"]).text(text) == shown


def test_texts_are_cut() -> None:
    assert len(Redaction().text("word " * 10_000)) == MOST
    assert Redaction().text("x" * MOST) == "x" * MOST
    assert len(Redaction().traceback("x" * 10_000 + "\n" + "y" * 10_000)) == 401


def test_any_value_can_be_logged() -> None:
    line = {"event": "x", "items": ["geheim", 1], "map": {}, "none": None, "empty": "", "zero": 0}
    tidied = Tidy(Redaction(["geheim"]))(None, "info", line)
    assert tidied == {"event": "x", "items": "['***', 1]", "map": "{}", "zero": 0}


def test_every_secret_of_a_configuration_is_known() -> None:
    settings = Settings.model_validate(
        {
            "server": {"read_token": "token-of-the-site"},
            "storage": {"url": "postgresql+psycopg://u:p%40ss-word@db/news"},
            "metrics": {"token": "token-of-metrics"},
            "source": [
                {
                    "url": "https://a.example/?key=reader-1&format=atom",
                    "username": "ann",
                    "password": "pass word",
                    "headers": {"X-Key": "key-in-a-header"},
                    "proxy": "http://u:proxy-pw@p.example:1/",
                }
            ],
            "output": [{"name": "o", "token": "token-of-output-o"}],
        }
    )
    found = set(secrets_in(settings))
    named = {"token-of-the-site", "token-of-metrics", "key-in-a-header", "token-of-output-o"}
    passwords = {"p%40ss-word", "p@ss-word", "pass word", "pass%20word", "proxy-pw"}
    assert named | passwords | {"YW5uOnBhc3Mgd29yZA=="} <= found
    assert "reader-1" in found
    assert not {"https://a.example/?key=reader-1&format=atom", "atom"} & found


# --- the page that explains them ----------------------------------------------------------------

Call = tuple[str, set[str], set[str], set[str]]
"""Event, levels, keys, and outcomes that stand there literally."""


def calls() -> Iterator[Call]:
    """Every call of a logger in the tree."""
    for package in ("aggregator", "feeds", "storage"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from calls_in(function)


def calls_in(function: ast.AST) -> Iterator[Call]:
    chosen: dict[str, set[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and (levels := levels_of(node.value)):
            chosen[ast.unparse(node.targets[0])] = levels
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            levels = chosen.get(ast.unparse(node.func)) or levels_of(node.func)
            if levels:
                assert isinstance(node.args[0], ast.Constant), ast.unparse(node)
                keys = {str(keyword.arg) for keyword in node.keywords}
                yield str(node.args[0].value), levels, keys, outcomes_of(node)


def levels_of(node: ast.AST) -> set[str]:
    found = {
        inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute) and ast.unparse(inner.value) == "_log"
    }
    return {"error" if level == "exception" else level for level in found}


def outcomes_of(call: ast.Call) -> set[str]:
    return {
        inner.value
        for keyword in call.keywords
        if keyword.arg == "outcome"
        for inner in ast.walk(keyword.value)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    }


def documented() -> dict[str, list[set[str]]]:
    """By event: levels, outcomes, keys."""
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    section = page.partition("\n## Logs\n")[2].partition("\n## ")[0]
    found = {}
    for row in re.findall(r"^\| (`.*) \|$", section, re.MULTILINE):
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) == 5:
            for event in re.findall(r"`([^`]+)`", cells[0]):
                split = [set(cell.split(", ")) - {""} for cell in cells[1:3]]
                found[event] = [*split, set(re.findall(r"`(\w+)`", cells[3]))]
    return found


def test_every_event_is_in_the_page_with_its_levels_and_keys() -> None:
    levels, keys, outcomes = (defaultdict[str, set[str]](set) for _ in range(3))
    for event, its_levels, its_keys, its_outcomes in calls():
        levels[event] |= its_levels
        keys[event] |= its_keys
        outcomes[event] |= its_outcomes
    page = documented()
    assert set(levels) == set(page)
    shared = {*KEYS, "error", "why"}
    for event, (its_levels, its_outcomes, its_keys) in page.items():
        assert levels[event] == its_levels, event
        assert keys[event] - shared == its_keys, event
        assert outcomes[event] <= its_outcomes, event
        assert "outcome" in keys[event] or event in {"started", "stopped", "danger"}, event


def test_the_shared_keys_are_explained() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for key in (*KEYS, "error", "why"):
        assert f"| `{key}` |" in page


def test_nothing_is_printed_or_logged_past_it() -> None:
    found: list[Any] = []
    for package in ("aggregator", "feeds", "storage"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if re.search(r"logging\.(warning|error|info|exception)\(|traceback\.print", text):
                found.append(path)
    assert found == []
