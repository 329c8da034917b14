"""A visitor of the pages through AppTest: no server and no browser."""

import html
import re
import time

from streamlit.testing.v1 import AppTest

from benchmarks.app import ROOT

PAGES = {
    "threshold": "pages/1_Threshold_problem.py",
    "two-blob": "pages/2_Two_blob_problem.py",
    "compare": "pages/3_Compare_fixes.py",
    "own": "pages/5_Your_network.py",
    "claims": "pages/4_Check_the_answers.py",
    "gallery": "pages/6_Gallery.py",
}
GROUPS = ("data", "network", "training", "runs")
PARTS = (
    *GROUPS,
    *(f"{part}-more" for part in ("data", "training", "output", "after1")),
    *(f"layer{number}-more" for number in range(1, 6)),
)
"""What holds the controls of a problem's page, and is empty while it is closed."""


def opened(page: str | None = None, **parameters: str) -> AppTest:
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60)
    for name, text in parameters.items():
        app.query_params[name.replace("_", "-")] = text
    app.run()
    if page is not None:
        app.switch_page(PAGES[page]).run()
    assert not app.exception
    return app


def finished(app: AppTest, text: str) -> AppTest:
    """Draw the page again until a training is over, which a browser would do by itself."""
    deadline = time.monotonic() + 90
    # A recorded comparison has the headings of a result below the progress.
    while not any(text in element.value for element in app.header) or any(
        (button.key or "").endswith("-stop") for button in app.button
    ):
        assert time.monotonic() < deadline, [e.value for e in (*app.error, *app.info)]
        # Drawing takes as long as an epoch of a small training, which it would hold up.
        time.sleep(1)
        app.run()
        assert not app.exception
    return app


def look_at(app: AppTest, problem: str, tab: str) -> AppTest:
    """Open a tab below the answer."""
    app.session_state[f"{problem}.tab"] = tab
    app.run()
    assert not app.exception
    return app


def setting(app: AppTest, key: str):
    """The control or button with this key, whichever widget it has now; opens what it is in."""

    def found():
        widgets = (*app.selectbox, *app.number_input, *app.slider, *app.toggle, *app.text_input)
        widgets += (*app.button,)
        return next((w for w in widgets if (w.key or "").partition("@")[0] == key), None)

    if found() is None:
        open_controls(app, next(problem for problem in PAGES if key.startswith(problem)))
    return found()


def open_controls(app: AppTest, problem: str) -> None:
    """Open every group of controls, and what is folded in it, as no browser does at once."""
    for part in PARTS:
        app.session_state[f"{problem}-{part}"] = True
    app.run()


def drawn(app: AppTest, *starts: str) -> bool:
    """Whether there is a chart whose description starts so, for each of these."""
    texts = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    assert all(texts), "a chart without a description"
    return all(any(text.startswith(start) for text in texts) for start in starts)


def cards(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)


def texts(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def diffs(app: AppTest) -> list[str]:
    """The differences that are shown, each with a line per line."""
    bodies = [element.proto.body for element in app.get("html")]
    return [html.unescape(re.sub(r"<[^>]+>", "\n", body)) for body in bodies if "<pre" in body]
