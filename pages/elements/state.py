"""A problem page's settings in the session and in the URL.

The URL holds what differs from the question as asked: `start` (another form of the question),
`fixes` (keys, joined by dots) and every setting changed by hand. A session's own values come
before the URL's, which are a stranger's input: each is checked, and refused by name.
"""

from __future__ import annotations

import streamlit as st

from core.experiment import Experiment
from core.problems import PROBLEMS, apply_all
from pages.elements.settings import as_text, experiment_of, table, values_of

AS_ASKED = "as-asked"
START, FIXES = "start", "fixes"


def key(problem: str, name: str) -> str:
    """The session key of a setting, which is its widget's key too."""
    return f"{problem}.{name}"


def enter(problem: str) -> list[str]:
    """Put every setting into the session before its widget is drawn; returns what was refused.

    Streamlit forgets a widget's value while another page is shown: `leave` keeps a copy.
    """
    kept = st.session_state.get(f"kept.{problem}")
    refused: list[str] = []
    values = _from_url(problem, refused) if kept is None else kept
    for name, value in values.items():
        st.session_state.setdefault(key(problem, name), value)
        # Setting a value to itself keeps it where its widget is not drawn this time.
        st.session_state[key(problem, name)] = st.session_state[key(problem, name)]
    return refused


def leave(problem: str) -> None:
    """Keep the settings for the next visit, and write the URL where it changed."""
    names = (START, FIXES, *table(problem))
    st.session_state[f"kept.{problem}"] = {
        name: st.session_state[key(problem, name)] for name in names
    }
    parameters = {name: as_text(value) for name, value in by_hand(problem).items()}
    if chosen(problem):
        parameters = {FIXES: ".".join(chosen(problem)), **parameters}
    if st.session_state[key(problem, START)] != AS_ASKED:
        parameters = {START: st.session_state[key(problem, START)], **parameters}
    if {k: v for k, v in st.query_params.items() if k != "embed"} != parameters:
        embed = {"embed": "true"} if st.query_params.get("embed") == "true" else {}
        st.query_params.from_dict(parameters | embed)


def values(problem: str) -> dict[str, object]:
    """The settings as they stand."""
    return {name: st.session_state[key(problem, name)] for name in table(problem)}


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
    for name, value in (_preset(problem, start, fixes) | changes).items():
        st.session_state[key(problem, name)] = value


def adopt(problem: str, changed: Experiment, fix: str | None = None) -> bool:
    """Set the controls to an experiment; False where they cannot show it.

    fix: the key of the fix that led to it, which is then marked as chosen if it is proposed here.
    """
    fixes = chosen(problem)
    if fix in PROBLEMS[problem].fixes:
        fixes = (*fixes, fix)
    known, wanted = table(problem), values(problem) | _own(values_of(changed))
    try:
        for name, value in wanted.items():
            known[name].kind.parse(as_text(value))
    except ValueError:
        return False
    if experiment_of(problem, wanted) != changed:
        return False
    choose(problem, st.session_state[key(problem, START)], fixes, **wanted)
    return True


def _own(experiment_values: dict[str, object]) -> dict[str, object]:
    """Without the settings of the runs, which are no part of an experiment."""
    return {k: v for k, v in experiment_values.items() if k not in ("runs", "seed", "target")}


def follow_presets(problem: str) -> None:
    """Callback of the preset controls: apply the new choice under what was changed by hand."""
    before = st.session_state[f"kept.{problem}"]
    preset = _preset(problem, before[START], tuple(before[FIXES] or ()))
    changes = {name: before[name] for name in table(problem) if before[name] != preset[name]}
    start = st.session_state[key(problem, START)] or AS_ASKED
    choose(problem, start, chosen(problem), **changes)


def _preset(problem: str, start: str, fixes: tuple[str, ...]) -> dict[str, object]:
    asked = PROBLEMS[problem]
    form = asked.variants.get(start, asked.experiment)
    ordered = tuple(fix for name, fix in asked.fixes.items() if name in fixes)
    return values_of(apply_all(ordered, form))


def _from_url(problem: str, refused: list[str]) -> dict[str, object]:
    asked, given = PROBLEMS[problem], st.query_params.to_dict()
    given.pop("embed", None)
    start = given.pop(START, AS_ASKED)
    if start not in (AS_ASKED, *asked.variants):
        refused.append(_refusal(START, start, f"one of {', '.join((AS_ASKED, *asked.variants))}"))
        start = AS_ASKED
    fixes = [name for name in given.pop(FIXES, "").split(".") if name]
    for name in [name for name in fixes if name not in asked.fixes]:
        refused.append(_refusal(FIXES, name, f"some of {', '.join(asked.fixes)}"))
        fixes.remove(name)
    found = {START: start, FIXES: fixes, **_preset(problem, start, tuple(fixes))}
    known = table(problem)
    for name, text in given.items():
        if name not in known:
            refused.append(f"`{_quoted(name)}` in the link is no setting of this page.")
            continue
        kind = known[name].kind
        try:
            found[name] = kind.parse(text)
        except (KeyError, ValueError, OverflowError):
            refused.append(_refusal(name, text, kind.expected))
    return found


def _refusal(name: str, text: str, expected: str) -> str:
    return f"`{_quoted(name)}` is `{_quoted(text)}` in the link; it should be {expected}."


def _quoted(text: str) -> str:
    """Short, and without what Markdown would read as formatting inside backticks."""
    return "".join(c for c in text[:40] if c.isprintable() and c != "`")
