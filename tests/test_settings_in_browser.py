"""Settings changed in crooked ways in a real browser: what is shown is what is trained."""

import re

import pytest
from playwright.sync_api import Page, expect

from core.problems import PROBLEMS
from support.browser import LONG, go_to, look_at, open_at, press, set_number, settle

pytestmark = pytest.mark.browser

GROUPS = ("Data", "Network", "Training", "Runs")


def look_into_popovers(page: Page) -> None:
    """Open each popover and close it again, in each of the ways that there are."""
    for number, name in enumerate(GROUPS):
        press(page, name)
        expect(
            page.get_by_test_id("stPopoverBody").get_by_test_id("stWidgetLabel").first
        ).to_be_visible()
        if number % 3 == 0:
            page.keyboard.press("Escape")
        elif number % 3 == 1:
            # Somewhere that no popover reaches.
            page.get_by_test_id("stSidebar").click(position={"x": 20, "y": 800})
        else:
            press(page, name)
        expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


def choose(page: Page, name: str) -> None:
    """Press a fix or a form of the question among the controls, not on a card below."""
    groups = page.get_by_test_id("stButtonGroup")
    groups.get_by_role("button", name=name, exact=True).or_(
        groups.get_by_role("radio", name=name, exact=True)
    ).click()


def card(page: Page, key: str):
    """The button of a card; Streamlit has a second one, unseen on a laptop, for its help."""
    return page.locator(f".st-key-{key} button").first


def summary(page: Page):
    return page.get_by_text(re.compile("^Network "))


def by_hand(page: Page):
    return page.get_by_text(re.compile("Changed by hand: "))


def trained(page: Page, by: str = "Train") -> None:
    """Train, and wait for the page to show what came of it."""
    press(page, by)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    expect(page.get_by_role("tab", name="Layers")).to_be_visible(timeout=LONG)
    settle(page)


def assert_results_are_of_these_settings(page: Page) -> None:
    expect(page.get_by_text("belong to earlier settings")).to_have_count(0)


def in_view(page: Page, problem: str) -> bool:
    """The result begins in the upper part of the window, and the keyboard goes on there."""
    return page.evaluate(
        "key => { const part = document.querySelector(`.st-key-${key}-result`);"
        "  const top = part.getBoundingClientRect().top;"
        "  return top >= 0 && top < 0.6 * innerHeight && part.contains(document.activeElement); }",
        problem,
    )


def test_a_fix_stays_chosen_after_every_popover_was_opened(server, page):
    open_at(page, f"{server}/Threshold_problem?runs=16&epochs=2")
    look_into_popovers(page)
    choose(page, "Sigmoid output")
    expect(summary(page)).to_contain_text("5 relu → 1 sigmoid")
    page.wait_for_timeout(1_000)  # for a closed popover to say what it still holds
    trained(page)
    expect(summary(page)).to_contain_text("5 relu → 1 sigmoid")
    expect(by_hand(page)).to_have_text(re.compile("Changed by hand: epochs 2, runs 16"))
    assert_results_are_of_these_settings(page)

    press(page, "Network")
    expect(page.get_by_role("combobox", name="Output layer: activation")).to_have_value("sigmoid")
    page.keyboard.press("Escape")
    choose(page, "Sigmoid output")
    expect(summary(page)).to_contain_text("5 relu → 1 relu")


def test_form_reset_and_loaded_experiment_hold_after_every_popover_was_opened(server, page):
    open_at(page, f"{server}/Two_blob_problem?runs=16&epochs=3")
    look_into_popovers(page)
    choose(page, "Labels left at 1 and 2")
    expect(summary(page)).to_contain_text("2 sigmoid → 1 sigmoid")
    look_into_popovers(page)
    choose(page, "Learning rate 0.1")
    set_number(page, "Training", "Batch size", 16)
    trained(page)
    expect(summary(page)).to_contain_text("1 sigmoid; binary crossentropy; Adam 0.1; 3 epochs")
    expect(summary(page)).to_contain_text("batches of 16")
    assert_results_are_of_these_settings(page)

    look_into_popovers(page)
    press(page, "Reset")
    expect(summary(page)).to_contain_text("2 softmax; categorical crossentropy; Adam 0.001; 50 ep")
    page.wait_for_timeout(1_000)
    choose(page, "As asked")  # anything that runs the page again
    settle(page)
    expect(by_hand(page)).to_have_count(0)

    look_into_popovers(page)
    changed = PROBLEMS["two-blob"].fixes["rmsprop"].apply(PROBLEMS["two-blob"].experiment)
    look_at(page, "Export", "Data")
    upload = page.get_by_test_id("stFileUploaderDropzoneInput")
    content = changed.to_json().encode()
    upload.set_input_files({"name": "x.json", "mimeType": "text/json", "buffer": content})
    expect(summary(page)).to_contain_text("RMSprop 0.001")
    trained(page)
    expect(summary(page)).to_contain_text("RMSprop 0.001")
    assert_results_are_of_these_settings(page)


def test_the_buttons_on_cards_and_the_smallest_change_hold_and_show_their_result(server, page):
    open_at(page, f"{server}/Threshold_problem?runs=16&epochs=2")
    trained(page)
    assert in_view(page, "threshold")
    look_into_popovers(page)
    card(page, "threshold-fix-inputs-unscaled-standardise-inputs").click()
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    expect(page).to_have_url(re.compile("fixes=standardise-inputs"))
    settle(page)
    assert in_view(page, "threshold")
    assert_results_are_of_these_settings(page)

    look_into_popovers(page)
    card(page, "threshold-try").click()
    card(page, "threshold-apply-smallest").click(timeout=LONG)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    expect(summary(page)).to_contain_text("1 sigmoid", timeout=LONG)
    settle(page)
    assert in_view(page, "threshold")
    look_into_popovers(page)
    trained(page, "New data")
    expect(summary(page)).to_contain_text("1 sigmoid")
    expect(by_hand(page)).to_contain_text("seed 1")
    expect(by_hand(page)).not_to_contain_text("data seed")
    assert_results_are_of_these_settings(page)


def test_the_keyboard_gets_from_train_to_the_change_to_make_in_a_few_steps(server, page):
    open_at(page, f"{server}/Threshold_problem?fixes=sigmoid-output&runs=16&epochs=2")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Layers")).to_be_visible(timeout=LONG)
    settle(page)
    test, change = card(page, "threshold-try"), card(page, "threshold-apply-first")
    assert steps_to(page, test) <= 8, "four of them are the chart's own"
    assert steps_to(page, change) <= 2
    expect(change).to_be_in_viewport()
    tab = page.get_by_role("tab", name="Why")
    assert steps_to(page, tab) <= 6, "four of them are the chart's own"
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Curves")).to_be_focused()


def steps_to(page: Page, wanted) -> int:
    """How often Tab is pressed until the focus is there; as many as 20 tell that it is not."""
    for steps in range(20):
        if wanted.evaluate("element => element === document.activeElement"):
            return steps
        page.keyboard.press("Tab")
    return 20


def test_back_and_forward_undo_and_repeat_a_change_and_then_leave_the_page(server, page):
    open_at(page, f"{server}/Two_blob_problem")
    go_to(page, "Threshold problem")
    choose(page, "Sigmoid output")
    expect(page).to_have_url(re.compile("fixes=sigmoid-output$"))
    settle(page)
    set_number(page, "Training", "Epochs", 7)
    look_into_popovers(page)
    page.go_back()
    expect(summary(page)).to_contain_text("1 sigmoid; binary crossentropy; Adam 0.001; 10 epochs")
    page.go_back()
    expect(summary(page)).to_contain_text("1 relu")
    page.go_forward()
    page.go_forward()
    expect(summary(page)).to_contain_text("7 epochs")
    press(page, "Training")
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("7")
    page.keyboard.press("Escape")

    go_to(page, "Two-blob problem")
    go_to(page, "Threshold problem")
    expect(summary(page)).to_contain_text("7 epochs")
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Two-blob problem")).to_be_visible()


def test_nothing_is_asked_of_another_host(server, page):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    open_at(page, f"{server}/Threshold_problem")
    assert hosts == {server.removeprefix("http://")}
    icon = page.locator("link[rel='shortcut icon'], link[rel=icon]").first.get_attribute("href")
    assert icon.endswith(".png")
