"""The files that an installation is made of: systemd's unit, the image, the compose file."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from aggregator.cli.commands import main
from aggregator.config.environment import CONFIG_VARIABLE, variables
from aggregator.config.settings import Settings

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "docs" / "systemd" / "newsfold.service"
ANALYZE = shutil.which("systemd-analyze")


def settings_of(text: str) -> set[str]:
    return set(re.findall(r"\bNEWSFOLD_[A-Z_]+", text))


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "docs/systemd/newsfold.service"])
def test_variables_and_commands_are_real(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert settings_of(text) <= {*variables(Settings), CONFIG_VARIABLE}
    for command in re.findall(r"bin/newsfold ([a-z-]+)", text):
        assert command in main.commands


def test_the_image_has_all_that_the_wheel_is_made_of() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE)
    copied = [word for line in lines for word in line.split()]
    assert {"aggregator", "feeds", "storage", "seeds", "pyproject.toml"} <= set(copied)
    assert all((ROOT / word).exists() for word in copied)
    assert re.search(r"^USER (?!root)\w+$", text, re.MULTILINE), "not as root"


def test_the_compose_file_keeps_the_database_and_writes_nowhere_else() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"][
        "newsfold"
    ]
    mounts = dict(volume.split(":")[:2] for volume in service["volumes"])
    assert service["environment"]["NEWSFOLD_STORAGE_URL"].startswith("sqlite:////data/")
    assert mounts["data"] == "/data"
    assert service["environment"][CONFIG_VARIABLE].startswith(mounts["."])
    assert ".:/config:ro" in service["volumes"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_unit_is_watched_and_shut_in() -> None:
    text = UNIT.read_text(encoding="utf-8")
    for line in (
        "Type=notify",
        "WatchdogSec=60",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "CapabilityBoundingSet=",
    ):
        assert re.search(rf"^{line}$", text, re.MULTILINE), line


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_safe(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    there = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(encoding="utf-8"))
    unit.write_text(there, encoding="utf-8")
    assert UNIT.name not in analyze("verify", unit), "it complains of ours, whatever else it does"
    analyze("security", "--offline=true", "--threshold=20", unit)


def analyze(*words: str | Path) -> str:
    """What systemd complains of; it must not call it a failure."""
    done = subprocess.run([str(ANALYZE), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-400:]
    return done.stderr
