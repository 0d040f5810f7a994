"""CSS selectors in the configuration, refused where they are written and not when a page comes."""

from typing import Annotated

from pydantic import AfterValidator


def _selector(value: str) -> str:
    # heavy, and only a configuration with page rules needs it
    from feeds.page.page_rules import BadSelectorError, PageRules  # noqa: PLC0415 - as said above

    try:
        PageRules(select=(value,))
    except BadSelectorError as error:
        raise ValueError(str(error).removeprefix(f"{value!r} ")) from error
    return value


Selector = Annotated[str, AfterValidator(_selector)]
Selectors = tuple[Selector, ...]
