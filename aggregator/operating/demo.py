"""``newsfold demo``: the daemon on a made-up newsroom, on this machine only, kept nowhere."""

import tempfile
import time
from pathlib import Path

import click

from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.newsroom import Newsroom, load_newsroom, newsroom_app, newsroom_config_sources
from aggregator.operating.passes import full_pass
from aggregator.running.application import open_application
from aggregator.running.daemon import daemon, run_async, stop_signal
from aggregator.running.server import ListenError, bind, serving
from storage.status import totals

_LOOPBACK = "127.0.0.1"


def demo_settings(newsroom: Newsroom, newsroom_url: str, base_url: str, folder: Path) -> Settings:
    """The configuration of the demonstration: every outlet, no pauses between polls of one host."""
    return Settings.model_validate(
        {
            "server": {
                "listen": base_url.removeprefix("http://"),
                "base_url": base_url,
                "title": "Newsfold",
            },
            "storage": {"url": f"sqlite:///{folder / 'demo.db'}"},
            "fetch": {
                "allow_networks": [f"{_LOOPBACK}/32"],
                "min_interval": "10s",
                "host_interval": "0s",
                "host_concurrency": 16,
            },
            "source": newsroom_config_sources(newsroom, newsroom_url),
        }
    )


def run_demo(*, once: bool, port: int) -> None:
    """Run it until Ctrl-C, or for one pass.

    Raises:
        ApplicationError: the port is taken.
    """
    with tempfile.TemporaryDirectory(prefix="newsfold-demo-") as folder:
        run_async(_demo(Path(folder), once=once, port=port))


async def _demo(folder: Path, *, once: bool, port: int) -> None:
    newsroom = load_newsroom()
    try:
        listener = bind(f"{_LOOPBACK}:{0 if once else port}")
    except ListenError as error:
        raise ApplicationError(
            f"{error}; any free port: newsfold demo --port 0, or make demo ARGS='--port 0'"
        ) from error
    with listener, bind(f"{_LOOPBACK}:0") as newsroom_listener:
        newsroom_url = f"http://{_LOOPBACK}:{newsroom_listener.getsockname()[1]}"
        base_url = f"http://{_LOOPBACK}:{listener.getsockname()[1]}"
        settings = demo_settings(newsroom, newsroom_url, base_url, folder)
        async with serving(newsroom_app(newsroom), newsroom_listener):
            if once:
                await _once(settings)
            else:
                stop = stop_signal()
                async with daemon(settings, listener):
                    _announce(newsroom, newsroom_url, base_url)
                    await stop.wait()
                    click.echo("Stopping.")


async def _once(settings: Settings) -> None:
    begun = time.monotonic()
    async with open_application(settings) as application:
        await full_pass(application, everything=True)
        found = await application.ledger.read(totals)
        failed = application.tally.failed
    for name, error in sorted(failed.items()):
        click.echo(f"failed: {name}: {error}", err=True)
    click.echo(
        f"{found.sources} sources, {found.entries} entries, {found.articles} articles, "
        f"{found.stories} stories, {found.copies} copies, {time.monotonic() - begun:.1f} seconds"
    )


def _announce(newsroom: Newsroom, newsroom_url: str, base_url: str) -> None:
    outlets = f"{len(newsroom.outlets)} made-up outlets"
    click.echo(
        f"""
  {outlets:<22}{newsroom_url}/
  Front page            {base_url}/
  Merged feed           {base_url}/feed.atom   (also feed.rss, feed.json)

Everything is on this machine and nothing is kept. Stop with Ctrl-C.
"""
    )
