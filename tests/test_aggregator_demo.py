"""The demonstration, as an operator starts it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.newsroom import load_newsroom
from aggregator.operating.demo import demo_settings, run_demo
from aggregator.running.application import ApplicationError
from aggregator.running.server import bind

ROOT = Path(__file__).parent.parent


def test_one_pass_prints_its_summary_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from aggregator.cli.commands import main; main(['demo', '--once'])",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    newsroom = load_newsroom()
    summary = re.fullmatch(
        r"(\d+) sources, (\d+) entries, (\d+) articles, (\d+) stories, (\d+) copies, "
        r"\d+\.\d seconds\n",
        done.stdout,
    )
    assert summary, done.stdout
    assert int(summary[1]) == len(newsroom.outlets)
    assert int(summary[3]) == len(newsroom.articles)
    assert "failed" not in done.stderr
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("newsfold")]


def test_a_taken_port_is_told_with_a_way_out() -> None:
    with bind("127.0.0.1:0") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ApplicationError, match=r"newsfold demo --port 0"):
            run_demo(once=False, port=port)


def test_it_may_reach_this_machine_and_nothing_else(tmp_path: Path) -> None:
    newsroom = load_newsroom()
    settings = demo_settings(newsroom, "http://127.0.0.1:1", "http://127.0.0.1:2", tmp_path)
    assert list(map(str, settings.fetch.allow_networks)) == ["127.0.0.1/32"]
    assert len(settings.source) == len(newsroom.outlets)
    assert all(source.url.startswith("http://127.0.0.1:1/") for source in settings.source)
    assert settings.server.listen == "127.0.0.1:2"
