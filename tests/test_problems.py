"""What leads from a question to an experiment."""

from itertools import combinations, islice

import pytest

from core.fixes import apply_all, with_data, with_training
from core.problems import PROBLEMS, leading_to


@pytest.mark.parametrize("key", PROBLEMS)
def test_every_set_of_fixes_is_found_again(key):
    problem = PROBLEMS[key]
    for start, form in {None: problem.experiment, **problem.variants}.items():
        for many in range(3):
            # Every other one of the pairs, of which there are many.
            for chosen in islice(combinations(problem.fixes, many), 0, None, max(many, 1)):
                experiment = apply_all(tuple(problem.fixes[name] for name in chosen), form)
                found, fixes = leading_to(problem, experiment)
                assert len(fixes) <= many + (found != start)
                base = problem.variants.get(found, problem.experiment)
                assert apply_all(tuple(problem.fixes[f] for f in fixes), base) == experiment


def test_what_no_fix_gives_is_left_to_be_changed_by_hand():
    problem = PROBLEMS["threshold"]
    fixes = ("sigmoid-output", "scale-inputs")
    fixed = apply_all(tuple(problem.fixes[name] for name in fixes), problem.experiment)
    assert leading_to(problem, with_training(epochs=5)(fixed)) == (None, fixes)
    assert leading_to(problem, with_data(hold_out=0.3)(fixed)) == (None, fixes)
    assert leading_to(problem, with_training(epochs=5)(problem.experiment)) == (None, ())


def test_another_form_of_the_question_is_found():
    problem = PROBLEMS["two-blob"]
    ((name, form),) = problem.variants.items()
    assert leading_to(problem, with_training(epochs=7)(form)) == (name, ())
    longer = problem.fixes["more-epochs"].apply(form)
    assert leading_to(problem, longer) == (name, ("more-epochs",))
