"""The two posts that the problems and most of the claims come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Post:
    """A question on a site, with its answers and comments.

    Attributes:
        title: Of the question.
        site: On which it was asked.
        year: In which it was asked.
        url: Of the question, or of a search for its title if its number is not known.
    """

    title: str
    site: str
    year: int
    url: str

    def __str__(self) -> str:
        return f"{self.title}, {self.site}, {self.year}"

    @property
    def markdown(self) -> str:
        """The title as a link, the site and the year."""
        return f"[{self.title}]({self.url}), {self.site}, {self.year}"


POSTS: dict[str, Post] = {
    "threshold": Post(
        "Why does accuracy remain the same",
        "Data Science Stack Exchange",
        2019,
        "https://datascience.stackexchange.com/questions/59001",
    ),
    "two-blob": Post(
        "Neural net fails on toy dataset",
        "Stack Overflow",
        2018,
        "https://stackoverflow.com/search?q=%22Neural+net+fails+on+toy+dataset%22",
    ),
}
"""The posts by the key of the problem that they ask about."""
