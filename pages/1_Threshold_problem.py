"""The threshold problem: a network does not learn whether a number is at least 50,000."""

from pages.elements import problem_page
from pages.elements.page import open_page

open_page("pages/1_Threshold_problem.py")
problem_page.draw(
    "threshold",
    "Whole numbers from 0 to 99,999; the network must tell whether a number is at least 50,000. "
    "The asker trained it once, and then again with other layers: the accuracy stayed at 50%.",
)
