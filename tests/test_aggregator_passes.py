"""``update`` and ``render`` over a few scripted outlets."""

import io
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import ONE_ENGINE
from fakes import rss
from newsroom_runs import settings_for
from scripted_server import ScriptedServer, reply

from aggregator.config.settings import Settings
from aggregator.operating.passes import _progress, _render, _update

FEED = rss(("1", "Harbour bridge reopens after repairs"), ("2", "Mount Takara closes the airport"))


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@pytest.fixture
async def outlet() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        server.on("/feed", reply(200, FEED.encode(), Content_Type="application/rss+xml"))
        server.on("/broken", reply(500))
        yield server


@pytest.fixture
def settings(database_url: str, outlet: ScriptedServer) -> Settings:
    sources: list[dict[str, object]] = [
        {"url": outlet.url(path), "name": path.strip("/").title(), "full_text": "never"}
        for path in ("/feed", "/broken", "/missing")
    ]
    return settings_for(database_url, sources, fetch={"min_interval": "1h"})


async def test_update_says_what_it_does_lists_what_failed_and_sums_up(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await _update(settings, everything=False)
    said = capsys.readouterr()
    assert said.err.splitlines()[:3] == ["Polling 3", "Extracting 2", "Folding 2"]
    assert said.err.splitlines()[3:] == [
        "failed: Broken: the server answered 500",
        "failed: Missing: the server answered 404",
    ]
    summary = said.out.splitlines()[-1]
    assert summary.startswith(
        "3 sources polled, 2 failed; 2 new or changed entries; 2 articles read, 2 folded; "
    )


async def test_update_leaves_alone_what_is_not_due(
    settings: Settings, outlet: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await _update(settings, everything=False)
    await _update(settings, everything=False)
    assert len(outlet.seen("/feed")) == 1
    await _update(settings, everything=True)
    assert len(outlet.seen("/feed")) == 2
    assert "3 sources polled" in capsys.readouterr().out.splitlines()[-1]


async def test_sources_that_share_a_name_are_each_listed(
    database_url: str, outlet: ScriptedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    sources: list[dict[str, object]] = [
        {"url": outlet.url(path)} for path in ("/broken", "/missing")
    ]
    await _update(settings_for(database_url, sources), everything=True)
    said = capsys.readouterr()
    assert said.err.count("failed: ") == 2
    assert "2 failed" in said.out


async def test_render_writes_the_site_and_then_only_what_changed(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "site"
    await _update(settings, everything=True)
    await _render(settings, folder)
    written = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
    assert {"index.html", "feed.atom", "feed.rss", "feed.json", "opml"} <= set(written)
    assert len([name for name in written if name.endswith("/index.html")]) == 3
    times = {name: path.stat().st_mtime_ns for name, path in written.items()}
    await _render(settings, folder)
    assert times == {name: path.stat().st_mtime_ns for name, path in written.items()}
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first == f"{len(written) - 1} files written to {folder}, 0 were up to date, 0 removed"
    assert second == f"0 files written to {folder}, {len(written) - 1} were up to date, 0 removed"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_progress_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with _progress("Polling", 4) as show:
        for done in range(5):
            show(done)
    assert "Polling" in terminal.getvalue()
    assert "4/4" in terminal.getvalue()


def test_in_a_pipe_progress_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with _progress("Polling", 4) as show:
        show(4)
    assert capsys.readouterr().err == "Polling 4\n"
