"""What the diagnosis says of networks with several faults at once, whatever they are."""

from itertools import islice, permutations

import numpy as np
import pytest

from benchmarks.diagnosis.cases import edited
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.tables import drawn
from core.diagnosis import diagnose, verdict
from core.diagnosis.combining import as_many_as_fit, combined, with_fix
from core.diagnosis.search import suggested
from core.engine.grouping import sizes
from support.diagnosis import history


@pytest.mark.parametrize("seed", range(8))
def test_every_combination_of_faults_is_diagnosed_and_its_fixes_fit(seed):
    rng = np.random.default_rng(seed)
    small = (each.experiment for each in drawn(seed) if sizes(each.experiment)[0] < 2_000)
    for experiment in islice(small, 0, 5, 4):
        for place in rng.choice(len(FAULTS), 4, replace=False):
            experiment = edited(experiment, (FAULTS[place],)) or experiment
        scores = (0.5, rng.uniform(size=(10, 4)), np.nan, 1.0)
        losses = (0.7, rng.uniform(size=(10, 4)), np.nan, 1e-3)
        ends = [history(experiment, *figures) for figures in zip(scores, losses, strict=True)]
        for end in (None, *ends):
            findings = diagnose(experiment, end)
            assert verdict(findings, end)
            assert all(found.evidence and found.cause for found in findings)
            advised = [fix for fix, _ in suggested(findings, None)]
            assert all(fix.apply(experiment) != experiment for fix in advised)
            assert len(as_many_as_fit(experiment, [], advised)) >= min(len(advised), 1)
            for first, second in permutations(advised, 2):
                together = with_fix(experiment, [first], second)
                assert together is None or combined(experiment, together)
