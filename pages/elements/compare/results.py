"""The results of a comparison of fixes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import streamlit as st

from core import files
from core.comparison import Candidate, Comparison, Verdict
from core.diagnosis import verdict
from core.fixes import Fix
from core.problems import PROBLEMS
from core.rates import signed, signed_points
from core.recorded_comparisons import RecordedComparison, load
from core.tasks import Task
from pages.elements import charts, diagnosis, export, findings, jobs, layout, own, query_params
from pages.elements.compare import panels
from pages.elements.compare.choices import (
    PAGE,
    PICKED,
    RUNS,
    Choice,
    label,
    next_step,
    parameters,
    request,
    running,
)
from pages.elements.download import download
from pages.elements.rendering import in_turn
from pages.elements.settings import as_text

MOST_SHOWN = 8
"""The best combinations, whose rates are shown; the others are in an expander."""
MOST_ROWS, ROW = 16, 35
"""Rows of the table that do not scroll, and the height of each in pixels."""
MOST_NAMED = 3
"""The most combinations that the headline names."""


@in_turn
def results(handle: jobs.JobHandle, choice: Choice, affordable: bool) -> None:
    """Draw the results of a training."""
    if handle.request != request(choice):
        st.caption(
            ":material/history: These results belong to earlier choices. "
            f"{next_step(choice, affordable)}"
        )
    _draw(handle.job.result, choice, handle.request.fixes)


@in_turn
def recorded(choice: Choice, affordable: bool) -> None:
    """Draw the recorded comparison of the problem's default fixes, if there is one."""
    problem = own.problem(choice.problem)
    record = _record(problem.key) if problem.key in PROBLEMS else None
    if record is None:
        if not jobs.busy(PAGE):
            st.info(next_step(choice, affordable), icon=":material/play_circle:")
        return
    compared = f"{len(problem.compared)} fixes, {record.comparison.runs} runs per combination"
    st.caption(
        f":material/inventory_2: Recorded on {record.date} with {record.versions_text}: {compared}."
        f" {next_step(choice, affordable)}"
    )
    _draw(record.comparison, choice, tuple(problem.fixes[key] for key in problem.compared))


def alone(choice: Choice) -> None:
    """Draw the rates alone, for a slide: as recorded, or of a comparison made for it."""
    record = _record(choice.problem) if choice.problem in PROBLEMS else None
    fixes = own.problem(choice.problem).fixes
    asked = request(choice)
    if record is not None and choice.fixes == tuple(own.problem(choice.problem).compared):
        comparison = record.comparison
    elif not choice.comparable or not jobs.affordable(asked):
        return
    else:
        if jobs.latest(PAGE) is None:
            jobs.start(PAGE, label(choice), asked)
        comparison = jobs.result(PAGE, "comparison", running)
    if comparison is not None:
        titles = _titles(comparison, choice, fixes.values())
        answer = comparison.verdict(choice.rate, choice.target)
        layout.slide_title(_headline(answer, choice, titles, comparison.experiment.task))
        best_first = _ranked(comparison, choice, titles)
        _rates(best_first, choice, comparison.experiment.task.written(choice.target))
    query_params.way_back(parameters())


@st.cache_resource(show_spinner=False)
def _record(problem: str) -> RecordedComparison | None:
    return load(PROBLEMS[problem])


def _draw(comparison: Comparison, choice: Choice, fixes: tuple[Fix, ...]) -> None:
    """Draw the verdict, rates, contributions, curves, the table and one combination."""
    titles = _titles(comparison, choice, fixes)
    answer = comparison.verdict(choice.rate, choice.target)
    task = comparison.experiment.task
    if comparison.missing:
        trained = len(comparison.subsets)
        st.info(
            f"Stopped: {trained} of {trained + comparison.missing} combinations were trained. "
            "The others, which are not here, may do better.",
            icon=":material/stop_circle:",
        )
    _answer(answer, choice, titles, task)
    best_first = _ranked(comparison, choice, titles)
    left, right = st.columns([3, 2])
    with left:
        _rates(best_first, choice, task.written(choice.target))
    with right:
        if not comparison.missing:
            _contributions(comparison, choice, titles)
            _effects(comparison, choice, titles)
    panels.compared(comparison, choice.target, _most_telling(best_first, titles))
    _table(best_first)
    _downloads(comparison, choice, titles)
    _look_into(comparison, choice, fixes, titles, answer)


def _titles(comparison: Comparison, choice: Choice, fixes: Iterable[Fix]) -> dict[str, str]:
    """Of the fixes by their keys, and of the experiment without any."""
    # The results may belong to an earlier choice.
    unchanged = own.name_of(comparison.experiment, (choice.problem, *PROBLEMS))
    return {files.UNCHANGED: unchanged} | {fix.key: fix.title for fix in fixes}


def _ranked(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> pd.DataFrame:
    """The table, the best first; the column named marks the smallest that suffice."""
    table = files.comparison_frame(comparison, titles, choice.target)
    best_first = table.sort_values("rate", ascending=False, kind="stable")
    smallest = comparison.verdict(choice.rate, choice.target).smallest
    named = {files.combination(each.fixes, titles) for each in smallest}
    return best_first.assign(named=best_first["combination"].isin(named))


def _most_telling(best_first: pd.DataFrame, titles: dict[str, str]) -> pd.Series:
    """The combinations: no fix at all, the smallest that suffice, then the others, best first."""
    first = best_first["combination"] == files.combination((), titles)
    order = np.lexsort((np.arange(len(best_first)), ~best_first["named"], ~first))
    return best_first["combination"].iloc[order]


def _answer(answer: Verdict, choice: Choice, titles: dict[str, str], task: Task) -> None:
    """Draw the smallest combinations that reach the required rate, with counts and intervals."""
    st.header(_headline(answer, choice, titles, task))
    if not answer.smallest:
        more = (
            " More runs may show that it reaches the required rate."
            if answer.best.rate.high >= choice.rate
            else ""
        )
        st.markdown(f"The best is {_result(answer.best, titles)}.{more}")
        return
    lines = [
        f"{_result(each, titles)}; the lower bound of its rate, {each.rate.low:.0%}, is "
        f"{'not ' if each.shown else ''}below the required {choice.rate:.0%}."
        for each in answer.smallest
    ]
    if answer.shown and len(answer.shown[0].fixes) > len(answer.smallest[0].fixes):
        lines += [
            f"{_result(each, titles)}, the smallest whose whole interval reaches it."
            for each in answer.shown
        ]
    st.markdown(lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines))
    likely = [each for each in answer.smallest if not each.shown]
    if likely:
        st.markdown(_more_runs(likely, choice))


def _headline(answer: Verdict, choice: Choice, titles: dict[str, str], task: Task) -> str:
    rate, target = f"{choice.rate:.0%}", task.named(choice.target)
    if not answer.smallest:
        return f":material/block: No combination brings {rate} of the runs to {target}"
    shown = [each for each in answer.smallest if each.shown]
    named = shown or answer.smallest
    size, count = len(named[0].fixes), len(named)
    if not size:
        already = f"{rate} of the runs {'' if shown else 'likely '}reach {target} already"
        return f"{_icon(bool(shown))} {files.combination((), titles)}, {already}"
    names = "; ".join(files.combination(each.fixes, titles) for each in named)
    if count > MOST_NAMED:
        names = f"{count}, of {size} fix{'es' * (size > 1)} each"
    return (
        f"{_icon(bool(shown))} {'The' if shown else 'Likely the'} smallest "
        f"combination{'s' * (count > 1)} to bring {rate} of the runs to {target}: {names}"
    )


def _icon(certain: bool) -> str:
    return ":material/check_circle:" if certain else ":material/help:"


def _result(candidate: Candidate, titles: dict[str, str]) -> str:
    return f"**{files.combination(candidate.fixes, titles)}**: {candidate.rate}"


def _more_runs(likely: list[Candidate], choice: Choice) -> str:
    """The number of runs that would show whether they reach the required rate, in words."""
    needed = [each.runs_to_show for each in likely]
    if None in needed:
        return f"With a rate of exactly {choice.rate:.0%}, more runs would not settle it."
    runs = next((runs for runs in RUNS if int(runs) >= max(needed)), f"about {max(needed):,}")
    return f"More runs would settle it: {runs} per combination, if the rate stays the same."


def _effects(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    """Draw the fixes that have no effect, no measurable effect, or an adverse one."""
    for row in comparison.contributions(choice.target).itertuples():
        if row.identical:
            st.markdown(
                f":material/do_not_disturb_on: **{titles[row.fix]}** changes nothing: with and "
                "without it, the results of every run are identical, in every combination."
            )
        elif row.low <= 0 <= row.high:
            st.markdown(
                f":material/horizontal_rule: **{titles[row.fix]}** has no effect that "
                f"{comparison.runs} runs can show (95% interval: {signed(row.low)} to "
                f"{signed_points(row.high)})."
            )
        elif row.high < 0:
            st.markdown(
                f":material/trending_down: **{titles[row.fix]}** makes fewer runs succeed: "
                f"{signed_points(row.value)} on average."
            )


def _rates(table: pd.DataFrame, choice: Choice, target: str) -> None:
    """Draw the shares of runs that succeed.

    Args:
        table: One row per combination, the best first; the column named marks those that the
            headline names.
        choice: The settings.
        target: The score at which a run succeeds, in words.
    """
    alt = (
        f"Share of runs that reach {target} for every combination, with its "
        f"95% interval and the required {choice.rate:.0%}."
    )
    table = table.rename(columns={"combination": "label"})
    with st.container(border=True):
        charts.show(charts.rate(table[:MOST_SHOWN], required=choice.rate), alt)
        if table["named"].any():
            star = f"{charts.NAMED}: one of the smallest combinations whose rate reaches it."
        else:
            star = ""
        st.caption(f"Grey line: the required rate, {choice.rate:.0%}. {star}")
        if len(rest := table[MOST_SHOWN:]):
            with st.expander(f"{len(rest)} more combinations"):
                charts.show(charts.rate(rest, required=choice.rate), alt)


def _contributions(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    frame = comparison.contributions(choice.target)
    frame["fix"] = [titles[key] for key in frame["fix"]]
    with st.container(border=True):
        charts.show(
            charts.contributions(frame),
            alt="What each fix adds to the success rate, in percentage points, with intervals.",
        )
        if comparison.exclusive:
            st.caption(
                "What adding the fix changes, averaged over all orders in which it can be added. "
                "Some fixes replace each other, so the values need not add up to the whole gain."
            )
        else:
            st.caption(
                "The Shapley value: what adding the fix changes, averaged over all orders in which "
                "the fixes can be added. The values add up to the whole gain."
            )


def _table(table: pd.DataFrame) -> None:
    """Draw the table, sortable by any column, with the smallest combinations marked."""
    marks = np.where(table["named"], f"{charts.NAMED} ", "")
    table = table.assign(combination=marks + table["combination"]).drop(columns="named")
    # The same in every row, unless a comparison was stopped.
    same = table["runs"].nunique() == 1
    hidden = {"rate", "runs"} if same else {"rate"}
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    percent = {"format": "%.0f%%"}
    shares = ["rate", "low", "high"]
    st.dataframe(
        table.assign(**(100 * table[shares])),
        height=ROW * (min(len(table), MOST_ROWS) + 1) + 2,
        row_height=ROW,
        hide_index=True,
        placeholder="\u2014",
        # On a phone the rate and the names are visible, and the rate stays where the others scroll.
        column_order=("rate", *(name for name in table if name not in hidden)),
        # Widths in pixels, so that all columns are visible on a laptop.
        column_config={
            "combination": text("Combination", width=430 if same else 375),
            "runs": number("Runs", format="%d", width=55),
            "successes": number("Successes", format="%d", width=85),
            "rate": st.column_config.ProgressColumn(
                "Succeed", min_value=0, max_value=100, width=105, pinned=True, **percent
            ),
            "low": number("At least", width=80, **percent),
            "high": number("At most", width=80, **percent),
            "median_epochs": number("Median epochs", format="%.0f", width=110),
            "seconds": number("Seconds", format="%.1f", width=75),
        },
    )
    if same:
        st.caption(f"{table['runs'].iloc[0]} runs per combination.")


def _downloads(comparison: Comparison, choice: Choice, titles: dict[str, str]) -> None:
    with st.container(horizontal=True):
        download(
            "Table as CSV",
            lambda: files.comparison_csv(comparison, titles, choice.target),
            name="plateau-fixes.csv",
            mime="text/csv",
            help="Every combination with its counts, rate and interval.",
        )
        download(
            "Table as JSON",
            lambda: files.comparison_json(comparison, choice.target),
            name="plateau-fixes.json",
            mime="application/json",
            help="The same with the experiment, the fixes, the seed and the libraries' versions.",
        )


def _look_into(
    comparison: Comparison,
    choice: Choice,
    fixes: tuple[Fix, ...],
    titles: dict[str, str],
    answer: Verdict,
) -> None:
    """Draw the diagnosis and the script of one combination, by default that of the headline."""
    st.header("One combination in detail")
    subsets = {as_text(subset): subset for subset in comparison.subsets}
    if st.session_state[PICKED] not in subsets:
        st.session_state[PICKED] = None
    named = (answer.smallest or (answer.best,))[0].fixes
    picked = st.session_state[PICKED]
    picked = as_text(named) if picked is None else picked
    st.session_state[f"{PAGE}.combination"] = picked
    st.selectbox(
        "Combination",
        tuple(subsets),
        format_func=lambda keys: files.combination(subsets[keys], titles),
        key=f"{PAGE}.combination",
        on_change=_pick,
        help="Shows the diagnosis and the script of this combination.",
    )
    history = comparison.history(subsets[picked])
    if history.health is None:
        st.caption("A recorded comparison keeps no weights; press **Compare** for the diagnosis.")
    else:
        explained = diagnosis.findings_for(history.experiment, history, choice.target)
        st.markdown(f"**{verdict(explained, history, choice.target)}**")
        findings.brief(explained, history, choice.target)
    applied = tuple(fix for fix in fixes if fix.key in subsets[picked])
    start = files.combination((), titles)
    export.code(comparison.experiment, history.experiment, applied, history.seed, start)


def _pick() -> None:
    st.session_state[PICKED] = st.session_state[f"{PAGE}.combination"]
