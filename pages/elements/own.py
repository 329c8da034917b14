"""The session's own network, which is a problem like the others on the page for it.

It comes from a script, from an uploaded file or from another page. A link carries it where it is
short; a table stays behind.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import streamlit as st

from core.experiment import Experiment
from core.own import problem_of
from core.problems import PROBLEMS, Problem

KEY, TITLE = "own", "Your network"
PATH = "pages/5_Your_network.py"
NETWORK = "network"
"""The parameter of a link that carries an experiment."""
MOST_PACKED = 6_000
"""Characters of a parameter; browsers and chats cut longer links."""
MOST_UNPACKED = 200_000
PASTE, READ = "own.paste", "own.reading"
"""The session's keys of what its page was given, and of its reading."""
PARAMETERS = ("script", "answers", "stayed", NETWORK)
"""Those of a link that restore a network, besides the settings that are changed."""
_HELD = "own.held"


@dataclass(frozen=True)
class Own:
    """A session's own network.

    Attributes:
        problem: With its experiment and fixes.
        origin: Where it comes from, as a sentence; "" for a script on the page.
        link: The parameters that restore it.
        left_behind: What a link cannot carry, in words; "" for nothing.
    """

    problem: Problem
    origin: str = ""
    link: Mapping[str, str] = field(default_factory=dict)
    left_behind: str = ""


def held() -> Own | None:
    """The session's own network; None before there is one."""
    return st.session_state.get(_HELD)


def hold(
    experiment: Experiment,
    origin: str = "",
    link: Mapping[str, str] | None = None,
    left_behind: str = "",
) -> None:
    """Make an experiment the session's own network.

    Args:
        experiment: The network, its data and training.
        origin: Where it comes from, as a sentence.
        link: The parameters that restore it; None for the experiment itself, where it is short,
            which takes the place of what was pasted.
        left_behind: What they leave out, in words.
    """
    if link is None:
        st.session_state[PASTE] = None
        packed_ = packed(experiment.to_json())
        link = {} if packed_ is None else {NETWORK: packed_}
        left_behind = "" if packed_ else "the network and its rows, which are too long for it"
    problem = problem_of(experiment, KEY, TITLE)
    st.session_state[_HELD] = Own(problem, origin, link, left_behind)


def problems() -> Mapping[str, Problem]:
    """The problems by key, the session's own among them where there is one."""
    own = held()
    return PROBLEMS if own is None else {**PROBLEMS, KEY: own.problem}


def problem(key: str) -> Problem:
    """The problem with this key.

    Raises:
        KeyError: If there is none, such as the session's own before there is one.
    """
    return problems()[key]


def unchanged(key: str) -> str:
    """What a problem's experiment is called before anything is changed."""
    return "As is" if key == KEY else "As asked"


def name_of(experiment: Experiment, among: Iterable[str]) -> str:
    """What an experiment without changes is called: as in the first problem that begins with it.

    Args:
        experiment: That a comparison or a script begins with.
        among: The problems' keys; if none has it, it is an earlier network of one's own.
    """
    of = (key for key in among if problem(key).experiment == experiment)
    return unchanged(next(of, KEY))


def described(key: str) -> str:
    """A problem as other viewers read it in the queue."""
    return f"the {PROBLEMS[key].title.lower()}" if key in PROBLEMS else "another network"


def parameters(key: str) -> dict[str, str]:
    """The parameters of a link that restore a problem; {} for one that every session has."""
    own = held()
    return dict(own.link) if own is not None and key == KEY else {}


def packed(text: str) -> str | None:
    """A text for a link; None if it is too long."""
    made = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    return made if len(made) <= MOST_PACKED else None


def unpacked(text: str) -> str:
    """The text that `packed` made.

    Raises:
        ValueError: If it is none, or is too long.
    """
    if len(text) > MOST_PACKED:
        raise ValueError("too long")
    try:
        made = zlib.decompressobj()
        content = made.decompress(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), MOST_UNPACKED
        )
        if not made.eof:
            raise ValueError("too long")
        return content.decode()
    except (binascii.Error, zlib.error) as error:
        raise ValueError("not packed") from error
