"""`argparse` as a script uses it: without arguments, every option has its default."""

from __future__ import annotations

import ast
from typing import Any

from core.script.values import Class, Instance, Parser, Span, Unknown


def parser(node: ast.Call) -> Parser:
    """A parser without options."""
    return Parser(Span.of(node))


def method(owner: Parser, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    """The result of a method of a parser."""
    if name in ("parse_args", "parse_known_args"):
        names = dict(owner.defaults)
        made = Instance("Namespace", [], {}, owner.span, kind=Class("Namespace", {}), names=names)
        return made if name == "parse_args" else (made, [])
    if name == "set_defaults":
        owner.defaults.update(options)
    if name == "add_argument":
        flags = [each for each in arguments if isinstance(each, str)]
        chosen = next((flag for flag in flags if flag.startswith("--")), flags[0] if flags else "")
        key = options.get("dest") or chosen.lstrip("-").replace("-", "_")
        owner.defaults[key] = _default(key, chosen, options)
    return owner if name == "add_argument_group" else None


def _default(key: str, flag: str, options: dict[str, Any]) -> Any:
    if "default" in options:
        return options["default"]
    action = options.get("action")
    if action in ("store_true", "store_false"):
        return action == "store_false"
    if flag.startswith("-") and not options.get("required"):
        return None
    return Unknown(f"the argument {key} is given when the script is started")
