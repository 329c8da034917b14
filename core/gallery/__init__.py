"""Short cases that each show one phenomenon of training, and a change that is verified.

from core.gallery import CASES
CASES["xor"].experiment; CASES["xor"].changed

python -m core.gallery                                        # the record as a Markdown table
python -m core.gallery --out core/gallery/record.json         # train every case again
"""

from core.gallery import data, network, output, steps
from core.gallery.case import Case, Question

__all__ = ["CASES", "Case", "Question"]

CASES: dict[str, Case] = {
    case.key: case for case in (*network.CASES, *steps.CASES, *output.CASES, *data.CASES)
}
"""By key, in the order in which they are shown."""
