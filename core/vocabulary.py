"""What can be chosen for the layers of a network, as Markdown: `python -m core.vocabulary`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.activations import ACTIVATIONS
from core.entries import KerasEntry
from core.fields import settings
from core.initialisers import INITIALISERS
from core.layers import LAYERS
from core.regularisers import REGULARISERS

NOT_COVERED = {
    "Conv1D, Conv2D, MaxPooling2D and their kin, SimpleRNN, LSTM, GRU, Embedding, attention": (
        "the layouts of a stack have one axis for rows and one for units"
    ),
    "Dense on more than two axes, Reshape, RepeatVector, TimeDistributed": "the same",
    "several inputs or outputs, Add, Concatenate": "a network is a chain of layers",
    "Lambda and layers of one's own": "their code would have to be run",
    "kernel_constraint, bias_constraint, SpectralNormalization": (
        "the nearest is a regulariser, which shrinks weights but sets no limit"
    ),
    "GroupNormalization, UnitNormalization": "the nearest is layer normalisation",
    "SpatialDropout1D to 3D": "on flat inputs they have no meaning; the nearest is Dropout",
    "OrthogonalRegularizer": "the nearest is L2",
    "activations glu, sparsemax, log_softmax, threshold, celu and other rare ones": (
        "the nearest is one of those above"
    ),
}
"""What real scripts have that cannot be trained here, and why or what is nearest."""


def tables() -> str:
    """The tables of `docs/vocabulary.md` on layers, from the registries."""
    parts = [
        _table("Layer", "layers", LAYERS),
        "Activations, by name in Dense and Activation: "
        + ", ".join(f"`{name}`" for name in ACTIVATIONS)
        + ".",
        _table("Initialiser", "initializers", INITIALISERS),
        _table("Regulariser", "regularizers", REGULARISERS),
        _rows(("Not covered", "Why, or what is nearest"), NOT_COVERED.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(title: str, module: str, entries: Mapping[str, type[KerasEntry]]) -> str:
    rows = []
    for name, kind in entries.items():
        keras = f"`{kind.keras_name}`" + (f", `{name}`" if module != "layers" else "")
        arguments = ", ".join(
            f"`{kind.keras_arguments.get(field, field)}`" for field in settings(kind)
        )
        rows.append((keras, arguments or "none", kind.help))
    return _rows((f"{title} (`keras.{module}`)", "Arguments", "What it does"), rows)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(tables(), end="")
