"""Links of version 1, which describe the hidden layers by a count and one common pattern."""

from __future__ import annotations

from dataclasses import replace

from core.draft import Draft
from core.experiment import BatchNormalisation, Dense, Dropout, Model
from core.fields import Bool, Float, Int, settings
from pages.elements import query_params

MOST_HIDDEN = 4
KINDS: dict[str, query_params.Kind] = {
    "hidden": Int(0, MOST_HIDDEN),
    **{
        f"hidden{number}-{field}": setting.kind
        for number in range(1, MOST_HIDDEN + 1)
        for field, setting in settings(Dense).items()
        if not setting.added
    },
    "normalise": Bool(),
    "dropout": Float(0, 0.9),
}


def taken_over(draft: Draft, parameters: dict[str, str], refused: list[str]) -> Draft:
    """The draft with the hidden layers that a link of version 1 describes.

    Args:
        draft: To be changed.
        parameters: Of the link. Those that only version 1 has are removed, and the text of others
            is converted to the current format.
        refused: Messages; one is added for each value that is not allowed.
    """
    layer_parameters = {name: parameters.pop(name) for name in KINDS if name in parameters}
    if "labels" in parameters:
        parameters["labels"] = parameters["labels"].replace(" and ", "_")
    # Version 1 wrote these parameters even if they had no effect.
    optimizer = parameters.get("optimizer", type(draft.training.optimizer).__name__.lower())
    if optimizer not in ("sgd", "rmsprop"):
        parameters.pop("momentum", None)
    if parameters.get("same-data", "yes" if draft.data.seed is not None else "no") == "no":
        parameters.pop("data-seed", None)
    if not layer_parameters:
        return draft
    values = query_params.checked(layer_parameters, KINDS, refused)
    *hidden, output = draft.model.dense
    others = draft.model.layers
    normalised = values.get("normalise", any(isinstance(x, BatchNormalisation) for x in others))
    rates = [layer.rate for layer in others if isinstance(layer, Dropout)]
    rate = values.get("dropout", max(rates, default=0.0))
    layers = []
    for number in range(1, values.get("hidden", len(hidden)) + 1):
        layer = hidden[number - 1] if number <= len(hidden) else Dense(3, "relu")
        names = {field: f"hidden{number}-{field}" for field in settings(Dense)}
        layers.append(replace(layer, **{f: values[n] for f, n in names.items() if n in values}))
        layers += [BatchNormalisation()] * normalised + [Dropout(rate)] * bool(rate)
    return draft._replace(model=Model((*layers, output, *draft.model.after)))
