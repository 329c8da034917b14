"""Edits of a script by libcst: arguments of calls, layers, and lines before a statement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.entries import KerasEntry, written
from core.layers import Layer
from core.script.names import ARGUMENTS, SIGNATURES
from core.script.training import COMPILE, FIT
from core.script.values import Span

if TYPE_CHECKING:
    import libcst as cst

    from core.script.reading import Places


@dataclass
class Call:
    """New code for the arguments of a call, by Keras's names."""

    options: dict[str, str] = field(default_factory=dict)


class Editor:
    """Collects edits of a text and makes them all at once.

    Positions are those of the text before any edit.
    """

    def __init__(self, text: str, places: Places):
        self.source, self.places = text, places
        self.calls: dict[Span, Call] = {}
        self.replaced: dict[Span, str] = {}
        self.removed: list[int] = []
        self.inserted: list[tuple[int, list[Layer]]] = []
        self.lines: dict[Span, list[str]] = {}
        self.loops: dict[Span, list[str]] = {}
        self.imports: list[str] = []

    # --- what to edit -----------------------------------------------------------------------------

    def call(self, span: Span) -> Call:
        """The edit of a call's arguments."""
        return self.calls.setdefault(span, Call())

    def replace(self, span: Span, code: str) -> None:
        """Replace a call."""
        self.replaced[span] = code

    def before(self, span: Span, lines: list[str]) -> None:
        """Insert lines before the statement that holds a call."""
        self.lines.setdefault(span, []).extend(lines)

    def before_loop(self, span: Span, lines: list[str]) -> None:
        """Insert lines before a loop."""
        self.loops.setdefault(span, []).extend(lines)

    def remove_layer(self, index: int) -> None:
        """Remove a trained layer."""
        self.removed.append(index)

    def insert_layers(self, index: int, layers: list[Layer]) -> None:
        """Insert layers before the trained layer of this index."""
        self.inserted.append((index, layers))

    # --- code -------------------------------------------------------------------------------------

    def value(self, value: Any) -> str:
        """A value as code, in the quotes that the script uses."""
        if isinstance(value, str):
            quote = '"' if self.source.count('"') > self.source.count("'") else "'"
            return f"{quote}{value}{quote}"
        if isinstance(value, KerasEntry):
            return self.made(value.keras_module, value)
        return written(value)

    def made(self, module: str, entry: KerasEntry) -> str:
        """The call that makes an entry of this module of Keras."""
        name = self.home(module, entry.keras_name)
        return name + entry.script().removeprefix(entry.keras_name)

    def layer(self, layer: Layer) -> str:
        """The call that makes a layer, named as the script names its layers."""
        span = self.places.layers[0][0]
        prefix = self.prefix(span)
        if not prefix:
            self.need(f"{self.keras()}.layers", layer.keras_name)
        code = layer.script()
        return prefix + (code.replace('"', "'") if self.value("a")[0] == "'" else code)

    def prefix(self, span: Span) -> str:
        """What stands before the name of the class in a call: "layers.", or "" for a bare name."""
        found = re.match(r"[\w.]*", self.segment(span))
        return (found.group(0) if found else "").rpartition(".")[0] + "." * (
            "." in (found.group(0) if found else "")
        )

    def segment(self, span: Span) -> str:
        """The first line of a span."""
        line = self.source.split("\n")[span.line - 1]
        return line.encode()[span.column :].decode(errors="replace")

    def keras(self) -> str:
        """The module that the script imports Keras from."""
        return "tensorflow.keras" if "tensorflow" in self.source else "keras"

    def home(self, module: str, name: str) -> str:
        """How the script can name a class of Keras; it is imported if it has no name yet."""
        if re.search(
            r"^\s*(?:import keras\b(?! *\.)|from tensorflow import .*\bkeras\b)", self.source, re.M
        ):
            return f"keras.{module}.{name}"
        if re.search(r"^\s*import tensorflow as tf\b", self.source, re.M):
            return f"tf.keras.{module}.{name}"
        if re.search(rf"^\s*from (?:tensorflow\.)?keras import .*\b{module}\b", self.source, re.M):
            return f"{module}.{name}"
        self.need(f"{self.keras()}.{module}", name)
        return name

    def need(self, module: str, name: str) -> None:
        """Import a name, if the script does not."""
        if not re.search(rf"^\s*(?:from|import)\b.*\b{name}\b", self.source, re.M):
            line = f"from {module} import {name}"
            if line not in self.imports:
                self.imports.append(line)

    def numpy(self) -> str:
        """The script's name for NumPy."""
        found = re.search(r"^\s*import numpy as (\w+)", self.source, re.M)
        if found:
            return found.group(1)
        if not re.search(r"^\s*import numpy\b", self.source, re.M):
            self.imports.append("import numpy as np")
            return "np"
        return "numpy"

    # --- the text ---------------------------------------------------------------------------------

    def text(self) -> str:
        """The edited text.

        Raises:
            LookupError: If a place is not found.
        """
        # libcst takes 0.2 s to import, and only a patch needs it.
        from core.script.tree import edited

        return edited(self)


def positions(function: str) -> tuple[str, ...]:
    """The order of positional arguments of a class or method of Keras."""
    return {"fit": FIT, "compile": COMPILE, "batch": ("batch_size",)}.get(
        function, SIGNATURES.get(function, ())
    )


def spellings(name: str) -> set[str]:
    """A present name of an argument and all its older ones."""
    older = {old for each in ARGUMENTS.values() for old, new in each.items() if new == name}
    return {name, *older}


def with_names(call: cst.Call, names: Mapping[str, str]) -> cst.Call:
    """A call with other names of its arguments, {name: new name}, or without those of no name."""
    import libcst as cst

    arguments = []
    for argument in call.args:
        name = argument.keyword.value if argument.keyword else ""
        if name not in names:
            arguments.append(argument)
        elif names[name]:
            arguments.append(argument.with_changes(keyword=cst.Name(names[name])))
    if arguments and len(arguments) < len(call.args):
        arguments[-1] = arguments[-1].with_changes(comma=call.args[-1].comma)
    return call.with_changes(args=arguments)


def with_argument(call: cst.Call, function: str, name: str, code: str) -> cst.Call:
    """A call with another value for an argument.

    Raises:
        LookupError: If its arguments are a dictionary.
    """
    import libcst as cst

    value = cst.parse_expression(code)
    known, order = spellings(name), positions(function)
    position = order.index(name) if name in order else -1
    arguments = list(call.args)
    for index, argument in enumerate(arguments):
        keyword = argument.keyword.value if argument.keyword else None
        if argument.star == "**":
            raise LookupError(f"{name} may come from **")
        if keyword in known or (keyword is None and not argument.star and index == position):
            arguments[index] = argument.with_changes(value=value)
            return call.with_changes(args=arguments)
    equal = cst.AssignEqual(
        whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace("")
    )
    added = cst.Arg(value=value, keyword=cst.Name(name), equal=equal)
    if arguments and isinstance(arguments[-1].comma, cst.Comma):
        # A trailing comma: one argument a line, as those before it.
        last = arguments[-1]
        before = arguments[-2].comma if len(arguments) > 1 else cst.MaybeSentinel.DEFAULT
        space = (
            before
            if isinstance(before, cst.Comma)
            else cst.Comma(cst.SimpleWhitespace(""), cst.SimpleWhitespace(" "))
        )
        arguments[-1] = last.with_changes(comma=space)
        added = added.with_changes(comma=last.comma)
    elif len(arguments) > 1 and isinstance(arguments[-2].comma, cst.Comma):
        arguments[-1] = arguments[-1].with_changes(comma=arguments[-2].comma)
        added = added.with_changes(whitespace_after_arg=arguments[-1].whitespace_after_arg)
        arguments[-1] = arguments[-1].with_changes(whitespace_after_arg=cst.SimpleWhitespace(""))
    return call.with_changes(args=[*arguments, added])
