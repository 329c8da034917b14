"""What the page that compares fixes consists of."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core import download
from core.comparison import Comparison
from core.diagnosis import verdict
from core.problems import PROBLEMS, TARGET
from core.worker import Compare
from pages.elements import charts, findings, jobs, link, settings, take_home
from pages.elements.drawn import in_turn

PLACE = "compare"
PROBLEM = "problem"
MOST_FIXES = 6
"""64 combinations: more would be neither trained in a few seconds nor read."""
RUNS = ("16", "32", "64", "128")
SHARE = settings.Real(0.5, 1, 0.01)
KINDS = {
    PROBLEM: settings.Choice(tuple(PROBLEMS)),
    "runs": settings.Choice(RUNS),
    "target": SHARE,
    "rate": SHARE,
}
PANEL_WIDTH = 250
"""Pixels: four panels a row on a laptop, one on a phone."""
DEFAULT_FIXES = {
    "threshold": ("sigmoid-output", "scale-inputs", "standardise-inputs", "shuffle-rows"),
    "two-blob": ("labels-from-zero", "sigmoid-output", "wider-hidden", "higher-learning-rate"),
}


@dataclass(frozen=True)
class Choice:
    """What is to be compared, and the target that counts as a success."""

    problem: str
    fixes: tuple[str, ...]
    runs: int
    target: float
    rate: float


def enter() -> list[str]:
    """Put the settings into the session, from the last visit or the URL; what was refused."""
    refused: list[str] = []
    kept = st.session_state.get("kept.compare")
    if kept is None:
        given, refused = link.read()
        kept = _from_link(given, refused)
    link.hold(PLACE, {name: kept[name] for name in KINDS}, KINDS)
    # Whose fixes they are is known only now, and which combinations there are only with a result.
    fixes = _fixes(st.session_state[f"{PLACE}.{PROBLEM}"])
    link.hold(PLACE, {"fixes": kept["fixes"]}, {"fixes": fixes})
    combination = st.session_state.get(f"{PLACE}.combination", kept["combination"])
    st.session_state[f"{PLACE}.combination"] = combination
    return refused


def _fixes(problem: str) -> settings.Keys:
    return settings.Keys(tuple(PROBLEMS[problem].fixes))


def leave() -> None:
    """Keep the settings for the next visit, and write the URL where it changed."""
    st.session_state["kept.compare"] = _values()
    link.write(parameters())


def parameters() -> dict[str, str]:
    """What the URL says of this page: no more than what differs from where it begins."""
    values = _values()
    usual = _defaults(values[PROBLEM]) | {PROBLEM: _defaults()[PROBLEM]}
    return {name: link.as_text(v) for name, v in values.items() if v != usual[name]}


def _values() -> dict[str, object]:
    """The settings as they stand; the fixes in the order in which they are applied."""
    values = {name: st.session_state[f"{PLACE}.{name}"] for name in _defaults()}
    picked = values["fixes"] or []
    return values | {"fixes": [key for key in PROBLEMS[values[PROBLEM]].fixes if key in picked]}


def controls() -> Choice:
    """The widgets, and what they say."""
    state = st.session_state
    st.segmented_control(
        "Problem",
        tuple(PROBLEMS),
        format_func=lambda key: PROBLEMS[key].title,
        key=f"{PLACE}.{PROBLEM}",
        required=True,
        on_change=_other_problem,
        help="The question whose fixes are compared, from the form as asked.",
    )
    fixes = PROBLEMS[state[f"{PLACE}.{PROBLEM}"]].fixes
    st.pills(
        "Fixes",
        tuple(fixes),
        selection_mode="multi",
        format_func=lambda key: fixes[key].title,
        key=f"{PLACE}.fixes",
        help=f"Up to {MOST_FIXES}; every combination of them is trained.",
    )
    left, middle, right = st.columns(3)
    with left:
        st.segmented_control(
            "Runs a combination",
            RUNS,
            key=f"{PLACE}.runs",
            required=True,
            help="The same seeds in every combination.",
        )
    with middle:
        st.slider(
            "Target accuracy",
            0.5,
            1.0,
            step=0.01,
            key=f"{PLACE}.target",
            help="A run that reaches it counts as freed; changing it needs no new training.",
        )
    with right:
        st.slider(
            "Wanted success rate",
            0.5,
            1.0,
            step=0.01,
            key=f"{PLACE}.rate",
            help="The smallest combination that reaches it is named.",
        )
    values = _values()
    chosen = tuple(values["fixes"])
    if len(chosen) > MOST_FIXES:
        st.error(
            f"{len(chosen)} fixes are {2 ** len(chosen)} combinations; choose at most {MOST_FIXES} "
            f"({2**MOST_FIXES} combinations).",
            icon=":material/error:",
        )
        chosen = ()
    elif not chosen:
        st.caption("Choose at least one fix.")
    else:
        runs = int(values["runs"])
        st.caption(
            f"{2 ** len(chosen)} combinations of {len(chosen)} fixes, {runs} runs each: "
            f"{2 ** len(chosen) * runs:,} trainings."
        )
    return Choice(values[PROBLEM], chosen, int(values["runs"]), values["target"], values["rate"])


def request(choice: Choice) -> Compare:
    """What the choice asks the worker for."""
    problem = PROBLEMS[choice.problem]
    fixes = tuple(problem.fixes[key] for key in choice.fixes)
    return Compare(problem.experiment, fixes, choice.runs)


def label(choice: Choice) -> str:
    """What other viewers read while they wait for it."""
    return f"{2 ** len(choice.fixes)} combinations of fixes, {choice.runs} runs each"


def running(ticket: jobs.Ticket) -> None:
    """How far the comparison is."""
    events = ticket.job.events
    if events:
        doing = f"{events[-1].finished} of {events[-1].of} combinations are complete"
        jobs.progress(PLACE, events[-1].share, doing)
    else:
        jobs.progress(PLACE, 0.0, "Compiling the first network")


@in_turn
def results(ticket: jobs.Ticket, choice: Choice) -> None:
    """The answer, the combinations side by side, the table, and each fix's share."""
    comparison = ticket.job.result
    if ticket.request != request(choice):
        st.caption(":material/history: These results belong to earlier choices: compare again.")
    titles = {fix.key: fix.title for fix in ticket.request.fixes}
    table = download.comparison_frame(comparison, titles, choice.target)
    _answer(comparison, choice, titles)
    _rates(table, choice)
    _contributions(comparison, choice, titles)
    _curves(comparison, choice, table)
    _table(table)
    _downloads(comparison, choice, titles)
    _look_into(comparison, choice, titles)


def _answer(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    smallest = comparison.smallest(choice.rate, choice.target)
    if smallest is None:
        st.header(
            f":material/block: No combination brings {choice.rate:.0%} of the runs to "
            f"{choice.target:.0%} accuracy"
        )
    elif not smallest:
        st.header(
            f":material/check_circle: As asked, {choice.rate:.0%} of the runs already reach "
            f"{choice.target:.0%} accuracy"
        )
    else:
        st.header(
            f":material/check_circle: The smallest combination that frees {choice.rate:.0%} of "
            f"the runs: {download.combination(smallest, titles)}"
        )
    contributions = comparison.contributions(choice.target)
    for row in contributions.itertuples():
        if row.identical:
            st.markdown(
                f":material/do_not_disturb_on: **{titles[row.fix]}** changes nothing: with and "
                "without it every run ends exactly alike, in every combination."
            )
        elif row.low <= 0 <= row.high:
            st.markdown(
                f":material/horizontal_rule: **{titles[row.fix]}** has no effect that "
                f"{comparison.runs} runs can show ({100 * row.low:+.0f} to {100 * row.high:+.0f} "
                "percentage points)."
            )
        elif row.high < 0:
            st.markdown(
                f":material/trending_down: **{titles[row.fix]}** makes it worse, by "
                f"{-100 * row.value:.0f} percentage points on average."
            )


def _rates(table: pd.DataFrame, choice: Choice) -> None:
    with st.container(border=True):
        charts.show(
            charts.rate(table.rename(columns={"combination": "label"})),
            alt=f"Share of runs that reach {choice.target:.0%} for every combination, with its "
            "95 % interval.",
        )


def _contributions(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    frame = comparison.contributions(choice.target)
    frame["fix"] = [titles[key] for key in frame["fix"]]
    with st.container(border=True):
        charts.show(
            charts.contributions(frame),
            alt="What each fix adds to the success rate, in percentage points, with intervals.",
        )
        st.caption(
            "The Shapley value: what adding the fix changes, averaged over all orders in which "
            "the fixes can be added. The values add up to the whole gain."
        )


def _curves(comparison: Comparison, choice: Choice, table: pd.DataFrame) -> None:
    parts = []
    for name, history in zip(table["combination"], comparison.histories, strict=True):
        frame = history.frame()
        success = history.successes(choice.target)
        parts.append(frame.assign(combination=name, success=success[frame["run"]]))
    epochs = max(history.epochs for history in comparison.histories)
    panels = charts.combinations(pd.concat(parts), epochs=epochs, target=choice.target)
    row = st.container(border=True, horizontal=True, vertical_alignment="bottom")
    for name, panel in zip(table["combination"], panels, strict=True):
        with row.container(width=PANEL_WIDTH):
            st.caption(f"**{name}**")
            charts.show(panel, alt=f"Accuracy by epoch of every run: {name}.")


def _table(table: pd.DataFrame) -> None:
    percent = {"format": "percent", "min_value": 0, "max_value": 1}
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "combination": st.column_config.TextColumn("Combination", width="large"),
            "runs": "Runs",
            "successes": "Successes",
            "rate": st.column_config.ProgressColumn("Rate", **percent),
            "low": st.column_config.NumberColumn("From", format="percent"),
            "high": st.column_config.NumberColumn("To", format="percent"),
            "median_epochs": st.column_config.NumberColumn("Median epochs", format="%.1f"),
            "seconds": st.column_config.NumberColumn("Seconds", format="%.2f"),
        },
    )


def _downloads(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    common = {"icon": ":material/download:", "on_click": "ignore"}
    with st.container(horizontal=True):
        st.download_button(
            "Table as CSV",
            lambda: download.comparison_csv(comparison, titles, choice.target),
            file_name="plateau-fixes.csv",
            mime="text/csv",
            help="Every combination with its counts, rate and interval.",
            **common,
        )
        st.download_button(
            "Table as JSON",
            lambda: download.comparison_json(comparison, choice.target),
            file_name="plateau-fixes.json",
            mime="application/json",
            help="The same with the experiment, the fixes, the seed and the libraries' versions.",
            **common,
        )


def _look_into(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    """The diagnosis of one combination: why the runs that are still stuck are stuck."""
    st.header("Why the rest is stuck")
    subsets = {link.as_text(subset): subset for subset in comparison.subsets}
    if st.session_state[f"{PLACE}.combination"] not in subsets:
        st.session_state[f"{PLACE}.combination"] = ""
    picked = st.selectbox(
        "Combination",
        tuple(subsets),
        format_func=lambda keys: download.combination(subsets[keys], titles),
        key=f"{PLACE}.combination",
        help="Its runs are diagnosed: what is wrong with it still, in its own numbers.",
    )
    history = comparison.history(subsets[picked])
    found = findings.found_in(history.experiment, history, choice.target)
    st.markdown(f"**{verdict(found, history, choice.target)}**")
    findings.brief(found, history, choice.target)
    # Those of what was compared, which need not be what is chosen now.
    problem = next(key for key, p in PROBLEMS.items() if p.experiment == comparison.experiment)
    fixes = tuple(PROBLEMS[problem].fixes[key] for key in subsets[picked])
    take_home.code(problem, history.experiment, fixes, history.seed)


def _other_problem() -> None:
    problem = st.session_state[f"{PLACE}.{PROBLEM}"]
    if problem in PROBLEMS:
        st.session_state[f"{PLACE}.combination"] = ""
        st.session_state[f"{PLACE}.fixes"] = list(DEFAULT_FIXES[problem])


def _defaults(problem: str = "threshold") -> dict[str, object]:
    fixes = list(DEFAULT_FIXES[problem])
    usual = {"runs": "32", "target": TARGET, "rate": 0.9, "combination": ""}
    return {PROBLEM: problem, "fixes": fixes, **usual}


def _from_link(given: dict[str, str], refused: list[str]) -> dict[str, object]:
    """Every value that the page begins with; what is refused falls back to where it begins."""
    begun = {name: given.pop(name) for name in (PROBLEM,) if name in given}
    problem = link.checked(begun, KINDS, refused).get(PROBLEM, _defaults()[PROBLEM])
    kinds = KINDS | dict.fromkeys(("fixes", "combination"), _fixes(problem))
    found = _defaults(problem) | link.checked(given, kinds, refused)
    # A combination goes by its text.
    return found | {"combination": link.as_text(found["combination"])}
