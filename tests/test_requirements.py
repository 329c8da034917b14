"""What is imported is named in requirements.txt, and what is copied is what Altair writes for."""

import ast
import re
import sys
from pathlib import Path

import altair

ROOT = Path(__file__).parent.parent
BROUGHT = {"keras": "tensorflow", "sklearn": "scikit-learn"}
"""Keras comes with TensorFlow, which says in which version; scikit-learn has two names."""


def imported() -> set[str]:
    """The packages that the app imports, other than its own and Python's."""
    files = [ROOT / "streamlit_app.py", *ROOT.glob("core/**/*.py"), *ROOT.glob("pages/**/*.py")]
    names = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module.split(".")[0])
    return names - {"core", "pages"} - set(sys.stdlib_module_names)


def test_every_package_that_is_imported_is_required_with_a_bound():
    files = [ROOT / "requirements.txt", ROOT / "requirements-cluster.txt"]
    lines = "\n".join(file.read_text() for file in files).splitlines()
    required = {re.split("[^a-z0-9-]", line)[0] for line in lines if "<" in line}
    assert {BROUGHT.get(name, name) for name in imported()} <= required


def test_the_vega_lite_of_a_report_is_that_of_altair():
    vendored = (ROOT / "pages/elements/vendor/vega-lite.min.js").read_text()
    version = re.search(r'"(\d+\.\d+)\.\d+"', vendored).group(1)
    assert version == ".".join(altair.VEGALITE_VERSION.split(".")[:2])
