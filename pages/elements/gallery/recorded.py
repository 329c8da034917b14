"""The record of the gallery, and the charts of a case."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.gallery import CASES
from core.gallery.record import Record, load
from core.recorded import Trained
from pages.elements import charts

PATH = "pages/6_Gallery.py"


@st.cache_resource(show_spinner=False)
def recorded() -> Record:
    """The recorded cases, which do not change while the server runs."""
    return load()


def curves(key: str, trained: Trained, height: int = 260) -> charts.Chart:
    """The score of a case's drawn runs by epoch; the legend counts all its runs."""
    case, kept = CASES[key], recorded().recorded[key]
    measure = "val_score" if case.experiment.data.held_out_rows else "evaluated_score"
    return charts.curves(
        trained.frame().rename(columns={"evaluated_score": measure}),
        measure,
        np.array(trained.success),
        epochs=trained.epochs[-1],
        target=kept.goal,
        baseline=kept.baseline,
        height=height,
        whole=trained.rate,
        task=case.experiment.task,
    )
