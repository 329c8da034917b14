"""A problem page's settings in the session and in the URL.

The session holds an experiment in the making as JSON (`core.draft.Draft`), the form of the question
and the fixes that it began with, the runs, and what of the results is looked at. The URL holds what
differs from the question as asked: `start` (another form of it), `fixes` (keys, joined by dots),
every setting changed by hand, and the views. A session's own values come before the URL's, unless
the browser's Back or Forward leads to it.

All of it is apart from the widgets: one in a closed popover goes on sending what it had when it was
last seen, whatever was chosen since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import streamlit as st

from core.draft import Draft
from core.experiment import Experiment
from core.fields import Choice, MultiChoice, Numbers
from core.fixes import Fix, apply_all, excluded
from core.layers import Layer
from core.problems import PROBLEMS, leading_to
from pages.elements import links_v1, query_params
from pages.elements.settings import (
    OF_RUNS,
    VIEWS,
    Control,
    as_text,
    changed_by,
    differences,
    in_words,
    table,
)

BASELINE = "as-asked"
START, FIXES, DRAFT = "start", "fixes", "draft"


def enter(problem: str) -> list[str]:
    """Put every setting into the session, on a first visit from the URL; what was refused."""
    if problem in st.session_state and not query_params.followed_history():
        return take_over(problem)
    given, refused = query_params.read()
    st.session_state[problem] = _from_link(problem, given, refused)
    _renew_controls(problem)
    return refused


def leave(problem: str) -> None:
    """Write the URL where it changed."""
    query_params.write(parameters(problem))


def held(problem: str) -> dict[str, Any]:
    """What the session holds of this page, by name."""
    return st.session_state[problem]


def _kinds(problem: str) -> dict[str, query_params.Kind]:
    """What each value beside the draft can be."""
    baseline = PROBLEMS[problem]
    return {
        START: Choice((BASELINE, *baseline.variants)),
        FIXES: MultiChoice(baseline.fixes),
        **{name: view.kind for name, view in {**OF_RUNS, **VIEWS}.items()},
    }


# --- controls -----------------------------------------------------------------------------------


def key(problem: str, name: str) -> str:
    """The key of a setting's widget.

    Settings get new widgets after each change that no widget made. The old ones can be out of
    sight, where the new value does not reach them, and would send their own.
    """
    if name in (START, FIXES, *VIEWS):
        return f"{problem}.{name}"
    return f"{problem}.{name}@{st.session_state.get(_generation(problem), 0)}"


def control(problem: str, name: str) -> dict[str, Any]:
    """What the widget of a setting is drawn with."""
    own = key(problem, name)
    settings = table(draft(problem))
    # Each time, as the browser reads it only once the widget is in sight.
    if name in settings:
        st.session_state[own] = _to_widget(settings[name], settings[name].read(draft(problem)))
    else:
        st.session_state[own] = held(problem)[name]
    if name in (START, FIXES):
        return {"key": own, "on_change": _follow_preset, "args": (problem, name)}
    return {"key": own}


def take_over(problem: str) -> list[str]:
    """Hold what was chosen in the widgets; a browser may send what they do not allow.

    Returns:
        A notice for each that was typed and cannot be.
    """
    for name, kind in _kinds(problem).items():
        said = st.session_state.get(key(problem, name), held(problem)[name])
        if name not in (START, FIXES) and query_params.allows(kind, said):
            held(problem)[name] = said
    before = now = draft(problem)
    refused = []
    for name, setting in table(before).items():
        said = st.session_state.get(key(problem, name))
        # What was not touched stays as it is, or as another setting that was has made it.
        if said is None or said == _to_widget(setting, setting.read(before)):
            continue
        try:
            value = _from_widget(setting, said)
            if query_params.allows(setting.setting.kind, value):
                now = setting.write(now, value)
        except (IndexError, ValueError, OverflowError):
            text, expected = query_params.quoted(str(said)), setting.setting.kind.expected
            refused.append(f"{setting.setting.label}: `{text}`; it should be {expected}.")
    _hold(problem, now)
    return refused


def _to_widget(control: Control, value: Any) -> Any:
    """A value as its widget has it: numbers in a row are text."""
    if isinstance(control.setting.kind, Numbers):
        return ", ".join(f"{number:g}" for number in value)
    return value


def _from_widget(control: Control, said: Any) -> Any:
    if isinstance(control.setting.kind, Numbers):
        return tuple(float(number) for number in str(said).split(","))
    return said


def _follow_preset(problem: str, name: str) -> None:
    """Callback: begin from another form or with other fixes, under what was changed by hand."""
    changes = by_hand(problem)
    said = st.session_state[key(problem, name)]
    said = [] if said is None and name == FIXES else said
    if not query_params.allows(_kinds(problem)[name], said):
        return
    before, held(problem)[name] = chosen(problem), said
    start, added = held(problem)[START], set(chosen(problem)) - set(before)
    replaced = {other for fix in added for other in _excluded(problem, start)[fix]} - added
    choose(problem, start, tuple(set(chosen(problem)) - replaced), **changes)


def _excluded(problem: str, start: str) -> dict[str, tuple[str, ...]]:
    """For each fix those that it replaces on this form of the question."""
    baseline = PROBLEMS[problem]
    form = baseline.variants.get(start, baseline.experiment)
    return _exclusions(tuple(baseline.fixes.values()), form)


@lru_cache(maxsize=32)
def _exclusions(fixes: tuple[Fix, ...], form: Experiment) -> dict[str, tuple[str, ...]]:
    return excluded({fix.key: fix for fix in fixes}, form)


def _last_of_each(problem: str, start: str, fixes: Collection[str]) -> tuple[str, ...]:
    """Fixes in the order in which they are applied, without those that a later one replaces."""
    ordered = [name for name in PROBLEMS[problem].fixes if name in fixes]
    excludes = _excluded(problem, start)
    return tuple(
        fix for n, fix in enumerate(ordered) if not set(excludes[fix]) & set(ordered[n + 1 :])
    )


def replaces(problem: str, fix: str) -> tuple[str, ...]:
    """The titles of the fixes that a fix replaces."""
    others = _excluded(problem, held(problem)[START])[fix]
    return tuple(PROBLEMS[problem].fixes[key].title for key in others)


def reset(problem: str) -> None:
    """Callback: back to the question as asked."""
    choose(problem, BASELINE, ())


def put_layers(problem: str, hidden: tuple[Layer, ...]) -> None:
    """Other hidden layers, which have new widgets."""
    put(problem, layers=hidden)


def _generation(problem: str) -> str:
    return f"{problem}.generation"


def _renew_controls(problem: str) -> None:
    st.session_state[_generation(problem)] = st.session_state.get(_generation(problem), 0) + 1


def put(problem: str, **values: Any) -> None:
    """Change settings on a person's behalf, each by its name with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in values.items()}
    held(problem).update({name: named.pop(name) for name in OF_RUNS if name in named})
    _hold(problem, changed_by(draft(problem), named))
    _renew_controls(problem)


# --- what is set --------------------------------------------------------------------------------


def draft(problem: str) -> Draft:
    """The experiment in the making."""
    return _read(held(problem)[DRAFT])


@lru_cache(maxsize=256)
def _read(text: str) -> Draft:
    return Draft.from_json(text)


def _hold(problem: str, draft: Draft) -> None:
    if draft != _read(held(problem)[DRAFT]):
        held(problem)[DRAFT] = draft.to_json()


def experiment(problem: str) -> Experiment:
    """What the settings describe: in a callback, with what was changed in the same moment.

    Raises:
        InvalidExperiment: where they do not fit each other.
    """
    take_over(problem)
    return draft(problem).experiment()


def parameters(problem: str) -> dict[str, str]:
    """What the URL says of this page: no more than what differs from the question as asked."""
    differing: dict[str, Any] = {}
    if (start := held(problem)[START]) != BASELINE:
        differing[START] = start
    if chosen(problem):
        differing[FIXES] = chosen(problem)
    views = {name: view(problem, name) for name in VIEWS}
    differing |= by_hand(problem) | {n: v for n, v in views.items() if v != VIEWS[n].default}
    return {name: as_text(value) for name, value in differing.items()}


def view(problem: str, name: str) -> Any:
    """What of the results is looked at."""
    return held(problem)[name]


def target(problem: str) -> float:
    """The accuracy that counts as success."""
    return held(problem)["target"]


def runs(problem: str) -> int:
    return int(held(problem)["runs"])


def seed(problem: str) -> int:
    return held(problem)["seed"]


def next_seed(problem: str) -> None:
    """Other runs, and other data where all runs have the same."""
    take_over(problem)
    highest = OF_RUNS["seed"].kind.high
    seeds = {"seed": (seed(problem) + 1) % (highest + 1)}
    if (own := draft(problem).data.seed) is not None:
        seeds["data_seed"] = (own + 1) % (highest + 1)
    put(problem, **seeds)


def chosen(problem: str) -> tuple[str, ...]:
    """Keys of the chosen fixes, in the order in which they are applied."""
    picked = held(problem)[FIXES]
    return tuple(name for name in PROBLEMS[problem].fixes if name in picked)


def by_hand(problem: str) -> dict[str, Any]:
    """The settings that neither the question nor a chosen fix gives."""
    take_over(problem)
    preset = _preset(problem, held(problem)[START], chosen(problem))
    of_runs = {name: held(problem)[name] for name in OF_RUNS}
    return differences(preset, draft(problem)) | {
        name: value for name, value in of_runs.items() if value != OF_RUNS[name].default
    }


def changed(problem: str) -> dict[str, str]:
    """Those of them that have an effect as the others stand: their text by their label."""
    settings = table(draft(problem))
    changes = by_hand(problem)
    of_runs = {OF_RUNS[name].label: changes[name] for name in OF_RUNS if name in changes}
    effective = {
        setting.setting.label: changes[name]
        for name, setting in settings.items()
        if name in changes and setting.matters
    }
    return {label: in_words(value) for label, value in (effective | of_runs).items()}


def choose(problem: str, start: str, fixes: Collection[str], **changes: Any) -> None:
    """Begin from this form of the question with these fixes, and change these settings by hand."""
    fixes = _last_of_each(problem, start, fixes)
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    of_runs = {name: named.pop(name, view.default) for name, view in OF_RUNS.items()}
    _begin(problem, start, fixes, changed_by(_preset(problem, start, fixes), named), of_runs)


def adopt(problem: str, changed: Experiment, fixes: tuple[str, ...] | None = None) -> bool:
    """Set the controls to an experiment; False where its rows come from another source.

    fixes: keys of those that led to it; the ones that are proposed here are marked as chosen. Where
    they are not known, the form and the fixes that come closest.
    """
    if not _is_of(problem, changed):
        return False
    take_over(problem)
    if fixes is None:
        start, proposed = leading_to(PROBLEMS[problem], changed)
    else:
        start = held(problem)[START]
        proposed = tuple(fix for fix in fixes if fix in PROBLEMS[problem].fixes)
    proposed = _last_of_each(problem, start or BASELINE, proposed)
    _begin(problem, start or BASELINE, proposed, Draft.of(changed), {})
    return True


def open_with(problem: str, shown: Experiment) -> bool:
    """From another page: let the problem's page show this; False where it is not of its kind."""
    if not _is_of(problem, shown):
        return False
    st.session_state.setdefault(problem, _from_link(problem, {}, []))
    defaults = {name: view.default for name, view in OF_RUNS.items()}
    start, fixes = leading_to(PROBLEMS[problem], shown)
    _begin(problem, start or BASELINE, fixes, Draft.of(shown), defaults)
    return True


def _is_of(problem: str, shown: Experiment) -> bool:
    return type(shown.data.source) is type(PROBLEMS[problem].experiment.data.source)


def _begin(
    problem: str, start: str, fixes: Collection[str], draft: Draft, of_runs: Mapping[str, Any]
) -> None:
    held(problem).update({START: start, FIXES: list(fixes), **of_runs})
    _hold(problem, draft)
    _renew_controls(problem)


def steps(problem: str) -> tuple[Fix, ...]:
    """What leads from the question as asked to here, save changes by hand: its form, the fixes."""
    baseline, start = PROBLEMS[problem], held(problem)[START]
    fixes = tuple(baseline.fixes[name] for name in chosen(problem))
    if start == BASELINE:
        return fixes
    form = baseline.variants[start]
    return (
        Fix(start, title(start), "Another form of the question.", "ours", lambda _: form),
        *fixes,
    )


def title(start: str) -> str:
    """A form of the question in words."""
    return start.replace("-", " ").capitalize()


def _preset(problem: str, start: str, fixes: Collection[str]) -> Draft:
    baseline = PROBLEMS[problem]
    form = baseline.variants.get(start, baseline.experiment)
    ordered = tuple(fix for name, fix in baseline.fixes.items() if name in fixes)
    return Draft.of(apply_all(ordered, form))


def _from_link(problem: str, given: dict[str, str], refused: list[str]) -> dict[str, Any]:
    """All that the page begins with; what is refused falls back to the preset's."""
    kinds = _kinds(problem)
    own = {name: text for name, text in given.items() if name in kinds}
    values = {START: BASELINE, FIXES: [], **query_params.checked(own, kinds, refused)}
    defaults = {name: view.default for name, view in {**OF_RUNS, **VIEWS}.items()}
    values[FIXES] = list(_last_of_each(problem, values[START], values[FIXES]))
    preset = _preset(problem, values[START], values[FIXES])
    settings = {name: text for name, text in given.items() if name not in kinds}
    preset = links_v1.taken_over(preset, settings, refused)
    draft = query_params.applied(preset, settings, refused)
    return defaults | values | {DRAFT: draft.to_json()}
