"""Every page in a real browser, with real trainings: what only a browser can show."""

import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from benchmarks.app import started
from core.claims import CLAIMS, record
from core.problems import PROBLEMS
from pages.elements.charts import GREY
from support.browser import (
    IDLE,
    LONG,
    PATHS,
    go_to,
    look_at,
    open_at,
    press,
    saved,
    set_number,
    settle,
)

pytestmark = pytest.mark.browser

BESIDE = """() => {
  const slider = document.querySelector('.vega-bindings input[type=range]');
  const [its, value] = [slider, slider.nextElementSibling].map(e => e.getBoundingClientRect());
  return its.top - 10 < value.top && value.top < its.bottom;
}"""
"""Whether the value of a chart's slider is beside it."""


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
    press(page, "Stop training")
    expect(page.get_by_role("heading", name="64 runs ended at")).to_be_visible(timeout=30_000)
    expect(page.get_by_text(re.compile(r"Stopped after [\d,]+ of 2000 epochs"))).to_be_visible()


def test_settings_survive_a_page_change_and_the_link_opens_them_elsewhere(server, page, browser):
    open_at(page, f"{server}/Two_blob_problem")
    page.get_by_role("button", name="Learning rate 0.1").click()
    settle(page)
    set_number(page, "Training", "Epochs", 7)
    go_to(page, "Threshold problem")
    go_to(page, "Two-blob problem")
    expect(page.get_by_text("Adam 0.1; 7 epochs")).to_be_visible(timeout=30_000)
    expect(page).to_have_url(re.compile(r"fixes=higher-learning-rate&epochs=7"))
    elsewhere = browser.new_context().new_page()
    open_at(elsewhere, page.url)
    expect(elsewhere.get_by_text("Adam 0.1; 7 epochs")).to_be_visible()
    elsewhere.context.close()


def test_a_network_is_looked_into_epoch_by_epoch_without_the_server(server, page):
    open_at(page, f"{server}/Two_blob_problem?fixes=higher-learning-rate&epochs=5")
    press(page, "Train")
    expect(page.get_by_role("heading", name="All 64 runs ended at")).to_be_visible(timeout=LONG)
    look_at(page, "Network")
    slider = page.locator(".vega-bindings input[type=range]").first
    expect(slider).to_be_visible()
    frames = []
    page.on("websocket", lambda socket: frames.append(socket))
    # Of three charts, each drawn when the browser comes to it.
    notes = page.get_by_text(re.compile("after epoch"))
    expect(notes).to_have_count(3)
    slider.evaluate("e => { e.value = e.min; e.dispatchEvent(new Event('input')); }")
    page.wait_for_timeout(500)
    expect(page.locator(IDLE)).to_be_visible()
    assert notes.count() == 3
    assert not frames
    for kind in ("Best", "Median"):
        chosen = page.get_by_role("radio", name=re.compile(kind))
        run = re.search(r"run \d+", chosen.inner_text()).group()
        chosen.click()
        # The epoch that was chosen stays, for the new run.
        expect(page.get_by_text(f"{run}, after epoch 0")).to_be_visible()
        expect(slider).to_have_value("0")


def test_a_click_on_a_curve_shows_the_network_of_its_run_also_alone(server, page):
    open_at(page, f"{server}/Two_blob_problem?fixes=higher-learning-rate&epochs=5&runs=16")
    press(page, "Train")
    expect(page.get_by_role("heading", name="runs ended at")).to_be_visible(timeout=LONG)
    settle(page)
    curve = page.locator("[data-testid=stVegaLiteChart] canvas").first
    box = curve.bounding_box()
    at = {"x": box["width"] * 0.6, "y": box["height"] * 0.35}
    curve.hover(position=at)
    tip = page.locator("#vg-tooltip-element tr", has=page.get_by_text("Run", exact=True))
    run = re.search(r"\d+", tip.inner_text()).group()
    curve.click(position=at)
    expect(page.get_by_role("radio", name=f"Run {run}", exact=True)).to_be_checked()
    expect(page.get_by_text(f"run {run}, after epoch 5").first).to_be_visible()
    expect(page).to_have_url(re.compile(rf"pick={run}(&|$)"))
    # The same for a slide: one chart, without the page around it.
    page.goto(f"{page.url}&embed=true&show=network")
    expect(page.get_by_text(f"run {run}, after epoch 5")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name="Train")).to_have_count(0)
    expect(page.get_by_role("heading")).to_have_count(1)
    page.set_viewport_size({"width": 1280, "height": 720})
    expect(page.get_by_role("link", name="Open the whole page")).to_be_in_viewport()
    slide = page.url
    page.goto(slide.replace("show=network", "show=curves"))
    expect(page.get_by_role("link", name="Open the whole page")).to_be_in_viewport(timeout=LONG)
    high = (
        "() => document.querySelector('[data-testid=stVegaLiteChart] canvas')?.clientHeight > 500"
    )
    page.wait_for_function(high)
    page.goto(slide)
    # On a phone, the epoch is beside its slider and not in a line below.
    page.set_viewport_size({"width": 360, "height": 800})
    slider = page.get_by_role("slider", name="Epoch")
    expect(page.locator("canvas, svg.marks").first).to_be_visible()
    epoch = slider.locator("xpath=following-sibling::span")
    expect(epoch).to_be_visible()
    # The chart is drawn again for the width, which takes its time.
    page.wait_for_function(BESIDE)


def test_plain_keras_is_laid_over_the_stack(server, page):
    open_at(page, f"{server}/Two_blob_problem?epochs=3&runs=16&tab=model.fit")
    press(page, "Train")
    press_when_there = page.get_by_role("button", name="Train one run with model.fit")
    press_when_there.click(timeout=LONG)
    expect(page.get_by_text("times as fast")).to_be_visible(timeout=LONG)


def test_fixes_are_compared_and_downloaded(server, page):
    open_at(page, f"{server}/Compare_fixes?fixes=sigmoid-output.standardise-inputs&runs=16")
    press(page, "Compare")
    # The recorded comparison, which the page begins with, has the same headings.
    expect(page.get_by_text("Recorded on")).to_have_count(0, timeout=LONG)
    expect(page.get_by_role("heading", name="smallest combination")).to_be_visible(timeout=LONG)
    settle(page)  # until then, parts of the recorded one may still be below
    expect(page.get_by_role("heading", name="One combination in detail")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("combination,runs,successes,rate,low,high")
    assert len(lines) == 1 + 4
    table = json.loads(saved(page, "Table as JSON").read_text())
    assert table["experiment"]["kind"] == "Experiment"
    assert table["versions"].keys() == {"keras", "numpy", "tensorflow"}
    assert [row["fixes"] for row in table["table"]][3] == table["fixes"]


def test_a_link_opens_the_same_on_another_server(server, page):
    open_at(page, f"{server}/Two_blob_problem?start=labels-left-at-1-and-2&fixes=rmsprop")
    set_number(page, "Data", "Noise", 0.07)
    set_number(page, "Training", "Learning rate", 0.0125)
    press(page, "Link")
    link = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode").first.inner_text()
    page.keyboard.press("Escape")
    assert link == page.url
    described = page.get_by_text(re.compile("Network 2")).inner_text()
    assert "RMSprop 0.0125" in described
    with started() as other:
        parts = urlsplit(link)
        open_at(page, f"{other.address}{parts.path}?{parts.query}")
        expect(page.get_by_text(re.compile("Network 2"))).to_have_text(described)
        expect(
            page.get_by_text("Changed by hand: noise 0.07, learning rate 0.0125.")
        ).to_be_visible()
        assert urlsplit(page.url).query == parts.query
        expect(page.get_by_test_id("stAlert")).to_have_count(1)  # the invitation to train


def test_trainings_outlast_a_reload_and_a_link_opens_their_results(server, page, browser):
    open_at(page, f"{server}/Threshold_problem?epochs=2&runs=16&tab=Trainings")
    ended = page.get_by_role("heading", name="16 runs ended at")
    press(page, "Train")
    expect(ended).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Sigmoid output", exact=True).click()
    expect(page.get_by_text("belong to earlier settings")).to_be_visible()
    press(page, "Train")
    before = page.get_by_text("Before: epochs 2, runs 16, ")
    expect(before).to_be_visible(timeout=LONG)
    settle(page)
    press(page, "Train")
    beside = page.get_by_role("toolbar", name="Side by side").get_by_role("button")
    expect(beside).to_have_count(3, timeout=LONG)
    page.reload()
    expect(ended).to_be_visible(timeout=LONG)
    expect(beside).to_have_count(3)
    expect(beside.last).to_contain_text("+ Sigmoid output")
    elsewhere = browser.new_context().new_page()
    open_at(elsewhere, f"{page.url}&results=yes")
    expect(elsewhere.get_by_role("heading", name="16 runs ended at")).to_be_visible(timeout=LONG)
    expect(elsewhere).not_to_have_url(re.compile("results"))
    expect(elsewhere.get_by_text("Before: ")).to_have_count(0)  # nobody sees another's trainings
    elsewhere.context.close()


def test_an_embedded_page_shows_trains_and_stays_embedded(server, page):
    open_at(page, f"{server}/Two_blob_problem?embed=true&epochs=2&runs=16")
    press(page, "Train")
    expect(page.get_by_role("heading", name="16 runs ended at")).to_be_visible(timeout=LONG)
    set_number(page, "Training", "Epochs", 3)
    expect(page).to_have_url(re.compile("epochs=3"))
    assert "embed=true" in page.url


def test_an_experiment_is_saved_and_loaded_again(server, page, tmp_path):
    open_at(page, f"{server}/Two_blob_problem?fixes=rmsprop&epochs=9&hold-out=0.25")
    described = page.get_by_text(re.compile("Network 2")).inner_text()
    look_at(page, "Export", "Data")
    path = saved(page, "Experiment as JSON")
    open_at(page, f"{server}/Two_blob_problem?tab=Export")
    look_at(page, "Data")
    upload = page.get_by_test_id("stFileUploaderDropzoneInput")
    for content, said in (
        (b'{"kind":"Experiment","data":[[1]]}', "Not loaded."),
        (
            PROBLEMS["threshold"].experiment.to_json().encode(),
            "this is a threshold experiment; open it on that page",
        ),
        (path.read_bytes(), "Loaded: the controls above"),
    ):
        upload.set_input_files({"name": "x.json", "mimeType": "text/json", "buffer": content})
        expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_text(re.compile("Network 2"))).to_have_text(described)
    expect(page).to_have_url(re.compile(r"fixes=rmsprop&epochs=9|fixes=rmsprop&hold-out=0\.25"))
    expect(page.get_by_role("button", name="RMSprop")).to_have_attribute("aria-pressed", "true")


def test_a_report_is_drawn_without_a_server_or_a_network(server, page, browser, tmp_path):
    open_at(page, f"{server}/Threshold_problem?epochs=2&fixes=sigmoid-output.scale-inputs")
    press(page, "Train")
    expect(page.get_by_role("heading", name="runs ended at")).to_be_visible(timeout=LONG)
    settle(page)
    look_at(page, "Export", "Data")
    curves = json.loads(saved(page, "Curves as JSON").read_text())
    assert len(curves["accuracy"]) == 64
    look_at(page, "Report")
    path = tmp_path / "report.html"
    path.write_bytes(saved(page, "Report").read_bytes())
    context = browser.new_context(offline=True)
    report, asked, errors = context.new_page(), [], []
    report.on("request", lambda request: asked.append(request.url))
    report.on("pageerror", lambda error: errors.append(str(error)))
    report.goto(path.as_uri())
    figures = report.locator("figure .chart")
    expect(report.locator("body[data-drawn]")).to_be_attached(timeout=LONG)
    assert figures.count() == int(report.locator("body").get_attribute("data-drawn")) >= 7
    first = report.locator("details").first
    first.locator("summary").click()
    entries = [link.inner_text() for link in first.locator("a").all()]
    assert entries == ["Save as SVG", "Save as PNG", "View Source"]
    painted = report.evaluate(
        "[...document.querySelectorAll('.chart')].map(place => {"
        "  const canvas = place.querySelector('canvas');"
        "  if (!canvas) return place.querySelectorAll('svg [class*=mark-] path').length > 3;"
        "  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        "  return new Set(new Uint32Array(pixels.data.buffer)).size > 20; })"
    )
    assert all(painted)
    assert (asked, errors) == ([path.as_uri()], [])
    context.close()


def shows_claim(page: Page, key: str) -> None:
    """One claim is marked in the list and can be seen there, and it is the one beside it."""
    text = CLAIMS[key].text
    expect(page.get_by_role("heading", name=text)).to_be_in_viewport(timeout=30_000)
    marked = page.get_by_role("radiogroup").locator("label", has=page.locator("input:checked"))
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text(text)
    expect(marked).to_be_in_viewport(ratio=0.5)


def test_a_claim_is_chosen_anywhere_in_its_row(server, page):
    page.set_viewport_size({"width": 1366, "height": 768})
    open_at(page, f"{server}/Check_the_answers?claim=threshold-always-half")
    shows_claim(page, "threshold-always-half")
    rows = page.get_by_role("radiogroup").locator("label", has=page.locator("input"))
    keys = list(CLAIMS)
    rows.nth(1).get_by_text(CLAIMS[keys[1]].text).click()
    shows_claim(page, keys[1])
    box = rows.nth(2).bounding_box()
    rows.nth(2).click(position={"x": box["width"] - 3, "y": 5})
    shows_claim(page, keys[2])
    expect(page).to_have_url(re.compile(f"claim={keys[2]}"))
    figures = rows.nth(3).get_by_text("Reported")
    figures.click(position={"x": 90, "y": 8})
    shows_claim(page, keys[3])
    page.keyboard.press("ArrowDown")
    shows_claim(page, keys[4])
    page.get_by_test_id("stMain").get_by_role("radio", name="Two-blob problem", exact=True).click()
    shows_claim(page, next(key for key in keys if key.startswith("two-blob")))


def test_the_claims_stay_beside_the_details_and_a_choice_leads_to_their_start(server, page):
    page.set_viewport_size({"width": 1366, "height": 768})
    open_at(page, f"{server}/Check_the_answers?claim=threshold-always-half")
    settle(page)
    page.get_by_role("heading", name="Export").scroll_into_view_if_needed()
    page.mouse.wheel(0, -1)  # whoever scrolls is left alone from then on
    rows = page.get_by_role("radiogroup").locator("label", has=page.locator("input"))
    expect(rows.nth(2)).to_be_in_viewport(ratio=1)
    chosen = list(CLAIMS)[2]
    rows.nth(2).get_by_text(CLAIMS[chosen].text).click()
    expect(page.get_by_role("heading", name=CLAIMS[chosen].text)).to_be_in_viewport(ratio=1)


def test_a_claim_is_shown_from_home_and_opened_with_its_fixes(server, page):
    page.set_viewport_size({"width": 1366, "height": 768})
    open_at(page, server)
    page.get_by_test_id("stMain").get_by_role("link", name="How it was tested").first.click()
    shows_claim(page, "threshold-both-learn")
    settle(page)
    press(page, "Open in Threshold problem")
    expect(page.get_by_role("heading", level=1, name="Threshold problem")).to_be_in_viewport(
        timeout=30_000
    )
    expect(page).to_have_url(re.compile(r"\?v=2&fixes=sigmoid-output\.scale-inputs$"))
    for name, pressed in (("Sigmoid output", True), ("Scale inputs to [0, 1]", True)):
        fix = page.get_by_role("button", name=name, exact=True)
        expect(fix).to_have_attribute("aria-pressed", str(pressed).lower())
    expect(page.get_by_text("Changed by hand")).to_have_count(0)


LEGEND = """canvas => {
    const [wide, high, rows] = [canvas.width, canvas.height, 90];
    const drawing = canvas.getContext("2d");
    const pixels = new Uint32Array(drawing.getImageData(0, high - rows, wide, rows).data.buffer);
    const [red, green, blue] = GREY.slice(1).match(/../g).map(two => parseInt(two, 16));
    const grey = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    const edge = pixels.filter((_, at) => at % wide >= wide - 3);
    return {median: pixels.filter(pixel => pixel === grey).length, edge: new Set(edge).size};
}""".replace("GREY", f'"{GREY}"')
"""Of a chart's last rows: how many pixels of the median's mark, how many colours at the edge."""


def test_the_cards_of_home_are_alike_and_no_legend_is_cut(server, page):
    for width in (1024, 1366):
        page.set_viewport_size({"width": width, "height": 768})
        open_at(page, server)
        canvases = page.get_by_test_id("stVegaLiteChart").locator("canvas")
        expect(canvases).to_have_count(2)
        for canvas in canvases.all():
            legend = canvas.evaluate(LEGEND)
            assert legend["edge"] == 1, (width, "something is drawn up to the edge")
            assert legend["median"] > 20, (width, "the median is not explained")
    heights = page.locator(".st-key-findings a[href*='claim=']").evaluate_all(
        "links => links.map(link => { let card = link;"
        "  while (!parseFloat(getComputedStyle(card).borderTopWidth)) card = card.parentElement;"
        "  return card.getBoundingClientRect().height; })"
    )
    assert len(heights) == 3
    assert max(heights) - min(heights) < 1


def test_a_claims_verdict_can_be_read_on_a_phone(server, page):
    page.set_viewport_size({"width": 390, "height": 844})
    key = "threshold-always-half"
    open_at(page, f"{server}/Check_the_answers?claim={key}")
    # The page leads to the chosen claim, until somebody scrolls.
    heading = page.get_by_role("heading", name=CLAIMS[key].text)
    expect(heading).to_be_in_viewport(timeout=30_000)
    page.mouse.wheel(0, -1)
    row = page.get_by_role("radiogroup").locator("label", has=page.locator("input")).first
    row.scroll_into_view_if_needed()
    rate = record.load().tested[key].verdict.rate
    for words in ("Holds", CLAIMS[key].text, f"{rate.successes:,} of {rate.runs:,} runs"):
        expect(row.get_by_text(words)).to_be_in_viewport(ratio=1)


WIDE = (
    # What scrolls in a box of its own, such as a table, may be wider than that.
    "const scrolls = e => e && !e.matches('[data-testid=stMain]') && (scrolls(e.parentElement)"
    "  || ['auto', 'scroll'].includes(getComputedStyle(e).overflowX));"
    "[...document.querySelectorAll('[data-testid=stMain] *:not(input)')]"
    ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetWidth)"
    ".filter(e => !scrolls(e) && !e.closest('[data-testid=stDataFrame]'))"
    ".map(e => e.outerHTML.slice(0, 120))"
)
"""The elements that are wider than the window."""


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_wider_than_a_phone(server, browser, path):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    open_at(page, f"{server}/{path}{'?runs=16&epochs=2' if path.endswith('problem') else ''}")
    if path.endswith("problem"):
        press(page, "Train")
        expect(page.get_by_role("heading", name="runs ended at")).to_be_visible(timeout=LONG)
        settle(page)
        for tab in page.get_by_test_id("stMain").get_by_role("tab").all_inner_texts():
            look_at(page, tab)
            assert not page.evaluate(WIDE), tab
    assert not page.evaluate(WIDE)
    context.close()
