"""The session's own network as a problem like the others."""

from dataclasses import replace

import numpy as np
import pytest

from core.comparison import plan
from core.experiment import Data, Dense, Experiment, Model, Table, Training
from core.own import problem_of
from core.problems import PROBLEMS, leading_to
from core.script_diff import changes
from pages.elements import drafts, own

XOR = Experiment(
    Data(Table([[0, 0], [0, 1], [1, 0], [1, 1]], labels=[0, 1, 1, 0])),
    Model((Dense(2, "relu"), Dense(1, "sigmoid"))),
    Training(loss="binary_crossentropy", batch_size=4, epochs=30),
)


@pytest.mark.parametrize("asked", [XOR, *(each.experiment for each in PROBLEMS.values())])
def test_any_experiment_is_a_problem_with_fixes_that_change_it(asked):
    problem = problem_of(asked, own.KEY, own.TITLE)
    assert {"wider-hidden", "hidden-layer"} <= set(problem.fixes)
    assert set(problem.compared) <= set(problem.fixes)
    assert all(fix.apply(asked) != asked for fix in problem.fixes.values())
    fix = problem.fixes["wider-hidden"]
    assert leading_to(problem, fix.apply(asked)) == (None, ("wider-hidden",))


def test_fixes_that_do_not_fit_each_other_are_left_out_of_a_combination():
    asked = PROBLEMS["two-blob"].experiment
    problem = problem_of(asked, own.KEY, own.TITLE)
    everything = drafts.applied(tuple(problem.fixes.values()), asked)
    assert everything.experiment() != asked
    assert changes(asked, problem.fixes.values())
    compared = {key: problem.fixes[key] for key in problem.compared}
    assert set(plan(asked, compared)) >= {(), *((key,) for key in compared)}


def test_a_link_carries_a_short_experiment_and_refuses_a_bomb():
    assert Experiment.from_json(own.unpacked(own.packed(XOR.to_json()))) == XOR
    rows = np.random.default_rng(0).normal(size=(2_000, 8))
    long = replace(XOR, data=Data(Table(rows, labels=(rows[:, 0] > 0).astype(int))))
    assert own.packed(long.to_json()) is None
    bomb = own.packed("0" * (own.MOST_UNPACKED + 1))
    for text in (bomb, bomb[:50], "no base64!", "A" * (own.MOST_PACKED + 1)):
        with pytest.raises(ValueError, match=r"too long|not packed"):
            own.unpacked(text)
