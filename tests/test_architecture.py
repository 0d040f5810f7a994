"""The house rules: which package imports which, and where each library lives."""

import ast
import re
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("aggregator", "feeds", "storage")
MAY_IMPORT = {"aggregator": {"feeds", "storage"}, "storage": {"feeds"}, "feeds": set[str]()}
LAYERS = {
    "aggregator": "cli → operating → running → web → stages → matching, metrics, config, newsroom",
    "aggregator/stages": "push → publish → fold → extract → poll",
}
"""Each folder imports from those to its right only; the modules beside the folders from none."""
HOMES = {
    "aiohttp": ("feeds/http/fetch.py", "feeds/http/connecting.py"),
    "apscheduler": "aggregator/running/ticks.py",
    "click": "aggregator/",
    "feedparser": "feeds/parsing/run_feedparser.py",
    "nh3": "feeds/clean.py",
    "prometheus_client": "aggregator/metrics/",
    "pebble": "aggregator/children.py",
    "psycopg": "storage/wakeups.py",
    "protego": "feeds/http/robots.py",
    "rapidfuzz": "aggregator/matching/",
    "regex": "aggregator/text_rules.py",
    "sqlalchemy": "storage/",
    "sqlmodel": "storage/",
    "threadpoolctl": "aggregator/matching/",
    "tld": "feeds/urls.py",
    "trafilatura": "feeds/page/second_readings.py",
    "uvicorn": ("aggregator/running/server.py", "aggregator/running/front_door.py"),
}


def modules() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    others = {name.split(".")[0] for name in imports(path)} & set(PACKAGES) - {own}
    assert others <= MAY_IMPORT[own]
    if own == "storage":
        taken = {name for name in imports(path) if name.startswith("feeds")}
        assert all(name.startswith("feeds.model") for name in taken)


@pytest.mark.parametrize("part", ["http", "parsing", "page", "writing"])
def test_the_parts_of_feeds_do_not_know_each_other(part: str) -> None:
    for path in sorted((ROOT / "feeds" / part).glob("*.py")):
        taken = {name.split(".")[1] for name in imports(path) if name.startswith("feeds.")}
        assert taken <= {part, "model", "urls", "clean"}, path.name


@pytest.mark.parametrize("place", LAYERS)
def test_folders_import_one_way(place: str) -> None:
    layers = [layer.split(", ") for layer in LAYERS[place].split(" → ")]
    folders = {path.parent.name for path in (ROOT / place).glob("*/__init__.py")}
    assert folders == {name for layer in layers for name in layer}
    below: set[str] = set()
    for layer in reversed(layers):
        for folder in layer:
            for path in (ROOT / place / folder).rglob("*.py"):
                taken = folders_imported(path, place) & folders
                assert taken <= below | {folder}, path.relative_to(ROOT)
        below |= set(layer)
    for path in (ROOT / place).glob("*.py"):
        taken = folders_imported(path, place) & folders
        assert not taken, path.relative_to(ROOT)
    assert LAYERS[place] in (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


def folders_imported(path: Path, place: str) -> set[str]:
    start = place.replace("/", ".") + "."
    return {
        name.removeprefix(start).split(".")[0] for name in imports(path) if name.startswith(start)
    }


def test_every_library_has_one_home() -> None:
    for path in modules():
        name = str(path.relative_to(ROOT))
        for imported in {module.split(".")[0] for module in imports(path)} & set(HOMES):
            assert name.startswith(HOMES[imported]), f"{name} imports {imported}"


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in modules()
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    }
    assert readers == {"aggregator/config/environment.py"}


def test_no_other_distribution_claims_our_package_names() -> None:
    claimed = packages_distributions()
    for name in PACKAGES:
        assert set(claimed.get(name, ["newsfold"])) == {"newsfold"}


def test_every_runtime_dependency_is_explained_and_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    wanted = project["dependencies"] + project["optional-dependencies"]["postgres"]
    for requirement in wanted:
        name = re.split(r"[\[<>=;]", requirement)[0]
        assert name in design, f"docs/design.md does not say why {name}"
        assert f"\n{name}==" in f"\n{pins}", f"constraints.txt does not pin {name}"
    assert "://" not in pins


def test_the_image_is_built_from_files_that_exist_and_runs_unprivileged() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [
        name
        for line in lines
        if line.startswith("COPY") and "--from" not in line
        for name in line.split()[1:-1]
    ]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    assert sum(line.startswith("FROM") for line in lines) == 2
    assert any(line.startswith("HEALTHCHECK") and "/healthz" in line for line in lines)
    assert "USER newsfold" in lines
    assert 'ENTRYPOINT ["newsfold"]' in lines


def test_nothing_of_this_machine_is_in_the_tree() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    assert not [name for name in tracked.stdout.splitlines() if name.endswith((".db", ".lock"))]
