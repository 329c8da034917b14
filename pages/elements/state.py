"""A problem page's settings in the session and in the URL.

The session holds a draft of an experiment as JSON (`core.draft.Draft`), the form of the question
and the fixes that it is based on, the settings of the runs, and the views. The URL holds what
differs from the question as asked: `start` (another form of it), `fixes` (keys, joined by dots),
every setting changed by hand, and the views. The session takes precedence over the URL, unless the
browser's Back or Forward leads to it.

The values are stored separately from the widgets, which are there only while their popover is open.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import streamlit as st

from core.draft import Draft
from core.experiment import Experiment
from core.fields import Choice, MultiChoice
from core.fixes import Fix
from core.problems import Problem, leading_to
from pages.elements import drafts, links_v1, own, query_params, rows, widgets
from pages.elements.settings import (
    OF_RUNS,
    VIEWS,
    Control,
    as_text,
    changed_by,
    chosen_in_words,
)

BASELINE = "as-asked"
START, FIXES, DRAFT, TAB = "start", "fixes", "draft", "tab"


def problem(key: str) -> Problem:
    """The problem with this key: one of `core.problems`, or the session's own network.

    Raises:
        KeyError: If there is none.
    """
    return own.problem(key)


def enter(problem: str) -> list[str]:
    """Put every setting into the session, on the first visit from the URL.

    Returns:
        A message for each value that was refused, until something is set: who opens the controls
        to see what is there still has it.
    """
    notices = f"{problem}.notices"
    if problem in st.session_state and not query_params.followed_history():
        refused = take_over(problem)
    else:
        link, refused = query_params.read()
        st.session_state[problem] = _from_link(problem, link, refused)
        _renew_controls(problem)
        st.session_state.pop(notices, None)
    if refused:
        st.session_state[notices] = refused, dict(held(problem))
    kept, since = st.session_state.get(notices, ([], None))
    return kept if since == held(problem) else []


def leave(problem: str) -> None:
    """Write the settings into the URL."""
    query_params.write(parameters(problem))


def held(problem: str) -> dict[str, Any]:
    """The values of this page in the session, by name."""
    return st.session_state[problem]


def _kinds(problem: str) -> dict[str, query_params.Kind]:
    """The kind of each value besides the draft."""
    baseline = own.problem(problem)
    return {
        START: Choice((BASELINE, *baseline.variants)),
        FIXES: MultiChoice(baseline.fixes),
        **{name: view.kind for name, view in {**OF_RUNS, **VIEWS}.items()},
    }


# --- controls -----------------------------------------------------------------------------------


def key(problem: str, name: str, values: Mapping[str, Any] | None = None) -> str:
    """The key of a setting's widget; `values` are the session's, where they are at hand.

    Settings get new widgets after each change that was not made with a widget: one whose popover
    is being closed may not receive the new value, and would send its old one.
    """
    if name in (START, FIXES, *VIEWS):
        return f"{problem}.{name}"
    values = st.session_state if values is None else values
    return f"{problem}.{name}@{values.get(_generation(problem), 0)}"


def control(problem: str, name: str) -> dict[str, Any]:
    """The keyword arguments of a setting's widget; its value is put into the session."""
    widget = key(problem, name)
    settings = controls(problem)
    # On every run of the script, since the browser reads the value only when the widget is shown.
    if name in settings:
        st.session_state[widget] = widgets.shown(
            settings[name], settings[name].read(draft(problem))
        )
    else:
        st.session_state[widget] = held(problem)[name]
    if name in (START, FIXES):
        return {"key": widget, "on_change": _follow_preset, "args": (problem, name)}
    return {"key": widget}


def take_over(problem: str) -> list[str]:
    """Store the values of the widgets; a browser may send values that they do not allow.

    Returns:
        A message for each value that was typed and is not allowed.
    """
    # One dictionary for all: the session looks through every key that there is for each.
    values = st.session_state.to_dict()
    for name, kind in _kinds(problem).items():
        sent = values.get(key(problem, name, values), held(problem)[name])
        if name not in (START, FIXES) and query_params.allows(kind, sent):
            held(problem)[name] = sent
    before = after = draft(problem)
    refused = []
    for name, setting in controls(problem).items():
        sent = values.get(key(problem, name, values))
        # An untouched setting keeps its value, or the one that a change of another setting implies.
        if sent is None or sent == widgets.shown(setting, setting.read(before)):
            continue
        try:
            value = widgets.typed(setting, sent)
            if query_params.allows(setting.setting.kind, value):
                after = setting.write(after, value)
        except (IndexError, ValueError, OverflowError):
            text, expected = query_params.quoted(str(sent)), setting.setting.kind.expected
            refused.append(f"{setting.setting.label}: `{text}`; it should be {expected}.")
    asked = _preset(problem, held(problem)[START], chosen(problem)).data
    _hold(problem, rows.with_own(asked, before, after))
    return refused


def _follow_preset(problem: str, name: str) -> None:
    """Callback: apply another form of the question or other fixes; keep changes by hand."""
    changes = by_hand(problem)
    sent = st.session_state[key(problem, name)]
    sent = [] if sent is None and name == FIXES else sent
    if not query_params.allows(_kinds(problem)[name], sent):
        return
    before, held(problem)[name] = chosen(problem), sent
    start, added = held(problem)[START], set(chosen(problem)) - set(before)
    replaced = {other for fix in added for other in _excluded(problem, start)[fix]} - added
    choose(problem, start, tuple(set(chosen(problem)) - replaced), **changes)


def _excluded(problem: str, start: str) -> dict[str, tuple[str, ...]]:
    """For each fix, the fixes that it replaces on this form of the question."""
    baseline = own.problem(problem)
    form = baseline.variants.get(start, baseline.experiment)
    return drafts.exclusions(tuple(baseline.fixes.values()), form)


def _last_of_each(problem: str, start: str, fixes: Collection[str]) -> tuple[str, ...]:
    """The fixes in the order in which they are applied, without those that a later one replaces."""
    ordered = [name for name in own.problem(problem).fixes if name in fixes]
    excludes = _excluded(problem, start)
    return tuple(
        fix for n, fix in enumerate(ordered) if not set(excludes[fix]) & set(ordered[n + 1 :])
    )


def replaces(problem: str, fix: str) -> tuple[str, ...]:
    """The titles of the fixes that a fix replaces."""
    others = _excluded(problem, held(problem)[START])[fix]
    return tuple(own.problem(problem).fixes[key].title for key in others)


def reset(problem: str) -> None:
    """Callback: set everything back to the question as asked."""
    choose(problem, BASELINE, ())


def _generation(problem: str) -> str:
    return f"{problem}.generation"


def _renew_controls(problem: str) -> None:
    st.session_state[_generation(problem)] = st.session_state.get(_generation(problem), 0) + 1


def put(problem: str, **values: Any) -> None:
    """Change settings without widgets.

    Args:
        problem: Whose settings.
        **values: By the settings' names, with underscores for hyphens.
    """
    named = {name.replace("_", "-"): value for name, value in values.items()}
    held(problem).update({name: named.pop(name) for name in OF_RUNS if name in named})
    changed, _ = changed_by(draft(problem), named)
    _hold(problem, changed)
    _renew_controls(problem)


# --- values -------------------------------------------------------------------------------------


def draft(problem: str) -> Draft:
    """The draft of the experiment."""
    return drafts.read(held(problem)[DRAFT])


def controls(problem: str) -> dict[str, Control]:
    """The table of the draft."""
    return drafts.controls(held(problem)[DRAFT])


def _hold(problem: str, draft: Draft) -> None:
    if draft != drafts.read(held(problem)[DRAFT]):
        held(problem)[DRAFT] = draft.to_json()


def experiment(problem: str) -> Experiment:
    """The experiment that the settings describe.

    In a callback it includes the changes that the browser sent with the same event.

    Raises:
        InvalidExperiment: If the settings do not fit each other.
    """
    take_over(problem)
    return drafts.experiment(held(problem)[DRAFT])


def parameters(problem: str) -> dict[str, str]:
    """The parameters of this page's URL: those that differ from the question as asked."""
    differing: dict[str, Any] = own.parameters(problem)
    if (start := held(problem)[START]) != BASELINE:
        differing[START] = start
    if chosen(problem):
        differing[FIXES] = chosen(problem)
    views = {name: view(problem, name) for name in VIEWS}
    differing |= by_hand(problem) | {n: v for n, v in views.items() if v != VIEWS[n].default}
    return {name: as_text(value) for name, value in differing.items()}


def view(problem: str, name: str) -> Any:
    """The value of one of VIEWS."""
    return held(problem)[name]


def look_at(problem: str, name: str, value: Any) -> None:
    """Set one of VIEWS in a callback, in which its widget has its old value."""
    held(problem)[name] = st.session_state[key(problem, name)] = value


def target(problem: str) -> float:
    """The score at which a run succeeds."""
    return held(problem)["target"]


def runs(problem: str) -> int:
    return int(held(problem)["runs"])


def seed(problem: str) -> int:
    return held(problem)["seed"]


def next_seed(problem: str) -> None:
    """Increase the seed of the runs, and that of the data if all runs have the same data."""
    take_over(problem)
    highest = OF_RUNS["seed"].kind.high
    seeds = {"seed": (seed(problem) + 1) % (highest + 1)}
    if (data_seed := draft(problem).data.seed) is not None:
        seeds["data_seed"] = (data_seed + 1) % (highest + 1)
    put(problem, **seeds)


def chosen(problem: str) -> tuple[str, ...]:
    """The keys of the chosen fixes, in the order in which they are applied."""
    picked = held(problem)[FIXES]
    return tuple(name for name in own.problem(problem).fixes if name in picked)


def by_hand(problem: str) -> dict[str, Any]:
    """The settings that differ from the form of the question with the chosen fixes, by name."""
    take_over(problem)
    preset = _preset(problem, held(problem)[START], chosen(problem))
    of_runs = {name: held(problem)[name] for name in OF_RUNS}
    return drafts.differences(preset, draft(problem)) | {
        name: value for name, value in of_runs.items() if value != OF_RUNS[name].default
    }


def changed(problem: str) -> dict[str, str]:
    """The settings of `by_hand` that have an effect: their values in words, by label."""
    settings = controls(problem)
    changes = by_hand(problem)
    task = draft(problem).task
    views = {name: view.of(task) for name, view in OF_RUNS.items() if name in changes}
    of_runs = {v.label: chosen_in_words(v.kind, changes[name]) for name, v in views.items()}
    effective = {
        setting.setting.label: chosen_in_words(setting.setting.kind, changes[name])
        for name, setting in settings.items()
        if name in changes and setting.matters
    }
    return effective | of_runs


def choose(problem: str, start: str, fixes: Collection[str], **changes: Any) -> None:
    """Set a form of the question with these fixes, and change these settings by hand.

    Args:
        problem: Whose settings.
        start: The form of the question: a key of its variants, or BASELINE.
        fixes: Keys of the fixes.
        **changes: By the settings' names, with underscores for hyphens.
    """
    fixes = _last_of_each(problem, start, fixes)
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    of_runs = {name: named.pop(name, view.default) for name, view in OF_RUNS.items()}
    changed, _ = changed_by(_preset(problem, start, fixes), named)
    _begin(problem, start, fixes, changed, of_runs)


def adopt(problem: str, changed: Experiment, fixes: tuple[str, ...] | None = None) -> bool:
    """Set the controls to an experiment.

    Args:
        problem: Whose controls.
        changed: The experiment.
        fixes: Keys of the fixes that led to it, to be marked as chosen if they belong to the
            problem; None to choose the form of the question and the fixes that come closest.

    Returns:
        False, without any change, if the page has no controls for its source of rows, or if that
        is the source of another problem.
    """
    if not rows.can_be_set(problem, draft(problem), changed):
        return False
    take_over(problem)
    if fixes is None:
        start, proposed = leading_to(own.problem(problem), changed)
    else:
        start = held(problem)[START]
        proposed = tuple(fix for fix in fixes if fix in own.problem(problem).fixes)
    proposed = _last_of_each(problem, start or BASELINE, proposed)
    _begin(problem, start or BASELINE, proposed, Draft.of(changed), {})
    return True


def open_with(problem: str, shown: Experiment) -> bool:
    """Set a problem's page, which is not the current page, to an experiment.

    Returns:
        False, without any change, if the experiment has another source of rows than the problem.
    """
    if not rows.is_of(problem, shown):
        return False
    st.session_state.setdefault(problem, _from_link(problem, {}, []))
    defaults = {name: view.default for name, view in OF_RUNS.items()}
    start, fixes = leading_to(own.problem(problem), shown)
    _begin(problem, start or BASELINE, fixes, Draft.of(shown), defaults)
    return True


def open_experiment(shown: Experiment, origin: str = "", **link: Any) -> None:
    """Make an experiment the session's own network, and set the controls of its page to it.

    Args:
        shown: Any experiment.
        origin: Where it comes from, as a sentence.
        **link: What `own.hold` takes for the link.
    """
    own.hold(shown, origin, **link)
    st.session_state.setdefault(own.KEY, _from_link(own.KEY, {}, []))
    of_runs = {name: held(own.KEY)[name] for name in OF_RUNS}
    _begin(own.KEY, BASELINE, (), Draft.of(shown), of_runs)


def _begin(
    problem: str, start: str, fixes: Collection[str], draft: Draft, of_runs: Mapping[str, Any]
) -> None:
    held(problem).update({START: start, FIXES: list(fixes), **of_runs})
    _hold(problem, draft)
    _renew_controls(problem)


def steps(problem: str) -> tuple[Fix, ...]:
    """The form of the question, as a fix of the question as asked, and the chosen fixes."""
    baseline, start = own.problem(problem), held(problem)[START]
    fixes = tuple(baseline.fixes[name] for name in chosen(problem))
    if start == BASELINE:
        return fixes
    form = baseline.variants[start]
    return (
        Fix(start, title(start), "Another form of the question.", "ours", lambda _: form),
        *fixes,
    )


def title(start: str) -> str:
    """The title of a form of the question."""
    return start.replace("-", " ").capitalize()


def _preset(problem: str, start: str, fixes: Collection[str]) -> Draft:
    baseline = own.problem(problem)
    form = baseline.variants.get(start, baseline.experiment)
    return drafts.applied(tuple(fix for name, fix in baseline.fixes.items() if name in fixes), form)


def _from_link(problem: str, link: dict[str, str], refused: list[str]) -> dict[str, Any]:
    """The initial values of the page; a refused one is replaced by the preset's."""
    kinds = _kinds(problem)
    link = {
        name: text
        for name, text in link.items()
        if problem != own.KEY or name not in own.PARAMETERS
    }
    other = {name: text for name, text in link.items() if name in kinds}
    values = {START: BASELINE, FIXES: [], **query_params.checked(other, kinds, refused)}
    defaults = {name: view.default for name, view in {**OF_RUNS, **VIEWS}.items()}
    values[FIXES] = list(_last_of_each(problem, values[START], values[FIXES]))
    preset = _preset(problem, values[START], values[FIXES])
    settings = {name: text for name, text in link.items() if name not in kinds}
    preset = links_v1.taken_over(preset, settings, refused)
    draft = query_params.applied(preset, settings, refused)
    return defaults | values | {DRAFT: draft.to_json()}
