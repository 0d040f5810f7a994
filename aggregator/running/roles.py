"""What runs in a process, by the roles it has. A role is which stages start, and nothing else."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from aggregator.running.application import Application
from aggregator.running.neighbours import Neighbourhood
from aggregator.running.on_duty import OnDuty, Work
from aggregator.running.publishing import Publishing
from aggregator.stages.stage import Stage
from storage.duties import FOLD, PUBLISH

SOON, LATER = 1.0, 5.0
"""Seconds. Due sources are looked for every second, missed wake-ups of later stages less often."""


@dataclass(frozen=True, slots=True)
class Running:
    """Something that runs until it is cancelled, and how often it is woken, in seconds."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]
    wake: Callable[[], None] | None = None
    every: float = LATER


def what_runs(application: Application, neighbourhood: Neighbourhood) -> Iterator[Running]:
    """Everything that this process is to do beside answering requests."""
    roles = application.settings.process.roles
    if "poll" in roles:
        yield _stage(application.polling, SOON)
        yield from map(_stage, application.push.stages if application.push else ())
    if "extract" in roles:
        yield _stage(application.reading)
    if "fold" in roles:
        folding = application.folding
        yield Running("fold", _on_duty(application, FOLD, application.fold), folding.wake)
    if "web" in roles:
        publishing = Publishing(application.publisher, application.announcer)
        yield Running("publish", publishing.run, publishing.wake, SOON)
        yield Running("lead", _on_duty(application, PUBLISH, publishing.lead))
        yield _stage(application.announcing)
    if application.ledger.database.is_shared:
        yield Running("bell", application.bell.run)
        yield Running("neighbours", neighbourhood.run)


def _stage(stage: Stage[Any], every: float = LATER) -> Running:
    return Running(stage.name, stage.run, stage.wake, every)


def _on_duty(
    application: Application, name: str, work: Work
) -> Callable[[], Coroutine[Any, Any, None]]:
    return OnDuty(application.ledger, application.duties, name, work).run
