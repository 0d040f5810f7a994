"""A real browser for tests: Debian's chromium under Playwright.

Where there is none such tests are skipped, unless TESTS_REQUIRE_BROWSER says that there must be.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REQUIRED = bool(os.environ.get("TESTS_REQUIRE_BROWSER"))
PHONE, DESK = (390, 844), (1280, 900)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not REQUIRED,
    reason="no chromium here; TESTS_REQUIRE_BROWSER=1 makes this a failure",
)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A running browser."""
    assert CHROMIUM, "TESTS_REQUIRE_BROWSER is set, and there is no chromium"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield started
        finally:
            await started.close()


@dataclass
class Visit:
    """A page that is open, and what went on there that nobody wanted."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


@asynccontextmanager
async def visit(
    browser: Browser, url: str, path: str = "/", size: tuple[int, int] = DESK, **context: Any
) -> AsyncIterator[Visit]:
    """Open ``path`` at ``url`` in a window of its own; what it loads from elsewhere is noted."""
    opened = await browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
    page = await opened.new_page()
    found = Visit(page)
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("dialog", lambda dialog: found.complaints.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith(url) else found.elsewhere.append(request.url)
        ),
    )
    try:
        await page.goto(url + path)
        yield found
    finally:
        await opened.close()
