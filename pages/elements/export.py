"""The export section: script, notebook, changes, data and report."""

from __future__ import annotations

import streamlit as st

from core import export, files
from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix
from core.history import History
from core.problems import PROBLEMS
from core.script_diff import changes
from pages.elements import controls, diagnosis, diff, own, query_params, state, swept
from pages.elements.download import download
from pages.elements.report import Report
from pages.elements.settings import VIEWS

TABS = ("Script", "What changed", "Notebook", "Data", "Report")
MOST_WORDS = 300
"""The most characters of an error's text."""
LOADED = ":material/check_circle: Loaded: the controls above show it."
BEYOND = (
    f":material/info: Not loaded: this page has no controls for its data. Open it on {own.TITLE}."
)
OTHER = ":material/info: Not loaded: this is a {} experiment; open it on that page."
PALETTE = "theme.{}.chartCategoricalColors"


def draw(problem: str, experiment: Experiment, history: History | None) -> None:
    """Draw the tab of a problem's page.

    Args:
        problem: Whose page.
        experiment: The current one.
        history: The last training, possibly of another experiment; None before the first.
    """
    seed = state.seed(problem)
    script, changed, notebook, data, report = st.tabs(TABS)
    with script:
        _script(problem, experiment, seed)
    with changed:
        before = own.problem(problem).experiment
        _changes(before, state.steps(problem), experiment, seed, own.unchanged(problem))
    with notebook:
        _notebook(problem, experiment, seed)
    with data:
        _data(problem, experiment, history)
    with report:
        _report(problem, experiment, history, seed)


def code(
    before: Experiment, experiment: Experiment, fixes: tuple[Fix, ...], seed: int, start: str
) -> None:
    """Draw the section on a page without settings.

    Args:
        before: A network without changes.
        experiment: To be exported.
        fixes: The fixes that lead from one to the other.
        seed: Of the script.
        start: What the first is called, "As asked" or "As is".
    """
    st.header("Export")
    script, changed, notebook = st.tabs(TABS[:3])
    with script:
        _script("fixes", experiment, seed)
    with changed:
        _changes(before, fixes, experiment, seed, start)
    with notebook:
        _notebook("fixes", experiment, seed)


def _script(name: str, experiment: Experiment, seed: int) -> None:
    script = export.to_script(experiment, seed)
    st.markdown("This experiment in plain Keras. All it needs is `pip install tensorflow`.")
    download("Script", script, f"plateau_{name}.py", "text/x-python", "One run from one seed.")
    # Of a limited height (pages/elements/style.css): rows of numbers may fill many screens.
    with st.container(key="export-script"):
        st.code(script, language="python", wrap_lines=True)


def _notebook(name: str, experiment: Experiment, seed: int) -> None:
    st.markdown("The same script in cells, for Jupyter or Colab.")
    download(
        "Notebook",
        lambda: export.to_notebook(experiment, seed),
        f"plateau_{name}.ipynb",
        "application/x-ipynb+json",
        f"One cell per step, from the data to the {experiment.task.score_name}.",
    )


def _changes(
    before: Experiment, fixes: tuple[Fix, ...], experiment: Experiment, seed: int, start: str
) -> None:
    differences = changes(before, fixes, experiment, seed)
    if not differences:
        st.markdown(f"Nothing has changed: this is the network {start.lower()}.")
        return
    st.markdown(f"From the network {start.lower()} to here: `-` removed, `+` added.")
    for change in differences:
        st.markdown(f"**{change.heading}**: {', '.join(change.by)}")
        diff.draw(change.diff)


def _data(problem: str, experiment: Experiment, history: History | None) -> None:
    st.markdown(
        "The curves of the last training, and the current experiment, which can be loaded again."
        if history
        else "The current experiment, which can be loaded again; after a training, its curves too."
    )
    with st.container(horizontal=True):
        download(
            "Curves as CSV",
            lambda: files.history_csv(history),
            f"plateau_{problem}.csv",
            "text/csv",
            "One line per run and epoch.",
            disabled=history is None,
        )
        download(
            "Curves as JSON",
            lambda: files.history_json(history),
            f"plateau_{problem}_runs.json",
            "application/json",
            "With the experiment, the seed and the library versions.",
            disabled=history is None,
        )
        download(
            "Experiment as JSON",
            experiment.to_json(),
            f"plateau_{problem}.json",
            "application/json",
            "Data, network and training, without the runs.",
        )
    file = st.file_uploader(
        "Load an experiment",
        type="json",
        key=_upload(problem),
        on_change=_load,
        args=(problem,),
        max_upload_size=max(1, files.MOST_BYTES // 1_000_000),
        help="A file saved with *Experiment as JSON*, or the result of `python -m core.sweep`.",
    )
    if file is None:
        return
    message, detail = st.session_state[f"{_upload(problem)}.message"]
    st.markdown(message)
    # The error quotes an untrusted file, so it must not be rendered as Markdown.
    st.text(detail)
    result = st.session_state[f"{_upload(problem)}.swept"]
    if result is not None:
        swept.draw(result)


def _upload(problem: str) -> str:
    return f"{problem}.upload"


def _load(problem: str) -> None:
    """Callback: set the controls to the experiment in the file, or store a message why not."""
    file = st.session_state[_upload(problem)]
    if file is None:
        return
    detail = ""
    st.session_state[f"{_upload(problem)}.swept"] = None
    try:
        content = file.getvalue()
        result = files.read_sweep(content)
        loaded = files.read_experiment(content) if result is None else result.experiment
    except InvalidExperiment as error:
        message, detail = ":material/error: Not loaded.", str(error)[:MOST_WORDS]
    else:
        if problem == own.KEY:
            state.open_experiment(loaded, f"From the file {file.name}.")
            message = LOADED
        else:
            message = LOADED if state.adopt(problem, loaded) else _why_not(problem, loaded)
        st.session_state[f"{_upload(problem)}.swept"] = result
    st.session_state[f"{_upload(problem)}.message"] = message, detail


def _why_not(problem: str, loaded: Experiment) -> str:
    """What to do with an experiment that this page cannot show."""
    kind = type(loaded.data.source)
    others = (p for p in PROBLEMS.values() if isinstance(p.experiment.data.source, kind))
    other = next((p for p in others if p.key != problem), None)
    return BEYOND if other is None else OTHER.format(other.title.split()[0].lower())


def _report(problem: str, experiment: Experiment, history: History | None, seed: int) -> None:
    current = history if history and history.experiment == experiment else None
    st.markdown(
        "Settings, results, findings, script and changes in one file. It opens in any browser, "
        "with interactive charts, and works offline."
    )
    if current is None:
        st.caption("There are no results for these settings yet; train first to include them.")
    target = state.target(problem)
    report = Report(
        problem=own.problem(problem),
        experiment=experiment,
        summary=controls.describe(experiment),
        seed=seed,
        target=target,
        fixes=state.steps(problem),
        findings=diagnosis.findings_for(experiment, current, target),
        history=current,
        views={name: state.view(problem, name) for name in VIEWS},
        palettes={name: st.get_option(PALETTE.format(name)) for name in ("light", "dark")},
        link=query_params.address(state.parameters(problem)),
    )
    download(
        "Report",
        report.html,
        f"plateau_{problem}.html",
        "text/html",
        "One HTML file of a few megabytes.",
    )
