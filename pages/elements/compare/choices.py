"""The settings of the page that compares fixes, and the request that they describe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from core import fields
from core.comparison import distinct, plan
from core.costs import price
from core.fixes import excluded
from core.history import TARGET
from core.jobs.limits import duration
from core.jobs.requests import Compare
from pages.elements import jobs, own, query_params
from pages.elements.settings import as_text

PAGE = "compare"
RESULT = f"{PAGE}-result"
"""The key of the container with the results of a comparison."""
PROBLEM = "problem"
PICKED = f"{PAGE}.picked"
"""The session's key of the combination chosen to be shown in detail, or None."""
MOST_FIXES = 6
"""They give 64 combinations; more would take too long to train and to read."""
RUNS = ("16", "32", "64", "128")
SHARE = fields.Float(0.5, 1, 0.01)
OTHER_KINDS = {
    "runs": fields.Choice(RUNS),
    "target": SHARE,
    "rate": SHARE,
}


@dataclass(frozen=True)
class Choice:
    """The settings of a comparison.

    Attributes:
        problem: The problem's key.
        fixes: Keys of the fixes, in the order in which they are applied.
        runs: Number of runs of each combination.
        target: The score at which a run succeeds.
        rate: The share of runs that must succeed.
    """

    problem: str
    fixes: tuple[str, ...]
    runs: int
    target: float
    rate: float

    @property
    def comparable(self) -> bool:
        return 0 < len(self.fixes) <= MOST_FIXES


@dataclass(frozen=True)
class Size:
    """The size of a comparison: numbers of combinations and runs, and an estimate of the time."""

    combinations: int
    runs: int
    seconds: float


def enter() -> list[str]:
    """Put the settings into the session, from the last visit or the URL.

    Returns:
        A message for each value that was refused.
    """
    refused: list[str] = []
    kept = st.session_state.get("kept.compare")
    anew = kept is None or query_params.followed_history()
    if anew:
        parameters, refused = query_params.read()
        parameters = query_params.without_chart(parameters)
        kept = _from_link(parameters, refused)
    kinds = _kinds()
    query_params.hold(PAGE, {name: kept[name] for name in kinds}, kinds, anew=anew)
    # The fixes depend on the problem, which is now set; the combinations depend on the results.
    fixes = _fixes(st.session_state[f"{PAGE}.{PROBLEM}"])
    # Another network in the session's own place can have other fixes.
    known = [key for key in kept["fixes"] if key in fixes.entries]
    query_params.hold(PAGE, {"fixes": known}, {"fixes": fixes}, anew=anew)
    if anew or PICKED not in st.session_state:
        st.session_state[PICKED] = kept["combination"]
    return refused


def _kinds() -> dict[str, query_params.Kind]:
    """The kinds of the settings that depend on no other, by name."""
    return {PROBLEM: fields.Choice(own.problems()), **OTHER_KINDS}


def _fixes(problem: str) -> fields.MultiChoice:
    return fields.MultiChoice(own.problem(problem).fixes)


def leave() -> None:
    """Keep the settings for the next visit, and write them into the URL."""
    st.session_state["kept.compare"] = _values()
    query_params.write(parameters())


def parameters() -> dict[str, str]:
    """The parameters of this page's URL: those that differ from the defaults."""
    values = _values()
    defaults = _defaults(values[PROBLEM]) | {PROBLEM: _defaults()[PROBLEM]}
    return {name: as_text(v) for name, v in values.items() if v != defaults[name]}


def _values() -> dict[str, object]:
    """The current settings; the fixes in the order in which they are applied."""
    keys = {name: f"{PAGE}.{name}" for name in _defaults()} | {"combination": PICKED}
    values = {name: st.session_state[key] for name, key in keys.items()}
    picked = values["fixes"] or []
    known = own.problem(values[PROBLEM]).fixes
    return values | {"fixes": [key for key in known if key in picked]}


def controls() -> Choice:
    """Draw the widgets.

    Returns:
        The values of the settings.
    """
    state, known = st.session_state, own.problems()
    st.segmented_control(
        "Problem",
        tuple(known),
        format_func=lambda key: known[key].title,
        key=f"{PAGE}.{PROBLEM}",
        required=True,
        on_change=_other_problem,
        help="What the fixes are applied to, without any other change.",
    )
    problem = own.problem(state[f"{PAGE}.{PROBLEM}"])
    fixes, task = problem.fixes, problem.experiment.task
    score = task.score_name
    st.pills(
        "Fixes",
        tuple(fixes),
        selection_mode="multi",
        format_func=lambda key: fixes[key].title,
        key=f"{PAGE}.fixes",
        help=f"Up to {MOST_FIXES}; every combination of them is trained.",
    )
    left, middle, right = st.columns(3)
    with left:
        st.segmented_control(
            "Runs per combination",
            RUNS,
            key=f"{PAGE}.runs",
            required=True,
            help="The same seeds in every combination.",
        )
    with middle:
        st.slider(
            f"Target {score}",
            0.5,
            1.0,
            step=0.01,
            format=fields.PERCENT if task.share else None,
            key=f"{PAGE}.target",
            help=f"A run succeeds if its final {score} is at least this. Changing it needs no new "
            "training.",
        )
    with right:
        st.slider(
            "Runs that must succeed",
            0.5,
            1.0,
            step=0.01,
            format=fields.PERCENT,
            key=f"{PAGE}.rate",
            help="The results name the smallest combinations that reach it.",
        )
    choice = current()
    _describe(choice)
    return choice


def current() -> Choice:
    """The values of the settings."""
    values = _values()
    chosen = tuple(values["fixes"])
    return Choice(values[PROBLEM], chosen, int(values["runs"]), values["target"], values["rate"])


def _describe(choice: Choice) -> None:
    """Draw the size of the comparison, and the fixes that are never combined."""
    size, count = _size(request(choice), jobs.workers()), len(choice.fixes)
    if count > MOST_FIXES:
        st.error(
            f"{count} fixes are {size.combinations} combinations; choose at most {MOST_FIXES}.",
            icon=":material/error:",
        )
    elif count:
        st.caption(
            f"{size.combinations} combinations of {count} fix{'es' * (count > 1)}, {choice.runs} "
            f"runs each: {size.runs:,} runs in all, about {duration(size.seconds)}. "
            f"{_replaced(choice)}"
        )


def _replaced(choice: Choice) -> str:
    """The chosen fixes that replace others, in words."""
    problem = own.problem(choice.problem)
    fixes = {key: problem.fixes[key] for key in choice.fixes}
    excludes, earlier, sentences = excluded(fixes, problem.experiment), [], []
    for key, fix in fixes.items():
        others = [fixes[other].title for other in excludes[key] if other in earlier]
        if others:
            replaced = " and ".join(others)
            sentences.append(f"{fix.title} replaces {replaced}: they are never combined.")
        earlier.append(key)
    return " ".join(sentences)


@lru_cache(maxsize=256)
def _size(compared: Compare, workers: int) -> Size:
    # Cached, since estimating the cost of many combinations takes as long as drawing a chart.
    planned = plan(compared.experiment, {fix.key: fix for fix in compared.fixes})
    seconds = price(compared, workers).seconds
    return Size(len(planned), len(distinct(planned)) * compared.runs, seconds)


def request(choice: Choice) -> Compare:
    """The request to the worker."""
    question = own.problem(choice.problem)
    fixes = tuple(question.fixes[key] for key in choice.fixes)
    return Compare(question.experiment, fixes, choice.runs)


def label(choice: Choice) -> str:
    """The label of the job, which other viewers read in the queue."""
    size = _size(request(choice), jobs.workers())
    return f"{size.combinations} combinations of fixes, {choice.runs} runs each"


def next_step(choice: Choice, affordable: bool) -> str:
    """The next step to results of this choice, in words."""
    if jobs.busy(PAGE):
        return "Your comparison is being trained."
    if not choice.fixes:
        return "Choose at least one fix to compare."
    if not choice.comparable:
        return f"Choose at most {MOST_FIXES} fixes to compare."
    if not affordable:
        return "This comparison is over the limit; the message above says what would fit."
    size = _size(request(choice), jobs.workers())
    return (
        f"Press **Compare** to train {size.combinations} combinations, which takes about "
        f"{duration(size.seconds)}."
    )


def running(handle: jobs.JobHandle) -> None:
    """Draw the progress of the comparison."""
    events = handle.job.events
    if events:
        doing = f"{events[-1].finished} of {events[-1].of} combinations trained"
        jobs.progress(PAGE, events[-1].share, doing)
    else:
        jobs.progress(PAGE, 0.0, "Compiling the first network")


def _other_problem() -> None:
    problem = st.session_state[f"{PAGE}.{PROBLEM}"]
    if problem in own.problems():
        st.session_state[PICKED] = None
        st.session_state[f"{PAGE}.fixes"] = list(own.problem(problem).compared)


def _defaults(problem: str = "threshold") -> dict[str, object]:
    fixes = list(own.problem(problem).compared)
    others = {"runs": "32", "target": TARGET, "rate": 0.9, "combination": None}
    return {PROBLEM: problem, "fixes": fixes, **others}


def _from_link(parameters: dict[str, str], refused: list[str]) -> dict[str, object]:
    """The initial values of the page; a refused one is replaced by the default."""
    first = {name: parameters.pop(name) for name in (PROBLEM,) if name in parameters}
    problem = query_params.checked(first, _kinds(), refused).get(PROBLEM, _defaults()[PROBLEM])
    kinds = _kinds() | dict.fromkeys(("fixes", "combination"), _fixes(problem))
    values = _defaults(problem) | query_params.checked(parameters, kinds, refused)
    # A combination is stored as its text; the empty text is the question as asked.
    picked = values["combination"]
    return values | {"combination": None if picked is None else as_text(picked)}
