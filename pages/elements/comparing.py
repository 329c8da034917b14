"""What the page that compares fixes consists of."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.comparison import Comparison
from core.diagnosis import verdict
from core.problems import PROBLEMS, TARGET
from core.worker import Compare
from pages.elements import charts, findings, jobs

PLACE = "compare"
MOST_FIXES = 6
"""64 combinations: more would be neither trained in a few seconds nor read."""
RUNS = (16, 32, 64, 128)
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
    for name, value in (_from_url(refused) if kept is None else kept).items():
        st.session_state[f"{PLACE}.{name}"] = st.session_state.get(f"{PLACE}.{name}", value)
    return refused


def leave() -> None:
    """Keep the settings for the next visit, and write the URL where it changed."""
    kept = {name: st.session_state[f"{PLACE}.{name}"] for name in _defaults()}
    st.session_state["kept.compare"] = kept
    defaults = _defaults(kept["problem"])
    parameters = {name: _text(v) for name, v in kept.items() if _text(v) != _text(defaults[name])}
    if kept["problem"] != _defaults()["problem"]:
        parameters["problem"] = kept["problem"]
    embed = {"embed": "true"} if st.query_params.get("embed") == "true" else {}
    if st.query_params.to_dict() != parameters | embed:
        st.query_params.from_dict(parameters | embed)


def controls() -> Choice:
    """The widgets, and what they say."""
    state = st.session_state
    st.segmented_control(
        "Problem",
        tuple(PROBLEMS),
        format_func=lambda key: PROBLEMS[key].title,
        key=f"{PLACE}.problem",
        required=True,
        on_change=_other_problem,
        help="The question whose fixes are compared, from the form as asked.",
    )
    fixes = PROBLEMS[state[f"{PLACE}.problem"]].fixes
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
    picked = state[f"{PLACE}.fixes"] or []
    chosen = tuple(key for key in fixes if key in picked)
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
        runs = state[f"{PLACE}.runs"]
        st.caption(
            f"{2 ** len(chosen)} combinations of {len(chosen)} fixes, {runs} runs each: "
            f"{2 ** len(chosen) * runs:,} trainings."
        )
    names = ("runs", "target", "rate")
    return Choice(state[f"{PLACE}.problem"], chosen, *(state[f"{PLACE}.{name}"] for name in names))


def request(choice: Choice) -> Compare:
    """What the choice asks the worker for."""
    problem = PROBLEMS[choice.problem]
    fixes = tuple(problem.fixes[key] for key in choice.fixes)
    return Compare(problem.experiment, fixes, choice.runs)


def label(choice: Choice) -> str:
    """What other viewers read while they wait for it."""
    return f"{2 ** len(choice.fixes)} combinations of fixes, {choice.runs} runs each"


@st.fragment(run_every=jobs.REFRESH_SECONDS)
def running() -> None:
    """Progress; once the comparison has ended the page is drawn anew."""
    ticket = jobs.latest(PLACE)
    if ticket is None or ticket.job.ended:
        st.rerun()
    events = ticket.job.events
    if events:
        doing = f"{events[-1].finished} of {events[-1].of} combinations are complete"
        jobs.progress(ticket.job, events[-1].share, doing)
    else:
        jobs.progress(ticket.job, 0.0, "Compiling the first network")


def results(ticket: jobs.Ticket, choice: Choice) -> None:
    """The answer, the combinations side by side, the table, and each fix's share."""
    comparison = ticket.job.result
    if ticket.request != request(choice):
        st.caption(":material/history: These results belong to earlier choices: compare again.")
    titles = {fix.key: fix.title for fix in ticket.request.fixes}
    table = comparison.rates(choice.target)
    table["combination"] = [_title(subset, titles) for subset in table["fixes"]]
    _answer(comparison, choice, titles)
    _rates(table, choice)
    _contributions(comparison, choice, titles)
    _curves(comparison, choice, table)
    _table(table)
    _look_into(comparison, choice, list(table["combination"]))


def _answer(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    smallest = comparison.smallest(choice.rate, choice.target)
    if smallest is None:
        st.subheader(
            f":material/block: No combination brings {choice.rate:.0%} of the runs to "
            f"{choice.target:.0%} accuracy"
        )
    elif not smallest:
        st.subheader(
            f":material/check_circle: As asked, {choice.rate:.0%} of the runs already reach "
            f"{choice.target:.0%} accuracy"
        )
    else:
        st.subheader(
            f":material/check_circle: The smallest combination that frees {choice.rate:.0%} of "
            f"the runs: {_title(smallest, titles)}"
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
        st.altair_chart(
            charts.rate(table.rename(columns={"combination": "label"})),
            alt=f"Share of runs that reach {choice.target:.0%} for every combination, with its "
            "95 % interval.",
        )


def _contributions(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    frame = comparison.contributions(choice.target)
    frame["fix"] = [titles[key] for key in frame["fix"]]
    with st.container(border=True):
        st.altair_chart(
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
            st.altair_chart(panel, alt=f"Accuracy by epoch of every run: {name}.")


def _table(table: pd.DataFrame) -> None:
    shown = table[
        ["combination", "runs", "successes", "rate", "low", "high", "median_epochs", "seconds"]
    ]
    percent = {"format": "percent", "min_value": 0, "max_value": 1}
    st.dataframe(
        shown,
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
    st.download_button(
        "Table as CSV",
        shown.to_csv(index=False),
        file_name="plateau-fixes.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="Every combination with its counts, rate and interval.",
    )


def _look_into(comparison: Comparison, choice: Choice, names: list[str]) -> None:
    """The diagnosis of one combination: why the runs that are still stuck are stuck."""
    st.subheader("Why the rest is stuck")
    name = st.selectbox(
        "Combination",
        names,
        key=f"{PLACE}.combination",
        help="Its runs are diagnosed: what is wrong with it still, in its own numbers.",
    )
    history = comparison.histories[names.index(name)]
    found = findings.found_in(PLACE, history.experiment, history, choice.target)
    st.markdown(f"**{verdict(found, history, choice.target)}**")
    findings.brief(found, history, choice.target)


def _title(subset: tuple[str, ...], titles: dict[str, str]) -> str:
    return " + ".join(titles[key] for key in subset) or "As asked"


def _other_problem() -> None:
    st.session_state[f"{PLACE}.fixes"] = list(DEFAULT_FIXES[st.session_state[f"{PLACE}.problem"]])


def _defaults(problem: str = "threshold") -> dict[str, object]:
    fixes = list(DEFAULT_FIXES[problem])
    return {"problem": problem, "fixes": fixes, "runs": 32, "target": TARGET, "rate": 0.9}


def _from_url(refused: list[str]) -> dict[str, object]:
    given = st.query_params.to_dict()
    given.pop("embed", None)
    problem = given.pop("problem", "threshold")
    if problem not in PROBLEMS:
        refused.append(f"There is no such problem; it should be one of {', '.join(PROBLEMS)}.")
        problem = "threshold"
    found = _defaults(problem)
    checks = {
        "fixes": lambda text: _known(text, PROBLEMS[problem].fixes),
        "runs": lambda text: RUNS[[str(n) for n in RUNS].index(text)],
        "target": _share,
        "rate": _share,
    }
    for name, text in given.items():
        try:
            found[name] = checks[name](text)
        except (KeyError, ValueError):
            refused.append(f"`{name[:40]}` in the link was not understood and is left out.")
    return found


def _known(text: str, fixes) -> list[str]:
    names = text.split(".")
    if not set(names) <= set(fixes):
        raise ValueError
    return names


def _share(text: str) -> float:
    value = round(float(text), 2)
    if not 0.5 <= value <= 1:
        raise ValueError
    return value


def _text(value: object) -> str:
    return ".".join(value) if isinstance(value, list) else str(value)
