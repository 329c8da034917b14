"""The edits of an `Editor` made in libcst's syntax tree. Importing this imports libcst."""

from __future__ import annotations

import re
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from core.script.edits import Editor, with_argument, with_names
from core.script.older import MODULES
from core.script.values import Span


def edited(editor: Editor) -> str:
    """The text with all edits.

    Raises:
        LookupError: If a place is not found.
        SyntaxError: If libcst cannot parse the text.
    """
    try:
        wrapper = MetadataWrapper(cst.parse_module(editor.source))
    except cst.ParserSyntaxError as error:
        raise SyntaxError(str(error)[:200]) from None
    transformer = _Transformer(editor)
    module = wrapper.visit(transformer)
    missing = transformer.wanted - transformer.found
    if missing:
        raise LookupError(f"line {min(missing).line}")
    return module.code


class _Transformer(cst.CSTTransformer):
    """Edits calls by their positions, and the statements and lists that they stand in."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, editor: Editor):
        super().__init__()
        self.editor = editor
        self.rows = editor.source.split("\n")
        places = editor.places
        self.loops = {(span.line, span.column): lines for span, lines in editor.loops.items()}
        self.created: dict[Span, list[str]] = {}
        self.removed = {places.layers[i][1] for i in editor.removed}
        self.removed_calls = {places.layers[i][0] for i in editor.removed}
        self.after: dict[Span, list[str]] = {}
        self.first: dict[Span, list[str]] = {}
        for index, layers in editor.inserted:
            codes = [editor.layer(layer) for layer in layers]
            if places.style == "class":
                codes = self._created(places.layers[max(index - 1, 0)][0], codes)
            where = 0 if places.style == "list" else 1
            if index > 0:
                self.after.setdefault(places.layers[index - 1][where], []).extend(codes)
            else:
                self.first.setdefault(places.layers[0][where], []).extend(codes)
        self.wanted = {*editor.calls, *editor.replaced, *editor.lines, *self.after, *self.first}
        self.wanted |= {*self.removed, *self.created}
        self.found: set[Span] = set()
        applied = places.style in ("functional", "class")
        self.wrapped = {*self.after, *self.first} if applied else set()
        self.statements: list[list[tuple[str, Span]]] = []

    def _created(self, span: Span, codes: list[str]) -> list[str]:
        """The names of layers that are made after another is, in the constructor of a class."""
        names = []
        for code in codes:
            used = re.findall(r"self\.added_(\d+)", self.editor.source)
            count = max(map(int, used), default=0) + sum(map(len, self.created.values())) + 1
            names.append(f"self.added_{count}")
            self.created.setdefault(span, []).append(f"{names[-1]} = {code}")
        return names

    # --- positions --------------------------------------------------------------------------------

    def span(self, node: cst.CSTNode) -> Span:
        """The span of a node, in bytes as `ast` counts them."""
        place: CodeRange = self.get_metadata(PositionProvider, node)
        start, end = place.start, place.end
        before = len(self.rows[start.line - 1][: start.column].encode())
        after = len(self.rows[end.line - 1][: end.column].encode())
        return Span(start.line, before, end.line, after)

    # --- calls ------------------------------------------------------------------------------------

    def leave_Call(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        span = self.span(original)
        if span in self.wanted:
            self.found.add(span)
            if self.statements and span not in self.wrapped:
                self.statements[-1].append(("call", span))
        if span in self.editor.replaced:
            return cst.parse_expression(self.editor.replaced[span])
        if span in self.editor.places.older:
            updated = with_names(updated, self.editor.places.older[span])
        if span in self.editor.calls:
            name = _last_name(updated.func)
            for argument, code in self.editor.calls[span].options.items():
                updated = with_argument(updated, name, argument, code)
        if span in self.wrapped:
            return self._around(span, updated)
        applied = self.editor.places.style in ("functional", "class")
        if span in self.removed and applied and updated.args:
            return updated.args[0].value
        return updated

    def _around(self, span: Span, call: cst.Call) -> cst.BaseExpression:
        """A layer that is called inside an expression, with others around or inside of it."""
        made: cst.BaseExpression = call
        for code in self.first.get(span, ()):
            inner = cst.parse_expression(code)
            given = call.args[0].with_changes(value=cst.Call(inner, [cst.Arg(call.args[0].value)]))
            made = call = call.with_changes(args=[given, *call.args[1:]])
        for code in self.after.get(span, ()):
            made = cst.Call(cst.parse_expression(code), [cst.Arg(made)])
        return made

    def leave_List(self, original: cst.List, updated: cst.List) -> cst.List:
        if self.editor.places.style != "list":
            return updated
        elements: list[Any] = []
        changed = False
        for old, new in zip(original.elements, updated.elements, strict=True):
            span = self.span(old.value)
            if span in self.removed_calls:
                self.found.add(span)
                changed = True
                continue
            for code in self.first.get(span, ()):
                elements.append(_element(code, new))
                changed = True
            elements.append(new)
            for code in self.after.get(span, ()):
                if not isinstance(new.comma, cst.Comma) and len(updated.elements) > 1:
                    elements[-1] = new.with_changes(comma=updated.elements[-2].comma)
                elements.append(_element(code, new))
                changed = True
        if not changed:
            return updated
        if elements and not isinstance(updated.elements[-1].comma, cst.Comma):
            elements[-1] = elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated.with_changes(elements=elements)

    # --- imports ---------------------------------------------------------------------------------

    def leave_ImportFrom(self, original: cst.ImportFrom, updated: cst.ImportFrom) -> cst.ImportFrom:
        if updated.module is None:
            return updated
        found = MODULES.match(cst.Module([]).code_for_node(updated.module))
        if found is None:
            return updated
        return updated.with_changes(module=cst.parse_expression(found.group(1)))

    # --- statements -------------------------------------------------------------------------------

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self.statements.append([])
        first = node.body[0]
        if isinstance(first, cst.Assign) and isinstance(first.value, cst.Call):
            # It may get statements beside it; a layer inside an expression is put around.
            self.wrapped.discard(self.span(first.value))

    def leave_SimpleStatementLine(
        self, original: cst.SimpleStatementLine, updated: cst.SimpleStatementLine
    ) -> Any:
        places = [span for _, span in self.statements.pop()]
        style = self.editor.places.style
        before: list[cst.BaseStatement] = []
        after: list[cst.BaseStatement] = []
        for span in places:
            before += [_statement(line) for line in self.editor.lines.get(span, ())]
            after += [_statement(line) for line in self.created.get(span, ())]
            if style != "list":
                before += [self._adding(original, code, True) for code in self.first.get(span, ())]
                after += [self._adding(original, code, False) for code in self.after.get(span, ())]
        gone = style == "add" and any(span in self.removed for span in places)
        if not (before or after or gone):
            return updated
        # Empty lines and comments before the statement stay before what is inserted.
        if before:
            before[0] = before[0].with_changes(leading_lines=updated.leading_lines)
            updated = updated.with_changes(leading_lines=())
        kept = [] if gone else [updated]
        return cst.FlattenSentinel([*before, *kept, *after])

    def leave_For(self, original: cst.For, updated: cst.For) -> Any:
        return self._before_loop(original, updated)

    def leave_While(self, original: cst.While, updated: cst.While) -> Any:
        return self._before_loop(original, updated)

    def _before_loop(self, original: Any, updated: Any) -> Any:
        lines = [_statement(line) for line in self.loops.get(self.span(original)[:2], ())]
        if not lines:
            return updated
        lines[0] = lines[0].with_changes(leading_lines=updated.leading_lines)
        return cst.FlattenSentinel([*lines, updated.with_changes(leading_lines=())])

    def _adding(
        self, statement: cst.SimpleStatementLine, code: str, first: bool
    ) -> cst.BaseStatement:
        """The statement that adds a layer, beside the one that adds another."""
        if self.editor.places.style == "add":
            return _statement(f"{self.editor.places.name}.add({code})")
        inner = statement.body[0]
        if not isinstance(inner, cst.Assign) or not isinstance(inner.value, cst.Call):
            raise LookupError("the layers are in one expression")
        target = cst.Module([]).code_for_node(inner.targets[0].target)
        if first:
            target = cst.Module([]).code_for_node(inner.value.args[0].value)
        return _statement(f"{target} = {code}({target})")

    def leave_Module(self, original: cst.Module, updated: cst.Module) -> cst.Module:
        imports = [_statement(line) for line in self.editor.imports]
        if not imports:
            return updated
        body = list(updated.body)
        place = 0
        for index, statement in enumerate(body):
            if isinstance(statement, cst.SimpleStatementLine):
                first = statement.body[0]
                if isinstance(first, (cst.Import, cst.ImportFrom)):
                    place = index + 1
                elif place == 0 and index == 0 and _is_text(first):
                    place = 1
        return updated.with_changes(body=[*body[:place], *imports, *body[place:]])


def _statement(line: str) -> Any:
    return cst.parse_statement(line)


def _element(code: str, like: cst.BaseElement) -> cst.Element:
    return cst.Element(cst.parse_expression(code), comma=like.comma)


def _last_name(function: cst.BaseExpression) -> str:
    if isinstance(function, cst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, cst.Name) else ""


def _is_text(node: cst.BaseSmallStatement) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString)
