"""From a paste to the diff in a real browser, on a phone, and not straight."""

import re

import pytest
from playwright.sync_api import expect

from support.browser import LONG, open_at, press, saved, settle

pytestmark = pytest.mark.browser

SCRIPT = """import pandas as pd
from keras.models import Sequential
from keras.layers import Dense
table = pd.read_csv("loans.csv")
X, y = table.drop("default", axis=1).values, table["default"].values
model = Sequential()
model.add(Dense(16, input_dim=4, activation="relu"))  # my layer
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=30, batch_size=32)
"""


def test_a_paste_leads_to_the_diff_also_on_a_phone_and_after_detours(server, page):
    page.set_viewport_size({"width": 390, "height": 844})
    open_at(page, server)
    page.get_by_role("textbox", name="Your script").fill(SCRIPT)
    press(page, "See what is wrong")
    expect(page.get_by_text("What was understood")).to_be_visible(timeout=30_000)
    page.get_by_role("spinbutton", name="How much do its classes overlap").fill("0")
    press(page, "Use these answers")
    # A busy server may not have begun to read them yet: the page would look settled.
    expect(page).to_have_url(re.compile("answers="), timeout=30_000)
    expect(page.get_by_text("Stand-in data").first).to_be_visible(timeout=30_000)
    settle(page)
    press(page, "Train")
    expect(page.get_by_role("heading", name=re.compile("runs ended at"))).to_be_visible(
        timeout=LONG
    )
    settle(page)
    # Edited after it was answered: the answers stay.
    page.get_by_role("textbox", name="Your script").fill(
        SCRIPT.replace('Dense(1, activation="sigmoid")', 'Dense(1, activation="softmax")')
    )
    press(page, "Read it")
    expect(page.get_by_text("Softmax over a single unit").first).to_be_visible(timeout=30_000)
    # The URL is written last.
    settle(page)
    page.reload()
    expect(page.get_by_text("Softmax over a single unit").first).to_be_visible(timeout=30_000)
    settle(page)
    press(page, "Find the fix")
    fix = page.locator(".st-key-own-diff")
    expect(fix).to_be_visible(timeout=2 * LONG)
    answer = page.locator(".st-key-own-result")
    assert 0 < answer.bounding_box()["y"] < 80, "nothing of the controls is above it"
    # The result has the same findings with what the runs show of them.
    expect(page.locator("summary", has_text="Wrong before any training")).to_be_visible()
    expect(fix).to_contain_text('-model.add(Dense(1, activation="softmax"))')
    expect(fix).to_contain_text('+model.add(Dense(1, activation="sigmoid"))')
    expect(fix).not_to_contain_text("-model.add(Dense(16")
    expect(fix).to_contain_text(re.compile(r"Sigmoid output: .*of 32 runs .*on the same seeds"))
    with page.expect_download() as download:
        fix.get_by_role("button", name="Patched script").click()
    text = download.value.path().read_text()
    assert text == SCRIPT, "the fix undoes the edit, and nothing else"
    page.get_by_role("tab", name="Export").click()
    page.get_by_role("tab", name="Report").click()
    report = saved(page, "Report").read_text()
    assert "<h1>Your network" in report
    width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert width <= 390
