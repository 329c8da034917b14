"""The smallest edit of a script that turns one experiment into another.

    patch(source, before, after)    # the script, with every comment and space that is not edited

Edits are made in the syntax tree of libcst, which keeps the text as it is. Arguments and modules of
layers that Keras 3 has by other names get those. The patched script is read again: it has to give
the experiment that was asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import fields
from difflib import SequenceMatcher, unified_diff
from typing import Any

import numpy as np

from core.data import prepare
from core.experiment import Experiment, Model, Training
from core.layers import Layer
from core.losses import LOSSES
from core.script.edits import Call, Editor
from core.script.loops import repeated
from core.script.preparing import prepare_rows
from core.script.reading import Reading, Upload, read
from core.script.values import Span


class CannotPatch(ValueError):
    """The script has no place for an edit; the message says which."""


def patch(
    source: str,
    before: Experiment,
    after: Experiment,
    *,
    table: Upload | None = None,
    answers: Mapping[str, Any] | None = None,
) -> str:
    """The script with the smallest edit that turns one experiment into the other.

    Args:
        source: A script, as it is given to `read`.
        before: What it trains.
        after: What it should train.
        table: As for `read`.
        answers: As for `read`.

    Returns:
        The patched text: of the script or, where that does not parse, of its normalised form.

    Raises:
        CannotPatch: If the script has no place for the edit, or does not read back as `after`.
    """
    if before == after:
        return source
    reading = read(source, table, answers)
    patched = _patched(reading, before, after)
    again = read(patched, table, answers)
    if reading.model is None or again.model != after.model or again.training != after.training:
        raise CannotPatch("the patched script does not read back as the changed network")
    known = not (reading.stand_in and again.stand_in) or before.data == after.data
    if again.experiment is not None and known and not same_rows(again.experiment, after):
        raise CannotPatch("lines before the training would not change the rows that it uses")
    return patched


def mended(
    source: str, table: Upload | None = None, answers: Mapping[str, Any] | None = None
) -> str:
    """The script with the smallest edit after which Keras takes what it refuses.

    Args:
        source, table, answers: As for `read`.

    Returns:
        The patched text, as of `patch`; its reading has an experiment.

    Raises:
        CannotPatch: If no such edit is known.
    """
    reading = read(source, table, answers)
    editor = Editor(reading.text, reading.places)
    if loss := reading.remedy.get("loss"):
        _set(editor.call(_compile(editor)), "loss", editor.value(loss))
    elif inputs := reading.remedy.get("inputs"):
        span = reading.places.layers[0][0]
        for name, code in (("input_dim", f"{inputs}"), ("input_shape", f"({inputs},)")):
            if re.search(rf"\b{name}\s*=", editor.segment(span)):
                _set(editor.call(span), name, code)
    text = _text(editor) if editor.calls else ""
    if not text or read(text, table, answers).experiment is None:
        raise CannotPatch("no edit is known with which Keras takes it")
    return text


def unified(before: str, after: str) -> str:
    """The difference of two texts as a unified diff, which `git apply` and `patch` take."""
    lines = unified_diff(
        before.splitlines(), after.splitlines(), "a/script.py", "b/script.py", n=2, lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def same_rows(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments train on the same numbers."""
    first, second = prepare(one.data, 0, 0), prepare(other.data, 0, 0)
    pairs = (
        (getattr(first, n), getattr(second, n)) for n in ("x", "y", "held_out_x", "held_out_y")
    )
    at_random = any(
        data.shuffling == "permutation" or (data.hold_out and data.held_out == "random")
        for data in (one.data, other.data)
    )
    if at_random:
        return first.x.shape == second.x.shape and first.held_out_x.shape == second.held_out_x.shape
    return all(a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in pairs)


def _patched(reading: Reading, before: Experiment, after: Experiment) -> str:
    editor = Editor(reading.text, reading.places)
    _layers(editor, before.model, after.model)
    _training(editor, before.training, after)
    if before.data != after.data:
        if reading.places.fit is None:
            raise CannotPatch("the script has no fit")
        if reading.places.head:
            raise CannotPatch("the rows are a stand-in for what the layers before give")
        held_out = prepare_rows(editor, before.data, after.data)
        if held_out:
            if reading.places.looped:
                raise CannotPatch("a loop of single updates has no place for held-out rows")
            editor.call(reading.places.fit).options["validation_data"] = held_out
    return _text(editor)


def _text(editor: Editor) -> str:
    """The edited text."""
    try:
        text = editor.text()
        ast.parse(text)
    except (SyntaxError, LookupError) as error:
        raise CannotPatch(f"the edit has no place: {error}") from None
    return text


# --- layers ---------------------------------------------------------------------------------------


def _layers(editor: Editor, before: Model, after: Model) -> None:
    old, new = before.layers, after.layers
    if len(editor.places.layers) != len(old):
        raise CannotPatch("the layers of the script are not those of the experiment")
    if len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            _change(editor, index, one, other)
        return
    matched = SequenceMatcher(None, [_key(x) for x in old], [_key(x) for x in new], autojunk=False)
    for kind, i, j, k, m in matched.get_opcodes():
        shared = min(j - i, m - k) if kind in ("equal", "replace") else 0
        for index in range(shared):
            _change(editor, i + index, old[i + index], new[k + index])
        for index in range(i + shared, j):
            editor.remove_layer(index)
        if m > k + shared:
            editor.insert_layers(i + shared, list(new[k + shared : m]))


def _key(layer: Layer) -> str:
    return type(layer).__name__


def _change(editor: Editor, index: int, old: Layer, new: Layer) -> None:
    if old == new:
        return
    span, _ = editor.places.layers[index]
    if type(old) is not type(new):
        editor.replace(span, editor.layer(new))
        return
    for each in fields(old):  # type: ignore[arg-type]
        value = getattr(new, each.name)
        if value == getattr(old, each.name):
            continue
        name = type(new).keras_arguments.get(each.name, each.name)
        _set(editor.call(span), name, editor.value(value))


def _set(call: Call, name: str, code: str) -> None:
    """Set an argument; layers that one call makes have to agree."""
    if call.options.setdefault(name, code) != code:
        raise CannotPatch(f"one line makes several layers, which would differ in {name}")


# --- training -------------------------------------------------------------------------------------


def _training(editor: Editor, before: Training, changed: Experiment) -> None:
    after = changed.training
    for each in fields(Training):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if old == new:
            continue
        if each.name == "optimizer":
            _optimizer(editor, old, new)
        elif each.name in ("loss", "from_logits", "label_smoothing"):
            _loss(editor, after)
        elif each.name == "metrics":
            code = ", ".join(editor.value(name) for name in new)
            _set(editor.call(_compile(editor)), "metrics", f"[{code}]")
        elif editor.places.fit is None:
            raise CannotPatch("the script has no fit")
        else:
            if each.name == "batch_size" and editor.places.batch is not None:
                _set(editor.call(editor.places.batch), each.name, editor.value(new))
                continue
            if each.name == "epochs" and (editor.places.fits > 1 or editor.places.looped):
                if editor.places.looped or new % editor.places.fits:
                    _repeat(editor, old, new)
                    continue
                new //= editor.places.fits
            elif editor.places.looped:
                raise CannotPatch(f"a loop of single updates has no place for {each.name}")
            code = _fit_value(editor, each.name, new, changed.data.targets)
            _set(editor.call(editor.places.fit), each.name, code)


def _repeat(editor: Editor, old: int, new: int) -> None:
    """Let the loop around `fit` run so often that there are so many epochs."""
    assert editor.places.rows is not None, "only what is fitted has epochs"
    found = repeated(editor.source, editor.places.fit or editor.places.rows)
    if found is not None and not found.times:
        # Where it runs once an epoch; what is read back decides.
        editor.replace(found.span, f"range({new})")
        return
    if found is None or new * found.times % old:
        raise CannotPatch("fit runs in a loop that does not divide the epochs")
    editor.replace(found.span, f"range({new * found.times // old})")


def _fit_value(editor: Editor, name: str, value: Any, labels: tuple[float, ...]) -> str:
    """The code of an argument of `fit`."""
    if name == "class_weight":
        weights = zip(labels, value, strict=False)
        pairs = ", ".join(f"{int(label)}: {editor.value(weight)}" for label, weight in weights)
        return f"{{{pairs}}}" if value else "None"
    if name == "callbacks":
        calls = (editor.made("callbacks", callback) for callback in value)
        return f"[{', '.join(calls)}]" if value else "None"
    return editor.value(value)


def _compile(editor: Editor) -> Span:
    if editor.places.compile is None:
        raise CannotPatch("the script has no compile")
    return editor.places.compile


def _loss(editor: Editor, after: Training) -> None:
    code = editor.value(after.loss)
    if after.loss_options:
        options = (f"{name}={editor.value(v)}" for name, v in after.loss_options.items())
        name = editor.home("losses", LOSSES[after.loss].keras_class)
        code = f"{name}({', '.join(options)})"
    _set(editor.call(_compile(editor)), "loss", code)


def _optimizer(editor: Editor, old: Any, new: Any) -> None:
    made = editor.places.optimizer
    if made is not None and type(old) is type(new):
        for name, code in _options(editor, old, new).items():
            _set(editor.call(made), name, code)
        return
    options = _options(editor, type(new)(), new)
    code = editor.value(new.keras_name.lower())
    if options:
        arguments = ", ".join(f"{name}={value}" for name, value in options.items())
        code = f"{editor.home('optimizers', new.keras_name)}({arguments})"
    _set(editor.call(_compile(editor)), "optimizer", code)


def _decays(editor: Editor) -> bool:
    """Whether the script's optimizer has a `decay`, which stays as it is."""
    span = editor.places.optimizer
    return span is not None and re.search(r"\bdecay\s*=", editor.segment(span)) is not None


def _options(editor: Editor, old: Any, new: Any) -> dict[str, str]:
    """The code of the arguments in which an optimizer differs from another of its class."""
    options = {}
    for each in fields(new):
        value = getattr(new, each.name)
        if value == getattr(old, each.name):
            continue
        name = type(new).keras_arguments.get(each.name, each.name)
        if each.name == "learning_rate" and old.schedule == new.schedule and _decays(editor):
            options[each.name] = editor.value(value)
        elif each.name in ("learning_rate", "schedule") and new.schedule is not None:
            arguments = ", ".join(new.schedule.script_arguments(new.learning_rate))
            kind = editor.home("optimizers.schedules", new.schedule.keras_name)
            options["learning_rate"] = f"{kind}({arguments})"
        elif each.name == "schedule":
            options["learning_rate"] = editor.value(new.learning_rate)
        else:
            options[name] = editor.value(value)
    return options
