"""A problem page's settings in the session and in the URL.

The URL holds what differs from the question as asked: `start` (another form of the question),
`fixes` (keys, joined by dots), every setting changed by hand, and what of the results is looked at.
A session's own values come before the URL's, unless the browser's Back or Forward leads to it.

The session holds the settings in a dictionary of their own, apart from the widgets: one in a closed
popover goes on sending what it had when it was last seen, whatever was chosen since.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

import streamlit as st

from core.experiment import Experiment
from core.fixes import Fix, apply_all, excluded
from core.problems import PROBLEMS, leading_to
from pages.elements import query_params
from pages.elements.query_params import as_text
from pages.elements.settings import VIEWS, Choice, Keys, experiment_of, matters, table, values_of

AS_ASKED = "as-asked"
START, FIXES = "start", "fixes"


def enter(problem: str) -> list[str]:
    """Put every setting into the session, on a first visit from the URL; what was refused."""
    if problem in st.session_state and not query_params.followed_history():
        _take_over(problem)
        return []
    given, refused = query_params.read()
    st.session_state[problem] = _from_link(problem, given, refused)
    _renew_controls(problem)
    return refused


def leave(problem: str) -> None:
    """Write the URL where it changed."""
    query_params.write(parameters(problem))


def held(problem: str) -> dict[str, object]:
    """Every value of this page: form, fixes, settings and views, by name."""
    return st.session_state[problem]


@cache
def _kinds(problem: str) -> dict[str, query_params.Kind]:
    """What each control of this page can have."""
    asked = PROBLEMS[problem]
    return {
        START: Choice((AS_ASKED, *asked.variants)),
        FIXES: Keys(tuple(asked.fixes)),
        **{name: setting.kind for name, setting in {**table(problem), **VIEWS}.items()},
    }


# --- controls -----------------------------------------------------------------------------------


def key(problem: str, name: str) -> str:
    """The key of a setting's widget.

    Settings get new widgets after each change that no widget made. The old ones can be out of
    sight, where the new value does not reach them, and would send their own.
    """
    if name not in table(problem):
        return f"{problem}.{name}"
    return f"{problem}.{name}@{st.session_state.get(_generation(problem), 0)}"


def control(problem: str, name: str) -> dict[str, object]:
    """What the widget of a setting is drawn with."""
    own = key(problem, name)
    # Each time, as the browser reads it only once the widget is in sight.
    st.session_state[own] = held(problem)[name]
    if name in (START, FIXES):
        return {"key": own, "on_change": _follow_preset, "args": (problem, name)}
    return {"key": own}


def _take_over(problem: str) -> None:
    """Hold what was chosen in the widgets; a browser may send what they do not allow."""
    kinds = _kinds(problem)
    for name, value in held(problem).items():
        said = st.session_state.get(key(problem, name), value)
        if name not in (START, FIXES) and said != value and query_params.allows(kinds[name], said):
            held(problem)[name] = said


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


@cache
def _excluded(problem: str, start: str) -> dict[str, tuple[str, ...]]:
    """For each fix those that it replaces on this form of the question."""
    asked = PROBLEMS[problem]
    return excluded(asked.fixes, asked.variants.get(start, asked.experiment))


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
    choose(problem, AS_ASKED, ())


def _generation(problem: str) -> str:
    return f"{problem}.generation"


def _renew_controls(problem: str) -> None:
    st.session_state[_generation(problem)] = st.session_state.get(_generation(problem), 0) + 1


def put(problem: str, **values: object) -> None:
    """Change settings on a person's behalf."""
    held(problem).update(values)
    _renew_controls(problem)


# --- what is set --------------------------------------------------------------------------------


def parameters(problem: str) -> dict[str, str]:
    """What the URL says of this page: no more than what differs from the question as asked."""
    found: dict[str, object] = {}
    if (start := held(problem)[START]) != AS_ASKED:
        found[START] = start
    if chosen(problem):
        found[FIXES] = chosen(problem)
    views = {name: view(problem, name) for name in VIEWS}
    found |= by_hand(problem) | {n: v for n, v in views.items() if v != VIEWS[n].usual}
    return {name: as_text(value) for name, value in found.items()}


def values(problem: str) -> dict[str, object]:
    """The settings as they stand: in a callback, with what was changed in the same moment."""
    _take_over(problem)
    return {name: held(problem)[name] for name in table(problem)}


def view(problem: str, name: str) -> object:
    """What of the results is looked at."""
    return held(problem)[name]


def target(problem: str) -> float:
    """The accuracy that counts as success."""
    return held(problem)["target"]


def experiment(problem: str) -> Experiment:
    """What the settings describe. Raises InvalidExperiment."""
    return experiment_of(problem, values(problem))


def chosen(problem: str) -> tuple[str, ...]:
    """Keys of the chosen fixes, in the order in which they are applied."""
    picked = held(problem)[FIXES]
    return tuple(name for name in PROBLEMS[problem].fixes if name in picked)


def by_hand(problem: str) -> dict[str, object]:
    """The settings that neither the question nor a chosen fix gives."""
    preset = _preset(problem, held(problem)[START], chosen(problem))
    return {name: value for name, value in values(problem).items() if value != preset[name]}


def changed(problem: str) -> dict[str, object]:
    """Those of them that have an effect as the others stand."""
    now = values(problem)
    return {name: value for name, value in by_hand(problem).items() if matters(name, now)}


def choose(problem: str, start: str, fixes: tuple[str, ...], **changes: object) -> None:
    """Begin from this form of the question with these fixes, and change these settings by hand."""
    fixes = _last_of_each(problem, start, fixes)
    preset = _preset(problem, start, fixes)
    put(problem, **{START: start, FIXES: list(fixes)}, **(preset | changes))


def adopt(problem: str, changed: Experiment, fixes: tuple[str, ...] | None = None) -> bool:
    """Set the controls to an experiment; False where they cannot show it.

    fixes: keys of those that led to it; the ones that are proposed here are marked as chosen. Where
    they are not known, the form and the fixes that come closest.
    """
    wanted = _wanted(problem, changed, values(problem))
    if wanted is None:
        return False
    if fixes is None:
        start, proposed = leading_to(PROBLEMS[problem], changed)
    else:
        start = held(problem)[START]
        proposed = tuple(fix for fix in fixes if fix in PROBLEMS[problem].fixes)
    choose(problem, start or AS_ASKED, proposed, **wanted)
    return True


def open_with(problem: str, shown: Experiment) -> bool:
    """From another page: let the problem's page show this; False where its controls cannot."""
    wanted = _wanted(problem, shown, _preset(problem, AS_ASKED, ()))
    if wanted is None:
        return False
    st.session_state.setdefault(problem, _from_link(problem, {}, []))
    start, fixes = leading_to(PROBLEMS[problem], shown)
    choose(problem, start or AS_ASKED, fixes, **wanted)
    return True


def _wanted(problem: str, shown: Experiment, now: dict[str, object]) -> dict[str, object] | None:
    """The settings as they are now, changed to an experiment; None where that is not possible."""
    if type(shown.data.source) is not type(PROBLEMS[problem].experiment.data.source):
        return None
    try:
        wanted = now | _own(values_of(shown))
    except ValueError:
        return None
    known = table(problem)
    fits = all(query_params.allows(known[name].kind, value) for name, value in wanted.items())
    return wanted if fits and experiment_of(problem, wanted) == shown else None


def steps(problem: str) -> tuple[Fix, ...]:
    """What leads from the question as asked to here, save changes by hand: its form, the fixes."""
    asked, start = PROBLEMS[problem], held(problem)[START]
    fixes = tuple(asked.fixes[name] for name in chosen(problem))
    if start == AS_ASKED:
        return fixes
    form = asked.variants[start]
    return (
        Fix(start, title(start), "Another form of the question.", "ours", lambda _: form),
        *fixes,
    )


def title(start: str) -> str:
    """A form of the question in words."""
    return start.replace("-", " ").capitalize()


def _own(experiment_values: dict[str, object]) -> dict[str, object]:
    """Without the settings of the runs, which are no part of an experiment."""
    return {k: v for k, v in experiment_values.items() if k not in ("runs", "seed", "target")}


def _preset(problem: str, start: str, fixes: tuple[str, ...]) -> dict[str, object]:
    asked = PROBLEMS[problem]
    form = asked.variants.get(start, asked.experiment)
    ordered = tuple(fix for name, fix in asked.fixes.items() if name in fixes)
    return values_of(apply_all(ordered, form))


def _from_link(problem: str, given: dict[str, str], refused: list[str]) -> dict[str, object]:
    """Every value that the page begins with; what is refused falls back to the preset's."""
    found = {START: AS_ASKED, FIXES: [], **query_params.checked(given, _kinds(problem), refused)}
    usual = {name: view.usual for name, view in VIEWS.items()}
    found[FIXES] = list(_last_of_each(problem, found[START], found[FIXES]))
    settings = _preset(problem, found[START], tuple(found[FIXES]))
    return settings | usual | found
