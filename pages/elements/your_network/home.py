"""The box on the home page, which leads to the page of one's own network."""

from __future__ import annotations

import streamlit as st

from core.script.examples import TITLES, example
from pages.elements import own
from pages.elements.reader import reader
from pages.elements.your_network import paste

TEXT = "home.text"
HEIGHT = 150
EXAMPLE = "relu_output"


def draw() -> None:
    """Draw the box and the button."""
    reader()
    with st.container(border=True):
        text = st.text_area(
            "Your script",
            key=TEXT,
            height=HEIGHT,
            max_chars=paste.MOST_TEXT,
            placeholder="Paste your Keras script, or the question with it.",
            help="It is read, never executed. It stays in this session.",
        )
        with st.container(horizontal=True):
            if st.button(
                "See what is wrong",
                key="home-read",
                type="primary",
                icon=":material/search:",
                help="Reads the script and shows what is wrong on its lines.",
            ):
                if text.strip():
                    paste.put_text(text)
                st.switch_page(own.PATH)
            if st.button(
                "Try an example",
                key="home-example",
                icon=":material/school:",
                help=f"Opens a script that is stuck: {TITLES[EXAMPLE]}. *Your network* has more.",
            ):
                paste.put(paste.Paste(example(EXAMPLE)))
                st.switch_page(own.PATH)
