"""What every summary of findings must be."""

import re

from core.diagnosis import Severity


def whole(told, findings):
    """Assert that the sentences are few, whole, each with a figure, and about these findings."""
    serious = [finding for finding in findings if finding.severity is not Severity.COSMETIC]
    assert (3 if serious else 1) <= len(told) <= 5
    for sentence in told:
        assert sentence.endswith(".")
        assert sentence[0].isupper() or sentence[0].isdigit()
        assert re.search(r"\d", sentence), sentence
        assert ".." not in sentence.replace("...", "")
    fixes = [fix.title for finding in serious for fix in finding.fixes]
    if fixes:
        assert any(title in told[-1] for title in fixes)
