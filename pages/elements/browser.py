"""Scripts that the browser runs: scrolling a part of the page into view and focusing it."""

from __future__ import annotations

import streamlit as st

TOP = "top"
WANTED = "browser.wanted"
_COOKIE = "browser.cookie"
COOKIE_SECONDS = 24 * 60 * 60
_COUNT = "browser.count"
# The browser runs a script again only if its text has changed, hence the number.
_SCRIPT = """<script>
// Number {count}, so that it runs again.
(() => {{
  const main = document.querySelector("[data-testid=stMain]");
  if ("{key}" === "{top}") return main.scrollTo(0, 0);
  const started = Date.now(), signs = ["wheel", "touchmove", "keydown", "pointerdown"];
  // Whoever writes a text meanwhile is left alone too: the rest would be typed into nothing.
  let free = document.activeElement?.tagName !== "TEXTAREA", focused = false;
  const leave = () => {{ free = false; signs.forEach(s => removeEventListener(s, leave, true)); }};
  signs.forEach(sign => addEventListener(sign, leave, true));
  const align = () => {{
    if (!free) return;  // whoever scrolls meanwhile is left alone
    const part = document.querySelector(".st-key-{key}");
    if (part && !focused) {{
      part.tabIndex = -1;
      part.style.cssText += "outline: none; scroll-margin-top: 4rem";
      part.focus({{preventScroll: true}});
      focused = true;
    }}
    // What begins in the upper half of the window can be seen already.
    const top = part ? part.getBoundingClientRect().top : 1;
    if (top <= 0 || top >= innerHeight / 2) part.scrollIntoView({{block: "start"}});
    // The page is still being drawn.
    if (Date.now() - started < {patience}) setTimeout(align, 100); else leave();
  }};
  align();
}})();
</script>"""
_SET_COOKIE = """<script>
document.cookie = "{name}={value}; path=/; max-age={seconds}; SameSite=Lax"
  + (location.protocol === "https:" ? "; Secure" : "");
</script>"""
_REVEAL = """<script>
(() => {{
  const until = Date.now() + 5000;
  const look = () => {{
    const rows = document.querySelectorAll(".st-key-{key} label:has(input)");
    const row = rows[{row}];
    if (rows.length !== {count} || !row.querySelector("input").checked)
      return Date.now() < until && setTimeout(look, 50);
    let box = row.parentElement;
    while (box && !/auto|scroll/.test(getComputedStyle(box).overflowY)) box = box.parentElement;
    const [inner, outer] = [row.getBoundingClientRect(), box.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      box.scrollTop += inner.top - outer.top - box.clientHeight / 8;
  }};
  look();
}})();
</script>"""
_PATIENCE = 3_000
"""Milliseconds until the elements above the part are drawn and it stops moving."""


def bring_into_view(key: str) -> None:
    """Scroll to the container with this key, and focus it, when `act` is called next.

    To be called in a callback or before `st.rerun`. TOP scrolls to the top of the page.
    """
    st.session_state[WANTED] = key


def set_cookie(name: str, value: str) -> None:
    """Set a cookie for COOKIE_SECONDS when `act` is called next; neither text is a stranger's."""
    st.session_state[_COOKIE] = _SET_COOKIE.format(name=name, value=value, seconds=COOKIE_SECONDS)


def act() -> None:
    """Run the scripts that were requested, if any; draws nothing visible."""
    if script := st.session_state.pop(_COOKIE, None):
        st.html(script, unsafe_allow_javascript=True)
    key = st.session_state.pop(WANTED, None)
    if key is None:
        return
    count = st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1
    script = _SCRIPT.format(key=key, top=TOP, count=count, patience=_PATIENCE)
    st.html(script, unsafe_allow_javascript=True)


def reveal_choice(key: str, row: int, count: int) -> None:
    """Scroll a list of choices, and nothing else, to the chosen one.

    Args:
        key: Of the container with the list.
        row: Index of the chosen one.
        count: Number of choices.
    """
    script = _REVEAL.format(key=key, row=row, count=count)
    st.html(script, unsafe_allow_javascript=True)
