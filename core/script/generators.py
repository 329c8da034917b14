"""What gives `fit` its rows in batches: data sets of TensorFlow, and generators."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.script.values import (
    Array,
    Batches,
    Class,
    Dataset,
    Function,
    Instance,
    KerasCall,
    Missing,
    Span,
    Unknown,
    plain,
)

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

FOLDERS = {
    "image_dataset_from_directory": "the images of a folder",
    "text_dataset_from_directory": "the texts of a folder",
    "audio_dataset_from_directory": "the sounds of a folder",
    "timeseries_dataset_from_array": "windows of a series",
}
"""Functions of Keras that give batches, of 32 rows unless they say otherwise."""
WINDOWS = 128
"""Keras's batch size of a `TimeseriesGenerator`."""
UNCHANGED = {"rescale", "validation_split", "data_format", "dtype", "preprocessing_function"}
"""Options of an `ImageDataGenerator` that make no random changes."""


def of_folder(name: str, options: dict[str, Any], line: int) -> Batches:
    """The batches of a function of FOLDERS."""
    batch = options.get("batch_size", 32)
    return Batches(f"{FOLDERS[name]} are not here", line, batch)


def of_windows(options: dict[str, Any], line: int) -> Batches:
    """The batches of a `TimeseriesGenerator`."""
    batch = options.get("batch_size", WINDOWS)
    return Batches("the windows of a TimeseriesGenerator are not made here", line, batch)


def of_object(owner: Instance) -> Batches:
    """The batches of an object of the script's own class, as a `Sequence` of Keras is."""
    batch = next((owner.names[n] for n in ("batch_size", "batch", "bs") if n in owner.names), None)
    reason = f"the rows come from {owner.name}, a generator of the script's own"
    return Batches(reason, owner.span.line, batch if isinstance(batch, int) else None)


def generated(
    script: Evaluator,
    owner: KerasCall,
    name: str,
    arguments: list[Any],
    options: dict[str, Any],
    line: int,
) -> Any:
    """What a method of an `ImageDataGenerator` gives."""
    batch = options.get("batch_size", 32)
    if name != "flow":
        return Batches("the images of a folder are not here", line, batch)
    given = [*arguments, *(options[key] for key in ("x", "y") if key in options)]
    if len(given) > 2:
        batch = given[2]
    x, y = (*given, None, None)[:2]
    changes = [key for key in owner.options if key not in UNCHANGED]
    if changes:
        said = f"The random changes of the images are left out: {', '.join(changes)}."
        script.remarks.append((owner.span.line, said))
    scale = owner.options.get("rescale")
    if scale is not None and isinstance(x, Array):
        x = x.then("scale", lambda v: v * scale, None, line)
    return Dataset(x, y, batch, bool(options.get("shuffle", True)))


def dataset(first: Any, span: Span) -> Any:
    """What `Dataset.from_tensor_slices` gives."""
    from core.script.fitting import kept

    if isinstance(first, Unknown):
        return Dataset(first, first, span=span)
    if isinstance(first, (tuple, list)) and len(first) == 2:
        x, y = (value if isinstance(value, Array) else _array(value) for value in first)
        return Dataset(kept(x), kept(y), span=span)
    if isinstance(first, Array):
        return Dataset(first, Unknown("the data set has no labels", span.line), span=span)
    return Unknown("this data set is not understood", span.line)


def _array(value: Any) -> Any:
    try:
        return Array.of(np.asarray(plain(value)))
    except (Missing, ValueError):
        return Unknown("this data set is not understood")


def method(
    script: Evaluator, owner: Dataset, name: str, arguments: list[Any], options: dict, node: Any
) -> Any:
    """The result of a method of a `tf.data.Dataset`."""
    line = node.lineno
    if name == "batch":
        return replace(owner, batch=[*arguments, *options.values()][0], batched=Span.of(node))
    if name == "shuffle":
        return replace(owner, shuffled=True)
    if name in ("prefetch", "cache", "with_options"):
        return owner
    if name == "repeat" and not arguments:
        return owner
    if name in ("take", "skip") and owner.batch is None and arguments:
        count = int(plain(arguments[0]))
        part = slice(None, count) if name == "take" else slice(count, None)
        return replace(owner, x=_part(owner.x, part, line), y=_part(owner.y, part, line))
    if name == "map" and arguments:
        return _mapped(script, owner, arguments[0], node)
    unknown = Unknown(f".{name} of a data set is not understood", line)
    return replace(owner, x=unknown, y=unknown)


def _part(value: Any, part: slice, line: int) -> Any:
    return value.then("other", lambda v: v[part], None, line) if isinstance(value, Array) else value


def _mapped(script: Evaluator, owner: Dataset, function: Any, node: Any) -> Dataset:
    """A data set with a function of a row applied to all rows at once, if that is the same."""
    unknown = Unknown("what map does to the data set is not understood", node.lineno)
    other = replace(owner, x=unknown, y=unknown)
    if not isinstance(function, Function) or not isinstance(owner.x, Array):
        return other
    whole = script.call(function, [owner.x, owner.y], {}, node)
    rows = [
        Array.of(np.asarray(each.value[0])) if isinstance(each, Array) else each
        for each in (owner.x, owner.y)
    ]
    first = script.call(function, rows, {}, node)
    for result in (whole, first):
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            return other
    pairs = list(zip(whole, first, strict=True))
    for one, row in pairs:
        if not isinstance(one, Array) or not np.array_equal(one.value[0], plain(row)):
            return other
    return replace(owner, x=whole[0], y=whole[1])


def as_batches(value: Any) -> Any:
    """A value given to `fit` as `Batches`, if it gives batches and has no rows that are known."""
    if isinstance(value, Instance):
        return of_object(value)
    if isinstance(value, KerasCall):
        return Batches(f"the rows of {value.name} are not here", value.span.line)
    if isinstance(value, Class):
        return Batches(f"the rows come from {value.name}, which is a class", 0)
    return value
