"""Schemathesis against the API: whatever the document allows, or forbids, is answered so."""

import asyncio
from collections import Counter
from pathlib import Path

import schemathesis
from api_site import fill_for_api, site_for_api
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import Status

from aggregator.ledger import Ledger
from aggregator.web.api.routes import ANSWERS
from aggregator.web.app import create_app
from storage.database import open_database

CONFIG = {
    "generation": {"max-examples": 8, "deterministic": True, "database": "none"},
    "phases": {"stateful": {"enabled": False}},
}


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    ledger = Ledger(open_database(f"sqlite:///{tmp_path / 'newsfold.db'}"))
    fill_for_api(ledger.database)
    app = create_app(asyncio.run(site_for_api(ledger)))
    schema = schemathesis.openapi.from_asgi(
        "/api/openapi.json", app, config=schemathesis.Config.from_dict(CONFIG)
    )
    found: list[str] = []
    asked: Counter[str] = Counter()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
        if isinstance(event, events.ScenarioFinished):
            asked[str(event.label)] += len(event.recorder.interactions)
            for number, checks in event.recorder.checks.items():
                found += [
                    f"{check.name}: {check.failure_info.failure}\n"
                    f"{event.recorder.cases[number].value.as_curl_command()}"
                    for check in checks
                    if check.status is Status.FAILURE and check.failure_info
                ]
    ledger.close()
    assert not found, "\n\n".join(found[:10])
    assert {label for label in asked if asked[label] > 20} >= {f"GET {path}" for path in ANSWERS}
