"""The box to paste into, the examples, and the upload."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.script.examples import TITLES, example
from core.script.uploads import LARGEST
from pages.elements.your_network import paste

TEXT, FILE, EXAMPLE, LOG = "own.text", "own.file", "own.example", "own.log"
HEIGHT = 260
_MESSAGE = "own.file.message"


def draw() -> DeltaGenerator:
    """Draw the box, the examples and the upload.

    Returns:
        The row of buttons below the box, to which the page adds what a script that was read allows.
    """
    # Only where it is another: the browser takes a value that is set in place of what is being
    # typed there.
    if st.session_state.get(TEXT) != paste.current().text:
        st.session_state[TEXT] = paste.current().text
    st.text_area(
        "Your script",
        key=TEXT,
        height=HEIGHT,
        max_chars=paste.MOST_TEXT,
        on_change=_pasted,
        placeholder="Paste a Keras script, a question with one, or a notebook's cells. The output "
        "of model.fit may stay in it.",
        help="It is read, never executed. It stays in this session.",
    )
    row = st.container(horizontal=True)
    with row:
        st.button(
            "Read it",
            key="own-read",
            # Until something is read; then to find the fix is what comes first.
            type="secondary" if paste.current().text else "primary",
            icon=":material/text_snippet:",
            help="Reads the script; a click outside the box does so too.",
        )
        with st.popover("Upload", icon=":material/upload_file:"):
            _upload()
        with st.popover("Epoch log", icon=":material/show_chart:"):
            _log()
        with st.popover("Examples", icon=":material/school:"):
            for name, title in TITLES.items():
                st.button(
                    title, key=f"{EXAMPLE}-{name}", on_click=_open, args=(name,), width="stretch"
                )
    return row


def _upload() -> None:
    types = [
        kind.removeprefix(".")
        for kind in (*paste.TEXTS, *paste.NOTEBOOK, *paste.SAVED, *paste.ROWS, ".json")
    ]
    st.file_uploader(
        "A script, a saved network, or its rows",
        type=types,
        key=FILE,
        on_change=_uploaded,
        max_upload_size=max(LARGEST // 1_000_000, 1),
        help="Scripts and notebooks, the CSV file that a script reads, or a network and its rows: "
        "`model.save('model.keras')` and `np.savez('data.npz', x=x, y=y)`.",
    )
    if message := st.session_state.get(_MESSAGE):
        st.text(message)


def _log() -> None:
    if st.session_state.get(LOG) != paste.current().log:
        st.session_state[LOG] = paste.current().log
    st.text_area(
        "The output of your own training",
        key=LOG,
        height=160,
        max_chars=paste.MOST_TEXT,
        on_change=_logged,
        placeholder="What model.fit has printed, or history.history.",
        help="Its curve is compared with those of the runs. A script's paste may have it as well.",
    )
    if paste.current().log and paste.curves() is None:
        st.text("There are no epochs with a loss in it.")


def _logged() -> None:
    paste.put_log(st.session_state[LOG])


def _pasted() -> None:
    paste.put_text(st.session_state[TEXT])


def _open(name: str) -> None:
    paste.put(paste.Paste(example(name)))


def _uploaded() -> None:
    file = st.session_state[FILE]
    if file is None:
        st.session_state.pop(_MESSAGE, None)
        return
    why = paste.put_file(file.name, file.getvalue())
    st.session_state[_MESSAGE] = f"Not used: {why}" if why else ""
