"""Every page in a real browser, with real trainings: what only a browser can show."""

import re

import pytest
from playwright.sync_api import Page, expect

from core.claims import CLAIMS

pytestmark = pytest.mark.browser

IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
LONG = 90_000
"""Milliseconds that a training may take here, the start of TensorFlow included."""
PATHS = ("", "Threshold_problem", "Two_blob_problem", "Compare_fixes", "Check_the_answers")


def settle(page: Page) -> None:
    page.wait_for_selector(IDLE, timeout=LONG)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def open_at(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
    settle(page)


def press(page: Page, name: str) -> None:
    # Streamlit's own header has a "Stop" of its own while a script runs.
    page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True).click()


def set_number(page: Page, group: str, label: str, value: object) -> None:
    press(page, group)
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    page.keyboard.press("Escape")
    settle(page)


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    settle(page)


def test_home_shows_evidence_and_leads_to_the_pages(server, page):
    open_at(page, server)
    charts = page.get_by_test_id("stVegaLiteChart")
    expect(charts).to_have_count(3)
    expect(page.get_by_text(re.compile("Recorded on"))).to_be_visible()
    for name in ("Threshold problem", "Two-blob problem", "Compare fixes", "Check the answers"):
        go_to(page, name)


def test_a_training_grows_stops_and_survives_a_page_change(server, page):
    open_at(page, f"{server}/Threshold_problem?epochs=2000")
    press(page, "Train")
    bar = page.get_by_test_id("stProgress")
    expect(bar).to_contain_text(re.compile(r"Epoch [2-9]"), timeout=LONG)
    chart = page.get_by_test_id("stVegaLiteChart").first
    drawing = chart.locator("canvas, svg").first.element_handle()
    seen = bar.inner_text()
    expect(bar).not_to_have_text(seen)
    assert drawing.evaluate("node => node.isConnected"), "the chart grows in place, it is not new"
    go_to(page, "Two-blob problem")
    go_to(page, "Threshold problem")
    expect(page.get_by_test_id("stProgress")).to_contain_text("Epoch")
    press(page, "Stop")
    expect(page.get_by_role("heading", name="64 runs reached")).to_be_visible(timeout=30_000)
    expect(page.get_by_text(re.compile(r"Stopped after [\d,]+ of 2000 epochs"))).to_be_visible()


def test_settings_survive_a_page_change_and_the_link_opens_them_elsewhere(server, page, browser):
    open_at(page, f"{server}/Two_blob_problem")
    page.get_by_role("button", name="Learning rate 0.1").click()
    settle(page)
    set_number(page, "Training", "Epochs", 7)
    go_to(page, "Threshold problem")
    go_to(page, "Two-blob problem")
    expect(page.get_by_text("Adam 0.1; 7 epochs")).to_be_visible()
    expect(page).to_have_url(re.compile(r"fixes=higher-learning-rate&epochs=7"))
    elsewhere = browser.new_context().new_page()
    open_at(elsewhere, page.url)
    expect(elsewhere.get_by_text("Adam 0.1; 7 epochs")).to_be_visible()
    elsewhere.context.close()


def test_a_network_is_looked_into_epoch_by_epoch_without_the_server(server, page):
    open_at(page, f"{server}/Two_blob_problem?fixes=higher-learning-rate&epochs=5")
    press(page, "Train")
    expect(page.get_by_role("heading", name="All 64 runs reached")).to_be_visible(timeout=LONG)
    slider = page.locator(".vega-bindings input[type=range]")
    expect(slider).to_be_visible()
    frames = []
    page.on("websocket", lambda socket: frames.append(socket))
    before = page.get_by_text(re.compile("after epoch")).count()
    slider.evaluate("e => { e.value = e.min; e.dispatchEvent(new Event('input')); }")
    page.wait_for_timeout(500)
    expect(page.locator(IDLE)).to_be_visible()
    assert before == page.get_by_text(re.compile("after epoch")).count()
    assert not frames


def test_plain_keras_is_laid_over_the_stack(server, page):
    open_at(page, f"{server}/Two_blob_problem?epochs=3&runs=16")
    press(page, "Train")
    press_when_there = page.get_by_role("button", name="Train one run with model.fit")
    press_when_there.click(timeout=LONG)
    expect(page.get_by_text("times as fast")).to_be_visible(timeout=LONG)


def test_fixes_are_compared_and_downloaded(server, page):
    open_at(page, f"{server}/Compare_fixes?fixes=sigmoid-output.standardise-inputs&runs=16")
    press(page, "Compare")
    expect(page.get_by_role("heading", name="combination")).to_be_visible(timeout=LONG)
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("combination,runs,successes,rate,low,high")
    assert len(lines) == 1 + 4


def test_a_claim_is_chosen_in_the_table_and_by_another_page(server, page):
    open_at(page, f"{server}/Check_the_answers")
    # The table is a canvas under a scroller: its first row's box is a little below the corner.
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    corner = table.bounding_box()
    page.mouse.click(corner["x"] + 20, corner["y"] + 52)
    first = next(iter(CLAIMS.values()))
    expect(page.get_by_role("heading", name=first.text)).to_be_visible()
    expect(page).to_have_url(re.compile(f"claim={first.key}"))
    page.get_by_test_id("stSidebar").get_by_role("link", name="Why is it stuck?").click()
    expect(page.get_by_role("heading", name="What hundreds of runs show")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="How it was tested").first.click()
    chosen = CLAIMS["threshold-both-learn"]
    expect(page.get_by_role("heading", name=chosen.text)).to_be_visible()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(server, browser, path, scheme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    open_at(page, f"{server}/{path}")
    if path.endswith("problem"):
        press(page, "Train")
        expect(page.get_by_role("heading", name="runs reached")).to_be_visible(timeout=LONG)
        settle(page)
    wide = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *:not(input)')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetWidth)"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    assert not wide
    context.close()
