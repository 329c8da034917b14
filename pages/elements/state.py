"""A problem page's settings in the session and in the URL.

The URL holds what differs from the question as asked: `start` (another form of the question),
`fixes` (keys, joined by dots), every setting changed by hand, and what of the results is looked at.
A session's own values come before the URL's.
"""

from __future__ import annotations

import streamlit as st

from core.experiment import Experiment
from core.problems import PROBLEMS, Fix, apply_all, leading_to
from pages.elements import link
from pages.elements.link import as_text
from pages.elements.settings import VIEWS, Choice, Keys, experiment_of, table, values_of

AS_ASKED = "as-asked"
START, FIXES = "start", "fixes"
APPLIED = "applied"
"""The form and the fixes that the settings follow; the controls may be a step ahead."""


def key(problem: str, name: str) -> str:
    """The session key of a setting, which is its widget's key too."""
    return f"{problem}.{name}"


def enter(problem: str) -> list[str]:
    """Put every setting into the session before its widget is drawn; returns what was refused.

    Streamlit forgets a widget's value while another page is shown: `leave` keeps a copy.
    """
    kept = st.session_state.get(f"kept.{problem}")
    refused: list[str] = []
    if kept is None:
        given, refused = link.read()
        kept = _from_link(problem, given, refused)
    link.hold(problem, kept, _kinds(problem))
    st.session_state.setdefault(key(problem, APPLIED), (kept[START], chosen(problem)))
    return refused


def _kinds(problem: str) -> dict[str, link.Kind]:
    """What each control of this page can have."""
    asked = PROBLEMS[problem]
    return {
        START: Choice((AS_ASKED, *asked.variants)),
        FIXES: Keys(tuple(asked.fixes)),
        **{name: setting.kind for name, setting in {**table(problem), **VIEWS}.items()},
    }


def leave(problem: str) -> None:
    """Keep the settings for the next visit, and write the URL where it changed."""
    names = (START, FIXES, *table(problem), *VIEWS)
    st.session_state[f"kept.{problem}"] = {
        name: st.session_state[key(problem, name)] for name in names
    }
    link.write(parameters(problem))


def parameters(problem: str) -> dict[str, str]:
    """What the URL says of this page: no more than what differs from the question as asked."""
    found: dict[str, object] = {}
    if (start := st.session_state[key(problem, START)]) != AS_ASKED:
        found[START] = start
    if chosen(problem):
        found[FIXES] = chosen(problem)
    views = {name: view(problem, name) for name in VIEWS}
    found |= by_hand(problem) | {n: v for n, v in views.items() if v != VIEWS[n].usual}
    return {name: as_text(value) for name, value in found.items()}


def values(problem: str) -> dict[str, object]:
    """The settings as they stand."""
    return {name: st.session_state[key(problem, name)] for name in table(problem)}


def view(problem: str, name: str) -> object:
    """What of the results is looked at."""
    return st.session_state[key(problem, name)]


def experiment(problem: str) -> Experiment:
    """What the settings describe. Raises InvalidExperiment."""
    return experiment_of(problem, values(problem))


def chosen(problem: str) -> tuple[str, ...]:
    """Keys of the chosen fixes, in the order in which they are applied."""
    picked = st.session_state[key(problem, FIXES)] or []
    return tuple(name for name in PROBLEMS[problem].fixes if name in picked)


def by_hand(problem: str) -> dict[str, object]:
    """The settings that neither the question nor a chosen fix gives."""
    preset = _preset(problem, st.session_state[key(problem, START)], chosen(problem))
    return {name: value for name, value in values(problem).items() if value != preset[name]}


def choose(problem: str, start: str, fixes: tuple[str, ...], **changes: object) -> None:
    """Begin from this form of the question with these fixes, and change these settings by hand."""
    st.session_state[key(problem, START)] = start
    st.session_state[key(problem, FIXES)] = list(fixes)
    st.session_state[key(problem, APPLIED)] = start, fixes
    for name, value in (_preset(problem, start, fixes) | changes).items():
        st.session_state[key(problem, name)] = value


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
        start = st.session_state[key(problem, START)]
        proposed = tuple(fix for fix in fixes if fix in PROBLEMS[problem].fixes)
    choose(problem, start or AS_ASKED, proposed, **wanted)
    return True


def open_with(problem: str, shown: Experiment) -> bool:
    """From another page: let the problem's page show this; False where its controls cannot."""
    wanted = _wanted(problem, shown, _preset(problem, AS_ASKED, ()))
    if wanted is None:
        return False
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
    fits = all(link.allows(known[name].kind, value) for name, value in wanted.items())
    return wanted if fits and experiment_of(problem, wanted) == shown else None


def steps(problem: str) -> tuple[Fix, ...]:
    """What leads from the question as asked to here, save changes by hand: its form, the fixes."""
    asked, start = PROBLEMS[problem], st.session_state[key(problem, START)]
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


def follow_presets(problem: str) -> None:
    """Callback of the preset controls: apply the new choice under what was changed by hand."""
    # Not from what `leave` kept: a setting may have changed since, in a script run that this one
    # cut short.
    preset = _preset(problem, *st.session_state[key(problem, APPLIED)])
    changes = {name: v for name, v in values(problem).items() if v != preset[name]}
    start = st.session_state[key(problem, START)] or AS_ASKED
    choose(problem, start, chosen(problem), **changes)


def _preset(problem: str, start: str, fixes: tuple[str, ...]) -> dict[str, object]:
    asked = PROBLEMS[problem]
    form = asked.variants.get(start, asked.experiment)
    ordered = tuple(fix for name, fix in asked.fixes.items() if name in fixes)
    return values_of(apply_all(ordered, form))


def _from_link(problem: str, given: dict[str, str], refused: list[str]) -> dict[str, object]:
    """Every value that the page begins with; what is refused falls back to the preset's."""
    found = {START: AS_ASKED, FIXES: [], **link.checked(given, _kinds(problem), refused)}
    usual = {name: view.usual for name, view in VIEWS.items()}
    settings = _preset(problem, found[START], tuple(found[FIXES]))
    return settings | usual | found
