"""A visitor without a browser: Streamlit's own websocket protocol, spoken as a browser would.

    with Session("http://127.0.0.1:8501") as visitor:
        visitor.open("Threshold_problem", "epochs=3&runs=16")
        visitor.press("threshold-train")
        visitor.watch(lambda: "stException" in visitor.kinds, seconds=30)

It does one thing at a time: every action waits until the script has run, and says how long that
took. Widgets go by their key. What a browser would hold of a widget is sent with every action.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NumberInput_pb2 import NumberInput
from streamlit.proto.RootContainer_pb2 import RootContainer
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

PATIENCE = 60.0
"""Seconds without the end of a script after which it counts as hanging."""
OPENED = {"popover": "open", "expandable": "expanded"}
"""The field of containers which say whether they are open, where the page asks for it."""


class Session:
    """One visitor; `with` closes the connection, as closing the tab does.

    Attributes:
        elements: what the page shows, by its path: the kind of the element, its proto, its
            fragment's id.
        query: the page's part of the address bar.
        painted: seconds from the last action until the first element of the page itself had come,
            the sidebar's aside; None where none came.
    """

    def __init__(self, address: str, patience: float = PATIENCE):
        self.elements: dict[tuple[int, ...], tuple[str, Message, str]] = {}
        self.query = ""
        self.painted: float | None = None
        self._started = 0.0
        self._patience = patience
        self._states: dict[str, WidgetState] = {}
        self._pages: dict[str, str] = {}
        self._page = self._page_name = ""
        self._repeats: dict[str, float] = {}
        self._drawn: set[tuple[int, ...]] = set()
        stream = address.replace("http", "ws", 1) + "/_stcore/stream"
        # The largest message is a chart's data; what is measured is the server, not this limit.
        self._socket = connect(
            stream, subprotocols=["streamlit"], max_size=None, open_timeout=patience
        ).__enter__()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    # --- what a visitor does; each returns seconds until the script had run -----------------------

    def open(self, page: str = "", query: str = "") -> float:
        """Open the address of a page: its name in the URL, and what follows the question mark."""
        self.query, self._page, self._page_name = query, "", page
        return self._run()

    def go_to(self, page: str) -> float:
        """Follow a link of the sidebar; `page` is its name in the URL."""
        self.query, self._page, self._page_name = "", self._pages[page], ""
        self._states.clear()
        return self._run()

    def change(self, key: str, value: Any) -> float:
        """Set a control to a value of the kind that its browser element sends."""
        return self._run(fragment=self.hold(key, value))

    def hold(self, key: str, value: Any) -> str:
        """Set a control without sending it before the next action; its fragment's id."""
        kind, widget, fragment = self._find(key)
        self._states[widget.id] = state(widget.id, field(kind, widget), value)
        return fragment

    def press(self, key: str) -> float:
        """Press a button, whether or not it is enabled."""
        _, widget, fragment = self._find(key)
        return self._run([state(widget.id, "trigger_value", True)], fragment)

    def send(self, *states: WidgetState) -> float:
        """Say anything at all about widgets, once, in the stead of what the page holds of them."""
        return self._run(states)

    def watch(self, done: Callable[[], bool], seconds: float) -> list[float]:
        """Run the page's fragments again as often as they ask, until `done` or out of time.

        Returns how long each took. Whether it is done is for the caller to look at.
        """
        took, end = [], time.monotonic() + seconds
        while not done() and (left := end - time.monotonic()) > 0:
            if not self._repeats:
                return took
            fragment, interval = min(self._repeats.items(), key=lambda item: item[1])
            time.sleep(min(interval, left))
            took.append(self._run(fragment=fragment, by_itself=True))
        return took

    # --- what a visitor sees ----------------------------------------------------------------------

    def widget(self, key: str) -> Message:
        """The proto of the widget with this key. Raises KeyError."""
        return self._find(key)[1]

    def value(self, key: str) -> Any:
        """What a browser holds of a control now."""
        held = self._states[self.widget(key).id]
        value = getattr(held, held.WhichOneof("value"))
        return list(value.data) if hasattr(value, "data") else value

    @property
    def keys(self) -> dict[str, str]:
        """The kind of every widget that has a key, by its key."""
        return {_key(p.id): kind for kind, p, _ in self.elements.values() if _key(_id(p))}

    def of(self, kind: str) -> Iterator[Message]:
        """Every element of a kind, such as "alert", "heading" or "exception"."""
        return (proto for its, proto, _ in self.elements.values() if its == kind)

    @property
    def exceptions(self) -> list[str]:
        return [f"{proto.type}: {proto.message}" for proto in self.of("exception")]

    # --- the protocol -----------------------------------------------------------------------------

    def _find(self, key: str) -> tuple[str, Message, str]:
        for element in self.elements.values():
            if _key(_id(element[1])) == key:
                return element
        raise KeyError(key)

    def _run(
        self, once: Iterable[WidgetState] = (), fragment: str = "", by_itself: bool = False
    ) -> float:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.page_script_hash = self.query, self._page
        rerun.page_name, rerun.fragment_id = self._page_name, fragment
        rerun.is_auto_rerun = by_itself
        states = self._states | {given.id: given for given in once}
        rerun.widget_states.widgets.extend(states.values())
        self._started, self.painted = time.monotonic(), None
        self._socket.send(message.SerializeToString())
        while not self._hear(self._started + self._patience - time.monotonic()):
            pass
        return time.monotonic() - self._started

    def _hear(self, left: float) -> bool:
        """Take in one message; whether it says that the script has run to its end."""
        message = ForwardMsg()
        message.ParseFromString(self._socket.recv(timeout=max(0.0, left)))
        kind, run = message.WhichOneof("type"), message.metadata.run
        if kind == "new_session":
            self._drawn = set()
            if not run.fragment_ids:
                self._repeats = {}
        elif kind == "navigation":
            self._page, self._page_name = message.navigation.page_script_hash, ""
            self._pages = {
                "" if page.is_default else page.url_pathname: page.page_script_hash
                for page in message.navigation.app_pages
            }
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._repeats[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message.delta)
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return False
            self._clear(set(run.fragment_ids))
            return True
        return False

    def _draw(self, path: tuple[int, ...], delta: Message) -> None:
        self._drawn.add(path)
        if delta.WhichOneof("type") == "new_element":
            drawn = delta.new_element
            if path[0] == RootContainer.MAIN and self.painted is None:
                self.painted = time.monotonic() - self._started
        else:
            drawn = delta.add_block
        kind = drawn.WhichOneof("type")
        if kind is None or (drawn is not delta.new_element and kind not in OPENED):
            self.elements.pop(path, None)
            return
        proto = getattr(drawn, kind)
        self.elements[path] = kind, proto, delta.fragment_id
        name = _id(proto)
        if name and (name not in self._states or getattr(proto, "set_value", False)):
            held = _held(kind, proto)
            if held is not None:
                self._states[name] = held

    def _clear(self, fragments: set[str]) -> None:
        """Take away what the run that has ended did not draw again."""
        stale = [
            path
            for path, (_, _, fragment) in self.elements.items()
            if path not in self._drawn and (not fragments or fragment in fragments)
        ]
        for path in stale:
            del self.elements[path]
        shown = {_id(proto) for _, proto, _ in self.elements.values()}
        self._states = {name: held for name, held in self._states.items() if name in shown}


def state(widget: str, kind: str, value: Any) -> WidgetState:
    """A widget's value as it travels; `kind` is the name of the message's field."""
    made = WidgetState(id=widget)
    if kind.endswith("array_value"):
        getattr(made, kind).data.extend(value)
        getattr(made, kind).SetInParent()  # an empty list is a value too
    else:
        setattr(made, kind, value)
    return made


def field(kind: str, proto: Message) -> str:
    """The field in which a browser sends the value of a widget of this kind. Raises KeyError."""
    if kind == "number_input":
        return "int_value" if proto.data_type == NumberInput.INT else "double_value"
    return {
        "button_group": "string_array_value",
        "multiselect": "string_array_value",
        **dict.fromkeys(OPENED, "bool_value"),
        "checkbox": "bool_value",
        "radio": "string_value",
        "selectbox": "string_value",
        "slider": "double_array_value",
        "text_area": "string_value",
        "text_input": "string_value",
    }[kind]


def _held(kind: str, proto: Message) -> WidgetState | None:
    """What a browser holds of a widget that was just drawn; None for one that holds nothing."""
    if kind == "button_group":
        options = [option.content for option in proto.options]
        value = list(proto.raw_values) if proto.set_value else [options[i] for i in proto.default]
    elif kind == "multiselect":
        chosen = [proto.options[i] for i in proto.default]
        value = list(proto.raw_values) if proto.set_value else chosen
    elif kind in ("radio", "selectbox"):
        if not proto.set_value and not proto.HasField("default"):
            return None
        value = proto.raw_value if proto.set_value else proto.options[proto.default]
    elif kind in OPENED:
        value = getattr(proto, OPENED[kind])
    elif kind in ("checkbox", "number_input", "slider", "text_area", "text_input"):
        value = proto.value if proto.set_value else proto.default
        if kind == "number_input" and proto.data_type == NumberInput.INT:
            value = int(value)
    else:
        return None
    return state(proto.id, field(kind, proto), value)


def _id(proto: Message) -> str:
    return getattr(proto, "id", "")


def _key(name: str) -> str:
    """The key in an element's id, "" without one; ids are `$$ID-<hash>-<key>`.

    Without what follows an "@", by which a page begins with a new widget for the same setting.
    """
    key = name.split("-", 2)[2] if name.startswith("$$ID-") else ""
    return "" if key == "None" else key.partition("@")[0]
