"""What the README and the documents point to exists."""

import re
from importlib import import_module
from importlib.util import find_spec

import pytest

from benchmarks.app import ROOT
from core.comparison import plan
from core.problems import PROBLEMS
from core.vocabulary import judging_tables, tables, update_tables

DOCUMENTS = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
NAMED = r"(?<![\w/.])[\w.]+(?:/[\w.]+)*/?"
"""A path as the documents write it between backquotes."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_modules_exist(path):
    text = path.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    for link in links:
        assert (path.parent / link.partition("#")[0]).exists(), link
    for module in re.findall(r"python -m ((?:core|benchmarks)[\w.]*)", text):
        name = module.rstrip(".")
        spec = find_spec(name)
        assert spec, name
        assert spec.submodule_search_locations is None or find_spec(f"{name}.__main__"), name


def test_the_map_names_what_is_there_and_leaves_no_module_out():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    quoted = re.findall(rf"`({NAMED})`", text)
    paths = [name for name in quoted if re.match(r"(core|pages|tests|benchmarks|docs)/", name)]
    assert paths
    for name in paths:
        assert (ROOT / name).exists(), name
    rooms = [*ROOT.glob("core/[!_]*.py"), *ROOT.glob("core/*/__init__.py")]
    for room in rooms:
        name = f"{room.parent.name}/" if room.name == "__init__.py" else room.name
        assert name in text, room


def test_the_readme_counts_the_rows_of_its_comparison():
    problem = PROBLEMS["threshold"]
    (rows,) = re.findall(r"compare\(.*: (\d+) rows", (ROOT / "README.md").read_text("utf-8"))
    assert int(rows) == len(plan(problem.experiment, problem.fixes))


def test_the_vocabulary_lists_what_the_registries_have():
    text = (ROOT / "docs" / "vocabulary.md").read_text("utf-8")
    for written in (tables(), update_tables(), judging_tables()):
        assert written in text, "write it again: python -m core.vocabulary"


def test_the_readme_imports_what_there_is():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    imports = re.findall(r"^from (core\S*) import (.*)$", text, flags=re.MULTILINE)
    assert imports
    for module, names in imports:
        for name in names.split(", "):
            assert hasattr(import_module(module), name), f"{module}.{name}"
