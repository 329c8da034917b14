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
    // What begins in the upper half of a wide window can be seen already; a phone has no room to
    // spare for what is above it.
    const top = part ? part.getBoundingClientRect().top : 1;
    const lowest = innerWidth < {phone} ? {begins} : innerHeight / 2;
    if (top <= 0 || top >= lowest) part.scrollIntoView({{block: "start"}});
    // The page is still being drawn, or is too short so far to be scrolled to there.
    const since = Date.now() - started;
    if (since < {patience} || (top >= lowest && since < {longest})) setTimeout(align, 100);
    else leave();
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
  const part = document.querySelector(".st-key-{part}");
  if (part?.getBoundingClientRect().top < 0) part.scrollIntoView({{block: "start"}});
  const look = () => {{
    const rows = document.querySelectorAll(".st-key-{key} label:has(input)");
    const row = rows[{row}];
    if (rows.length !== {count} || !row.querySelector("input").checked)
      return Date.now() < until && setTimeout(look, 50);
    let box = row.parentElement;
    while (box && !/auto|scroll/.test(getComputedStyle(box).overflowY)) box = box.parentElement;
    const [inner, outer] = [row.getBoundingClientRect(), box.getBoundingClientRect()];
    const below = inner.bottom - Math.min(outer.bottom, innerHeight);
    if (inner.top >= outer.top && below <= 0) return;
    // Whoever has just chosen a row that is cut keeps their place; otherwise the list begins with a
    // whole row, the one before the chosen one.
    if (below > 0 && row.contains(document.activeElement)) box.scrollTop += below + {gap};
    else box.scrollTop += rows[{before}].getBoundingClientRect().top - outer.top - {gap};
  }};
  look();
}})();
</script>"""
_GAP = 8
"""Pixels between the rows of a list of choices."""
_LIMITS = {"patience": 3_000, "longest": 60_000, "phone": 640, "begins": 80}
"""Milliseconds until the elements above a part are drawn and it stops moving, and until there is
enough below it; pixels of the narrowest window that is none of a phone, and from the top of one of
a phone to where a part may begin."""


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
    script = _SCRIPT.format(key=key, top=TOP, count=count, **_LIMITS)
    st.html(script, unsafe_allow_javascript=True)


def reveal_choice(key: str, row: int, count: int, part: str) -> None:
    """Scroll a list of choices to the chosen one, and the page up to what is shown of it.

    Args:
        key: Of the container with the list.
        row: Index of the chosen one.
        count: Number of choices.
        part: The key of the container with what is shown, where the page may be scrolled further.
    """
    script = _REVEAL.format(
        key=key, part=part, row=row, before=max(row - 1, 0), count=count, gap=_GAP
    )
    st.html(script, unsafe_allow_javascript=True)
