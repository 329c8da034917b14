"""What links of version 1 wrote in another way: hidden layers, of a count and one pattern."""

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
    },
    "normalise": Bool(),
    "dropout": Float(0, 0.9),
}


def taken_over(draft: Draft, given: dict[str, str], refused: list[str]) -> Draft:
    """The draft with the layers that a link describes in this way, whose parameters leave `given`.

    What is wrong in it is added to `refused`.
    """
    own = {name: given.pop(name) for name in KINDS if name in given}
    if "labels" in given:
        given["labels"] = given["labels"].replace(" and ", "_")
    # They were written whether or not they had an effect.
    optimizer = given.get("optimizer", type(draft.training.optimizer).__name__.lower())
    if optimizer != "sgd":
        given.pop("momentum", None)
    if given.get("same-data", "yes" if draft.data.seed is not None else "no") == "no":
        given.pop("data-seed", None)
    if not own:
        return draft
    values = query_params.checked(own, KINDS, refused)
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
    return draft._replace(model=Model((*layers, output)))
