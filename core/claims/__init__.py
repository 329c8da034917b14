"""Every claim that the posts make, the test of each, and the record of what came of them.

from core.claims import CLAIMS
CLAIMS["two-blob-adam-0.1"].check(runs=256, seed=0).word    # "holds", ...

python -m core.claims > docs/claims.md         # the record as Markdown
python -m core.claims --runs 2048 --out FILE    # test every claim again and record it
"""

from core.claims import threshold, two_blob
from core.claims.claim import Claim, Verdict

__all__ = ["CLAIMS", "Claim", "Verdict"]

CLAIMS: dict[str, Claim] = {claim.key: claim for claim in (*threshold.CLAIMS, *two_blob.CLAIMS)}
"""By key; one that is added shows up everywhere, and `python -m core.claims` records it."""
