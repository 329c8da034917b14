"""Draw the pictures of the README anew, from the app as it is: `python -m docs.pictures`.

It needs the requirements of the tests and Chromium, and takes about a minute. The figures in the
README beside a picture come from the same trainings: compare them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.app import ARGUMENTS, CHROMIUM, started
from core.script.examples import example
from pages.elements.own import packed

HERE = Path(__file__).parent
LONG = 300_000
"""Milliseconds that a training may take here."""
LAPTOP = {"width": 1366, "height": 768}
TO_END = "(node, below) => { node.scrollIntoView({block: 'end'}); \
document.querySelector('[data-testid=stMain]').scrollBy(0, below); }"


@contextmanager
def opened(browser: Browser, address: str, scale: float = 1) -> Iterator[Page]:
    """A page of a new visitor."""
    page = browser.new_page(viewport=LAPTOP, device_scale_factor=scale, color_scheme="light")
    page.set_default_timeout(LONG)
    page.goto(address)
    yield page
    page.close()


def settled(page: Page, shown: Locator) -> None:
    """Wait for what is to be shown, and until everything is drawn."""
    shown.wait_for()
    page.mouse.move(LAPTOP["width"] - 300, 20)
    page.wait_for_timeout(5_000)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def your_network(browser: Browser, address: str) -> None:
    script = packed(example("zeros"))
    with opened(browser, f"{address}/Your_network?script={script}") as page:
        page.get_by_role("button", name="Find the fix").click()
        last = page.get_by_role("button", name="Patched script")
        settled(page, last)
        last.evaluate(TO_END, 26)
        page.wait_for_timeout(500)
        page.screenshot(path=HERE / "your-network.png")


def where_it_learns(browser: Browser, address: str) -> None:
    parameters = "fixes=sigmoid-output.wider-hidden&tab=Where+it+learns"
    with opened(browser, f"{address}/Threshold_problem?{parameters}", 1.5) as page:
        page.get_by_role("button", name="Train 256 settings").click()
        chart = page.locator(".st-key-threshold-where-chart")
        settled(page, chart)
        chart.locator("canvas, svg.marks").first.screenshot(path=HERE / "where-it-learns.png")


def main() -> None:
    with started() as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        your_network(browser, app.address)
        where_it_learns(browser, app.address)
        browser.close()


if __name__ == "__main__":
    main()
