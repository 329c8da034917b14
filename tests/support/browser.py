"""What a visitor does in a real browser."""

import re

from playwright.sync_api import Page, expect

IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
LONG = 90_000
"""Milliseconds that a training may take here, the start of TensorFlow included."""
PATHS = (
    "",
    "Your_network",
    "Threshold_problem",
    "Two_blob_problem",
    "Compare_fixes",
    "Check_the_answers",
    "Gallery",
)


def settle(page: Page) -> None:
    page.wait_for_selector(IDLE, timeout=LONG)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def open_at(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
    settle(page)


def press(page: Page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True).click()


def look_at(page: Page, *tabs: str) -> None:
    """Open a tab, and in it others."""
    for name in tabs:
        page.get_by_role("tab", name=name, exact=True).click()
        settle(page)


def set_number(page: Page, group: str, label: str, value: object) -> None:
    press(page, group)
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    # A busy server may not have begun to read it yet: the page would look settled.
    expect(page).to_have_url(re.compile(f"={re.escape(str(value))}(&|$)"), timeout=30_000)
    page.keyboard.press("Escape")
    settle(page)


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible(timeout=30_000)
    settle(page)


def saved(page: Page, name: str):
    """Where the file of a download button is."""
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button", name=name).click()
    return download.value.path()
