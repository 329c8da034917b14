"""The two-blob problem: two clusters that a straight line separates, and an accuracy of 50%."""

from pages.elements import problem_page
from pages.elements.page import open_page

open_page("pages/2_Two_blob_problem.py")
problem_page.draw(
    "two-blob",
    "Two clusters that a straight line separates, two hidden units, two outputs. The asker saw "
    "50% for about 70 epochs, and 100% only after about a hundred.",
)
