"""Logging is the process's own, so each case runs in one of its own."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPT = """
import logging, sys
from aggregator.logs import configure_logs
import structlog
configure_logs(json={json})
log = structlog.get_logger()
log.debug("never seen")
log.info("polled", source="The Times", new=3)
secret = "the password"
try:
    raise ValueError("no such thing")
except ValueError:
    log.exception("work failed")
logging.getLogger("trafilatura").warning("never seen")
logging.getLogger("sqlalchemy").info("never seen")
logging.getLogger("asyncio").warning("slow")
"""


def lines(*, as_json: bool) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT.format(json=as_json)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == ""
    assert "never seen" not in done.stderr
    return done.stderr.splitlines()


def test_json_lines_are_json_with_the_same_keys() -> None:
    first, second, third = lines(as_json=True)
    told = json.loads(first)
    assert told.pop("timestamp").endswith("Z")
    assert told == {"event": "polled", "source": "The Times", "new": 3, "level": "info"}
    failed = json.loads(second)
    assert failed["level"] == "error"
    assert "ValueError: no such thing" in failed["exception"]
    assert third == "WARNING asyncio: slow"


def test_lines_for_people_hold_no_escapes_in_a_pipe_and_no_local_variables() -> None:
    found = lines(as_json=False)
    assert "polled" in found[0]
    assert "source='The Times'" in found[0]
    text = "\n".join(found)
    assert "\x1b" not in text
    assert "ValueError: no such thing" in text
    assert text.count("the password") == 0
