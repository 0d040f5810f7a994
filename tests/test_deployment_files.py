"""What docs/ and compose files start is what the program understands."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from aggregator.cli.commands import main
from aggregator.config.environment import variables
from aggregator.config.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE = ("compose.yaml", "compose.scale.yaml")
UNITS = sorted((ROOT / "docs" / "systemd").glob("*.service"))
KNOWN = {"NEWSFOLD_CONFIG", *variables(Settings)}


def compose(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return found


def kubernetes() -> list[Mapping[str, Any]]:
    path = ROOT / "docs" / "kubernetes" / "newsfold.yaml"
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def of_kind(kind: str) -> list[Mapping[str, Any]]:
    return [one for one in kubernetes() if one["kind"] == kind]


def check_environment(values: Mapping[str, str]) -> None:
    """Every variable is a setting, and roles and addresses are such."""
    assert {name for name in values if name.startswith("NEWSFOLD_")} <= KNOWN
    process = {
        key: values[f"NEWSFOLD_PROCESS_{key.upper()}"]
        for key in ("roles", "listen")
        if f"NEWSFOLD_PROCESS_{key.upper()}" in values
    }
    Settings.model_validate({"process": process})


def check_command(words: list[str], tmp_path: Path) -> None:
    """The program takes it, up to the configuration that is not there."""
    if "--config" in words:
        words[words.index("--config") + 1] = str(tmp_path / "none.toml")
    else:
        words += ["--config", str(tmp_path / "none.toml")]
    result = CliRunner().invoke(main, words)
    assert "There is no configuration" in result.output, result.output


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_files_say_what_is_understood(name: str) -> None:
    found = compose(name)
    for service in found["services"].values():
        check_environment(service.get("environment", {}))
        for secret in service.get("secrets", ()):
            assert secret in found["secrets"]
        for other in service.get("depends_on", {}):
            assert other in found["services"]
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source == "." or source in found["volumes"]


def test_the_services_at_scale_cover_every_role() -> None:
    services = compose("compose.scale.yaml")["services"]
    roles = [one["environment"].get("NEWSFOLD_PROCESS_ROLES", "") for one in services.values()]
    assert {role for some in roles for role in some.split(",") if role} == {
        "poll",
        "extract",
        "fold",
        "web",
    }


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_start_what_is_understood(path: Path, tmp_path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    values = [line.partition("=")[2] for line in lines if line.startswith("Environment=")]
    check_environment(dict(value.replace("%i", "1").split("=", 1) for value in values))
    (command,) = [line.partition("=")[2] for line in lines if line.startswith("ExecStart=")]
    check_command(shlex.split(command)[1:], tmp_path)
    assert any(line == "Type=notify" for line in lines)


def containers() -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for deployment in of_kind("Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        for container in pod["containers"]:
            yield pod, container


def test_kubernetes_starts_what_is_understood(tmp_path: Path) -> None:
    for _, container in containers():
        check_command(list(container["args"]), tmp_path)
        check_environment({one["name"]: one.get("value", "") for one in container["env"]})


def test_kubernetes_objects_fit_together() -> None:
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in of_kind("Deployment")]
    for one in kubernetes():
        assert {"apiVersion", "kind", "metadata", "spec"} <= one.keys()
        selector = one["spec"]["selector"]
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= labels.items() for labels in pods), one["metadata"]["name"]
    for pod, container in containers():
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for name in ("livenessProbe", "startupProbe"):
            assert container[name]["httpGet"]["path"] == "/readyz"
            assert container[name]["httpGet"]["port"] in ports
        listens = {one["name"]: one.get("value") for one in container["env"]}
        assert listens["NEWSFOLD_PROCESS_LISTEN"] == f"0.0.0.0:{ports['http']}"
