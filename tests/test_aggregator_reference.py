import re
from pathlib import Path

import click
from pydantic import BaseModel

from aggregator.cli.commands import main
from aggregator.cli.reference import commands_reference
from aggregator.cli.sections import SECTIONS
from aggregator.config.loading import load_config
from aggregator.config.output_settings import OutputSettings
from aggregator.config.reference import configuration_reference
from aggregator.config.settings import Settings
from aggregator.config.source_settings import SourceSettings

ROOT = Path(__file__).parent.parent


def test_the_page_is_what_the_settings_say() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == configuration_reference(), (
        "python -m aggregator.config.reference > docs/configuration.md"
    )


def test_every_setting_is_in_the_page_and_explained() -> None:
    rows = configuration_reference().splitlines()
    tables = [info.annotation for info in Settings.model_fields.values()]
    models: list[type[BaseModel]] = [SourceSettings, OutputSettings]
    models += [t for t in tables if isinstance(t, type) and issubclass(t, BaseModel)]
    for model in models:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} is not explained"
            assert any(row.startswith(f"| `{name}` |") for row in rows)


def test_defaults_and_types_are_written_as_toml_has_them() -> None:
    page = configuration_reference()
    assert '| `min_interval` | duration | `"15m"` |' in page
    assert "| `enabled` | true or false | `true` |" in page
    assert "| `url` | text | required |" in page
    assert "| `categories` | list of text | `[]` |" in page
    assert "| `full_text` |" in page
    assert '`"auto"` or `"always"` or `"never"`' in page


def test_every_command_that_the_readme_names_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(
        r"newsfold ((?:init|check|run|update|render|demo|[a-z-]+)\b)([^`\n#]*)", readme
    )
    lines = [(name, rest) for name, rest in named if f"newsfold {name}" in readme]
    commands = main.commands
    documented = {name for name, _ in re.findall(r"\| `newsfold ([a-z-]+)([^`]*)`", readme)}
    assert documented <= set(commands)
    assert {"init", "run", "sources", "status"} <= documented
    for name, rest in lines:
        if name not in commands:
            continue
        options = {option for p in commands[name].params for option in p.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options | {"--help"}


def test_the_readmes_example_can_be_taken_as_it_stands(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    path = tmp_path / "newsfold.toml"
    path.write_text(example, encoding="utf-8")
    settings = load_config(path, {})
    assert settings.source[0].publisher == "Example Times"


def test_the_page_of_commands_is_what_they_say() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == commands_reference(), "python -m aggregator.cli.reference > docs/commands.md"
    for name in main.commands:
        assert f"`newsfold {name}" in page


def test_every_link_of_the_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            if "://" in target:
                continue
            linked = (page.parent / path).resolve() if path else page
            assert linked.exists(), f"{page.name}: {target}"
            if anchor and linked.suffix == ".md":
                assert anchor in anchors(linked), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """Of the headings of a page, as forges make them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_help_lists_every_command_in_one_section() -> None:
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(main.commands)


def test_every_command_and_option_says_what_it_does() -> None:
    groups = [c for c in main.commands.values() if isinstance(c, click.Group)]
    for command in [*main.commands.values(), *(c for g in groups for c in g.commands.values())]:
        assert command.help
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{command.name} {parameter.name}"
