"""The beginning of every page: its configuration, the navigation and the start of the worker."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.elements import browser, own, query_params
from pages.elements.jobs import worker

PAGES = {
    "streamlit_app.py": ("Overview", ":material/home:"),
    own.PATH: (own.TITLE, ":material/network_node:"),
    "pages/1_Threshold_problem.py": ("Threshold problem", ":material/vertical_align_center:"),
    "pages/2_Two_blob_problem.py": ("Two-blob problem", ":material/scatter_plot:"),
    "pages/3_Compare_fixes.py": ("Compare fixes", ":material/balance:"),
    "pages/4_Check_the_answers.py": ("Check the answers", ":material/fact_check:"),
    "pages/6_Gallery.py": ("Gallery", ":material/gallery_thumbnail:"),
}
SIDEBAR = 232
"""The width of the navigation in pixels, which the longest title of a page needs."""
# A file, since the browser would fetch a Material icon from Google.
TAB_ICON = str(Path(__file__).with_name("icon.png"))
STYLE = Path(__file__).with_name("style.css")


def path_of(title: str) -> str:
    """The path of the page with this title."""
    return next(path for path, (label, _) in PAGES.items() if label == title)


def open_page(path: str) -> None:
    """Configure and style the page, draw the navigation and start the training process."""
    st.set_page_config(
        f"{PAGES[path][0]} · Plateau",
        page_icon=TAB_ICON,
        layout="wide",
        initial_sidebar_state=SIDEBAR,
    )
    st.html(STYLE)
    if query_params.arrive(path) and not query_params.followed_history():
        # Streamlit keeps the scroll position of the previous page.
        st.session_state.setdefault(browser.WANTED, browser.TOP)
    if not query_params.asks_for_one_chart():
        _navigation()
    worker()


def _navigation() -> None:
    with st.sidebar:
        st.markdown("### :material/landscape: Plateau")
        st.caption("Why does my accuracy stay the same?")
        for other, (label, symbol) in PAGES.items():
            st.page_link(
                other,
                label=label,
                icon=symbol,
                query_params=query_params.parameters_of(other) or None,
            )
        browser.act()
