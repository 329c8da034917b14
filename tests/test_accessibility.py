"""Who cannot see the page, or holds no mouse: axe-core on every page, and the keyboard."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from test_browser import LONG, PATHS, open_at, press, settle

pytestmark = pytest.mark.browser

START = {
    "Threshold_problem": "?runs=16&epochs=2",
    "Two_blob_problem": "?runs=16&epochs=2",
    "Compare_fixes": "?runs=16&fixes=sigmoid-output",
}
NOT_OURS: list[tuple[str, str]] = []
"""Rule and part of an element's HTML: what Streamlit's own elements violate."""


def violations(page: Page, where: str) -> list[str]:
    """What axe-core calls serious or critical, one line an element."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{where}: {rule['id']} ({rule['impact']}), {rule['help']}: {node['html'][:300]} "
        f"{node['any'][:1] and node['any'][0]['message']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
        if not any(rule["id"] == name and part in node["html"] for name, part in NOT_OURS)
    ]


def headings_in_order(page: Page, where: str) -> list[str]:
    """Headings of the page's content that skip a level, or come before the first."""
    levels = [
        int(node.evaluate("node => node.tagName")[1])
        for node in page.get_by_test_id("stMain").get_by_role("heading").all()
    ]
    steps = zip([0, *levels], levels, strict=False)
    return [f"{where}: h{b} after h{a}" for a, b in steps if b > a + 1 or (a and b == 1)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_serious(server, browser, path, scheme):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    open_at(page, f"{server}/{path}{START.get(path, '')}")
    found = violations(page, "fresh") + headings_in_order(page, "fresh")
    if path.endswith("problem"):
        for name in ("Data", "Network", "Training", "Runs"):
            press(page, name)
            found += violations(page, name)
            page.keyboard.press("Escape")
    if path:
        press(page, "Compare" if path == "Compare_fixes" else "Train")
        done = re.compile("runs reached|combination")
        expect(page.get_by_role("heading", name=done)).to_be_visible(timeout=LONG)
        settle(page)
        found += violations(page, "trained") + headings_in_order(page, "trained")
    context.close()
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
    expect(page.get_by_role("heading", name="16 runs reached")).to_be_visible(timeout=LONG)
