"""What other models reach on the same rows, beside the network.

They are fitted in the reading process, which has scikit-learn, once for all who see these rows.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.baselines import Baselines, Sample, sample
from core.data import baseline
from core.experiment import Data, Experiment
from core.history import History
from core.jobs.reading import NotRead
from pages.elements.reader import reader
from pages.elements.rendering import KEPT


def measured(experiment: Experiment) -> Baselines | None:
    """What other models reach on the rows of an experiment; None where that cannot be said."""
    return _measured((experiment.data, experiment.task.name), experiment)


def deciding(experiment: Experiment) -> Baselines | None:
    """The same where the diagnosis depends on it: what is possible on these rows is not known."""
    known = experiment.data.source.ceiling() is not None
    return None if known else measured(experiment)


@st.cache_resource(show_spinner=False, max_entries=KEPT, hash_funcs={Data: hash})
def _measured(key: tuple[Data, str], _experiment: Experiment) -> Baselines | None:
    rows: Sample | None = sample(_experiment)
    try:
        return reader().baselines(rows)
    except NotRead:
        return None


def draw(history: History) -> None:
    """Draw a sentence that compares the runs with other models, and how these were judged."""
    others = measured(history.experiment)
    if others is None:
        return
    task = others.task
    names = [
        f"{model.name} {task.number(model.score)}"
        for model in sorted(others.models, key=lambda model: -model.score)
    ]
    constant = task.number(baseline(history.experiment, history.seed, 0))
    mean = task.number(float(np.nanmean(history.final_score)))
    st.markdown(
        f"**Other models on the same rows:** {', '.join(names)}; always predicting "
        f"{task.constant} {constant}. **These runs: {mean}** on average."
    )
    errors = max(model.error for model in others.models)
    known = f" Standard errors are at most {task.number(errors)}." if errors else ""
    seen = (
        ""
        if history.experiment.data.held_out_rows
        else " The runs are judged on the rows that they were trained on, which flatters them."
    )
    st.caption(
        f"{task.score}, cross-validated with scikit-learn on {others.rows:,} rows: each row is "
        f"predicted by a model that has not seen it.{known}{seen}"
    )
