"""What tests share: a real server and a real browser."""

from __future__ import annotations

import os

import pytest
from threadpoolctl import threadpool_limits

from benchmarks.app import ARGUMENTS, CHROMIUM, started

# Of NumPy: the tests run in as many processes as there are cores.
threadpool_limits(1)


@pytest.fixture(scope="session")
def app():
    """The app, started as a person would start it."""
    with started() as running:
        yield running


@pytest.fixture(scope="session")
def server(app):
    """The address of the app."""
    return app.address


@pytest.fixture(scope="session")
def browser():
    """Chromium; skips where there is none, except in CI, which installs one."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to install Chromium")
        pytest.skip("no Chromium on this machine: install the package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page of a new visitor, as wide as a laptop; fails the test on an error of our scripts."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened, errors = context.new_page(), []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors
