"""Who cannot see the page, or holds no mouse: axe-core on every page, and the keyboard."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from core.script.examples import example
from pages.elements.own import packed
from support.browser import LONG, PATHS, look_at, open_at, press, settle

pytestmark = pytest.mark.browser

START = {
    "Your_network": f"?runs=16&script={packed(example('zeros'))}",
    "Threshold_problem": "?fixes=sigmoid-output&runs=16&epochs=2",
    "Two_blob_problem": "?runs=16&epochs=2",
    "Compare_fixes": "?runs=16&fixes=sigmoid-output",
    "Check_the_answers": "?claim=two-blob-rmsprop-5",
    "Gallery": "?case=xor",
}
RUN = {
    "Your_network": ("Find the fix", "The fix on your own lines"),
    "Threshold_problem": ("Train", "runs ended at"),
    "Two_blob_problem": ("Train", "runs ended at"),
    "Compare_fixes": ("Compare", "Depends on the seed"),
    "Check_the_answers": ("Test", "Measured just now"),
}
"""The button that trains, and words that are there once it has."""
WHOLE = "Threshold_problem"
"""The page whose settings and tabs are looked at as well, which the other problem's page shares."""
SCHEMES = (
    ("light", "rgb(255, 255, 255)", {"resultTypes": ["violations"]}),
    ("dark", "rgb(17, 22, 28)", {"runOnly": ["color-contrast"]}),
)
"""Each with its background and the rules that axe-core checks."""
TRANSITIONS_ENDED = """() => Promise.race([
    new Promise(done => setTimeout(done, 1000)),
    Promise.allSettled(
        document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished))])"""
"""Or a second: one of an element that is not drawn never ends."""


def violations(page: Page, where: str) -> list[str]:
    """What axe-core calls serious or critical in the light and the dark theme, a line an element.

    What the themes differ in are the colours, so that the dark one is asked for its contrast only.
    """
    # A button under the pointer, and one that changes its colour, is not as it stays.
    page.mouse.move(0, 0)
    found = []
    for scheme, background, rules in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
        # While a page is drawn again, as it is in another scheme, Streamlit shows a button in its
        # header that fades in.
        settle(page)
        expect(page.get_by_test_id("stBaseButton-header").get_by_text("Stop")).to_have_count(0)
        page.evaluate(TRANSITIONS_ENDED)
        for rule in Axe().run(page, options=rules).response["violations"]:
            for node in rule["nodes"] if rule["impact"] in ("serious", "critical") else ():
                summary = f"{rule['help']}: {node['failureSummary']} {node['html']}"
                found.append(f"{where}, {scheme}: {summary}")
    return found


def headings_in_order(page: Page, where: str) -> list[str]:
    """Headings of the page's content that skip a level, or come before the first."""
    levels = [
        int(node.evaluate("node => node.tagName")[1])
        for node in page.get_by_test_id("stMain").get_by_role("heading").all()
    ]
    steps = zip([0, *levels], levels, strict=False)
    return [f"{where}: h{b} after h{a}" for a, b in steps if b > a + 1 or (a and b == 1)]


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_serious(server, page, path):
    open_at(page, f"{server}/{path}{START.get(path, '')}")
    found = violations(page, "fresh") + headings_in_order(page, "fresh")
    if path == WHOLE:
        for name in ("Data", "Network", "Training", "Runs"):
            press(page, name)
            found += violations(page, name)
            page.keyboard.press("Escape")
    if path in RUN:
        button, words = RUN[path]
        press(page, button)
        # The fix takes two jobs, one after the other.
        expect(page.get_by_text(re.compile(words)).first).to_be_visible(timeout=2 * LONG)
        settle(page)
        found += violations(page, "trained") + headings_in_order(page, "trained")
    if path == WHOLE:
        _, *others = page.get_by_role("tab").all_inner_texts()
        for tab in others:
            look_at(page, tab)
            found += violations(page, tab) + headings_in_order(page, tab)
    assert not found, "\n".join(found)


def test_a_training_is_started_with_the_keyboard_alone(server, page):
    open_at(page, f"{server}/Threshold_problem?runs=16&epochs=2")
    train = page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True)
    for _ in range(60):
        page.keyboard.press("Tab")
        if train.evaluate("node => node === document.activeElement"):
            break
    expect(train).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="16 runs ended at")).to_be_visible(timeout=LONG)
