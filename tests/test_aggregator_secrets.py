"""Secrets: from the config, the environment or a file; and never shown by any of them."""

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from aggregator.config.dangers import dangers
from aggregator.config.loading import ConfigError, load_config
from aggregator.config.output_settings import OutputSettings
from aggregator.config.secrets import secret_keys
from aggregator.config.settings import Settings, StorageSettings
from aggregator.config.source_settings import SourceSettings

SOURCE = '[[source]]\nurl = "https://times.example/feed"\nname = "Example Times"\n'
ENV = "NEWSFOLD_SOURCE_EXAMPLE_TIMES_"


def load(folder: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    path = folder / "newsfold.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, environment or {})


def problem(folder: Path, text: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, environment)
    return str(caught.value).replace(f"{folder}/", "")


def keep(folder: Path, name: str, text: str | bytes) -> None:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


def password(settings: Settings) -> str | None:
    (source,) = settings.source
    return source.password.get_secret_value() if source.password else None


def is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(is_secret, getattr(annotation, "__args__", ())))


@pytest.mark.parametrize("model", [SourceSettings, OutputSettings, StorageSettings])
def test_every_secret_has_a_twin_for_a_file(model: type[BaseModel]) -> None:
    typed = {name for name, info in model.model_fields.items() if is_secret(info.annotation)}
    assert typed <= secret_keys(model)
    assert all(f"{name}_file" in model.model_fields for name in typed)
    assert secret_keys(SourceSettings) == {"password", "headers", "proxy"}


def test_a_password_in_the_config(tmp_path: Path) -> None:
    assert password(load(tmp_path, f'{SOURCE}username = "ann"\npassword = "s3cret"')) == "s3cret"


@pytest.mark.parametrize("held", ["s3cret", "s3cret\n", "s3cret\r\n"])
def test_a_password_in_a_file_beside_the_config(tmp_path: Path, held: str) -> None:
    keep(tmp_path, "times.txt", held)
    text = f'{SOURCE}username = "ann"\npassword_file = "times.txt"'
    assert password(load(tmp_path, text)) == "s3cret"


@pytest.mark.parametrize("secret", ["s3cret", "12345", "true", '"quoted"', "a = [b]"])
def test_a_password_in_the_environment_is_taken_as_it_stands(tmp_path: Path, secret: str) -> None:
    settings = load(tmp_path, SOURCE, {f"{ENV}USERNAME": "ann", f"{ENV}PASSWORD": secret})
    assert password(settings) == secret


def test_the_environment_wins_over_the_file_in_whichever_way(tmp_path: Path) -> None:
    keep(tmp_path, "one", "one")
    keep(tmp_path, "other", "other")
    text = f'{SOURCE}username = "ann"\npassword_file = "one"'
    assert password(load(tmp_path, text, {f"{ENV}PASSWORD": "s3cret"})) == "s3cret"
    assert password(load(tmp_path, text, {f"{ENV}PASSWORD_FILE": "other"})) == "other"


def test_sources_of_an_included_list_take_theirs_too(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    keep(tmp_path / "lists", "more.toml", f'{SOURCE}username = "ann"\npassword_file = "secret"')
    keep(tmp_path / "lists", "secret", "s3cret")
    text = 'include = ["lists/more.toml"]'
    assert password(load(tmp_path, text)) == "s3cret"
    assert password(load(tmp_path, text, {f"{ENV}PASSWORD": "other"})) == "other"


def test_every_other_key_of_a_named_source_or_output_has_a_variable(tmp_path: Path) -> None:
    text = f'{SOURCE}[[output]]\nname = "world"\ncontent = "full"'
    token = "0123456789abcdef"
    settings = load(tmp_path, text, {f"{ENV}PRIORITY": "7", "NEWSFOLD_OUTPUT_WORLD_TOKEN": token})
    assert settings.source[0].priority == 7
    found = settings.output[0].token
    assert found is not None
    assert found.get_secret_value() == token


def test_tokens_and_database_addresses_come_from_files(tmp_path: Path) -> None:
    keep(tmp_path, "token", "0123456789abcdef\n")
    keep(tmp_path, "database", "postgresql+psycopg://ann:s3cret@db/news\n")
    text = '[storage]\nurl_file = "database"\n[[output]]\nname = "a"\ntoken_file = "token"'
    settings = load(tmp_path, text)
    assert settings.storage.url == "postgresql+psycopg://ann:s3cret@db/news"
    found = settings.output[0].token
    assert found is not None
    assert found.get_secret_value() == "0123456789abcdef"


def test_headers_are_a_table_or_lines_of_a_file(tmp_path: Path) -> None:
    keep(tmp_path, "headers", "X-Key: abc: d\n\n Cookie:  a=b \n")
    from_file = load(tmp_path, f'{SOURCE}headers_file = "headers"').source[0].headers
    from_table = (
        load(tmp_path, f'{SOURCE}headers = {{ X-Key = "abc: d", Cookie = "a=b" }}')
        .source[0]
        .headers
    )
    assert from_file == from_table
    assert {name: value.get_secret_value() for name, value in from_file.items()} == {
        "X-Key": "abc: d",
        "Cookie": "a=b",
    }


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (None, "secret cannot be read: No such file or directory"),
        (b"", "secret is empty"),
        (b" \n", "secret is empty"),
        (b"\xff\xfe", "secret is not UTF-8 text"),
        (b"x" * 70_000, "secret holds more than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_named_with_its_line(
    tmp_path: Path, held: bytes | None, words: str
) -> None:
    if held is not None:
        keep(tmp_path, "secret", held)
    found = problem(tmp_path, f'{SOURCE}username = "ann"\npassword_file = "secret"')
    assert found == f"newsfold.toml:5: password_file: {words}"


def test_both_ways_at_once_are_one_too_many(tmp_path: Path) -> None:
    keep(tmp_path, "secret", "s3cret")
    text = f'{SOURCE}username = "a"\npassword = "b"\npassword_file = "secret"'
    expected = "newsfold.toml:6: password and password_file are both set; keep one"
    assert problem(tmp_path, text) == expected


def test_a_file_is_named_by_text(tmp_path: Path) -> None:
    assert "password_file = 7" in problem(tmp_path, f"{SOURCE}password_file = 7")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('username = "ann"', "username and password go together"),
        ('password = "s3cret"', "username and password go together"),
        ('username = "a:b"\npassword = "s3cret"', "holds a colon"),
        ('headers = { "X Y" = "s3cret" }', "the header 'X Y' is malformed"),
        ('headers = { X = "s3cret\\nInjected: yes" }', "the header 'X' is malformed"),
        ('headers = { Host = "s3cret" }', "the header 'Host' is Newsfold's own"),
        ('headers = { If-None-Match = "s3cret" }', "is Newsfold's own and cannot be set"),
        ('headers = "s3cret"', "is not one header in each line"),
        ("headers = { X = 5 }", "headers.X: "),
        ('user_agent = "a\\nb"', "the header 'User-Agent' is malformed"),
        ('proxy = "socks5://ann:s3cret@proxy"', "is not an http:// or https:// address"),
        ('interval = "0s"', "interval"),
        ('timeout = "1h"', "timeout"),
        ('retry_after = "nobody"', "retry_after"),
    ],
)
def test_what_cannot_be_meant_is_explained_and_shows_no_secret(
    tmp_path: Path, lines: str, words: str
) -> None:
    found = problem(tmp_path, SOURCE + lines)
    assert words in found
    assert "s3cret" not in found


@pytest.mark.parametrize("address", ["ann:s3cret@times.example", "s3cret@times.example"])
def test_a_password_in_an_address_is_refused_with_the_way_to_write_it(
    tmp_path: Path, address: str
) -> None:
    found = problem(tmp_path, f'[[source]]\nurl = "https://{address}/feed"')
    assert found.startswith("newsfold.toml:2: url = 'https://times.example/feed' holds a user name")
    assert 'username = "..." and password = "..."' in found
    assert "s3cret" not in found


def test_a_wrong_variable_is_named_and_not_shown(tmp_path: Path) -> None:
    found = problem(tmp_path, SOURCE, {f"{ENV}PROXY": "s3cret", f"{ENV}PASWORD": "s3cret"})
    assert f'{ENV}PASWORD: is not a setting; did you mean "{ENV}PASSWORD"?' in found
    assert f"environment variable {ENV}PROXY: proxy: is not an http://" in found
    assert "s3cret" not in found


@pytest.mark.parametrize("network", ["0.0.0.0/1", "::/3", "64.0.0.0/2"])
def test_a_network_too_wide_is_refused(tmp_path: Path, network: str) -> None:
    assert "name the networks you mean" in problem(
        tmp_path, f'[fetch]\nallow_networks = ["{network}"]'
    )


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    text = f"""{SOURCE}username = "ann"
password = "s3cret-1"
headers = {{ X-Key = "s3cret-2" }}
proxy = "http://joe:s3cret-3@proxy.example:3128"
[[output]]
name = "a"
token = "s3cret-4-0123456789"
[storage]
url = "postgresql+psycopg://ann:s3cret-5@db/news"
"""
    settings = load(tmp_path, text)
    dumped = settings.model_dump_json(exclude={"storage"})
    assert "s3cret" not in f"{settings!r} {settings} {dumped}"


def test_what_is_dangerous_is_said(tmp_path: Path) -> None:
    (said,) = dangers(load(tmp_path, f"{SOURCE}tls_verify = false"))
    assert said.startswith("Example Times: TLS certificates are not verified")
    assert dangers(load(tmp_path, f"{SOURCE}tls_verify = false\nenabled = false")) == []
    assert dangers(load(tmp_path, SOURCE)) == []
