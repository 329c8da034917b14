"""The marks of a network's picture, for `pages.elements.charts.diagram`."""

from __future__ import annotations

import altair as alt

from core.diagram import LINE, SURFACE
from pages.elements.charts.network import SIGNED, SLIDER, after_epoch
from pages.elements.charts.spec import ACCENT, GREY, INK, fitted, form, parameters, table, value

NEGATIVE, POSITIVE = "#8a6fd1", ACCENT
DEAD, SATURATED = "#d55e00", "#b8860b"
TOP = 46
"""Pixels above the units, for the names of the layers."""
ROWS = {2: 76, 4: 62, 6: 50, 10: 38, 16: 29}
"""Pixels from one unit to the next, by the most units that a layer shows."""
BETWEEN = 7
"""Pixels between the pictures of two units."""
FEW_OUTPUTS, LARGE = 3, 170
"""Of so few outputs the pictures are larger: up to this many pixels high."""
WIDER = 0.8
"""How much wider their column is, in columns."""
STRIPS, WORDS, BARS, TEXTS, KEY = 46, 16, 48, 44, 24
"""Pixels of the strips, of the words above the bars, of the longest bar, of what is written below
it, and of a line of the key; a phone has more of these, and the chart is then longer."""
WEIGHT, LEVEL = 1_000, 100
"""Weights and outputs are sent as whole numbers up to these, which are smaller than floats."""
NO_WEIGHT, NO_LEVEL = -20_000, -128
"""What stands for one that is not a number."""
LOST = 10_000
"""What is added to a weight that hardly gets a gradient; the norm of a layer's is negative then."""
STATES = {"lost": 1, "dead": 2, "saturated": 4}
"""What is added for each state of a unit."""
DECADES = 12
"""The most powers of ten that the bars span."""
NARROW, PHONE = 74, 620
"""Pixels of a column below which its name is short, and of a view that is a phone's."""
SIZES = ("pitch", "tile_width", "tile_height", "large_width", "large_height")
"""Signals: the width of a column, and the sizes of a picture."""
LETTERS = "letters"
"""The signal of the size of what is written, in pixels."""
FILLED_IN = (*SLIDER, *SIZES, LETTERS, "rows")


def _at(name: str) -> str:
    """The expression of a figure at the epoch that is shown."""
    return f"datum['{name}' + slice(shown, 5)]"


def _pixel(channel: type, field: str):
    return channel(f"{field}:Q", scale=None, axis=None)


X, Y = _pixel(alt.X, "x"), _pixel(alt.Y, "y")
WIDE = "(datum.large ? large_width : tile_width)"
HIGH = "(datum.large ? large_height : tile_height)"
CENTRE = "datum.column * pitch"
QUIET = {"tooltip": None}
TEXT = {"color": INK, "fontSize": value(LETTERS), **QUIET}
SMALL = TEXT | {"fontSize": value(f"{LETTERS} - 1")}


@form
def network_form(kind: str, bars: int, key: int, *, measured: bool, strips: bool) -> alt.LayerChart:
    layers = [_weights(), _picture(kind), *_tiles(), *_names(bars, strips), *_key(kind, key)]
    layers += [_strip(bars)] if strips else []
    layers += _gradients(bars) if measured else []
    layers += [after_epoch(table("note"))]
    chart = fitted(alt.layer(*layers), key + KEY)
    return chart.add_params(*parameters(*FILLED_IN))


def _weights() -> alt.Chart:
    """Lines between units, wide and dark for large weights, dashed for negative ones."""
    end = "(datum.{0}_large ? large_width : tile_width) / 2"
    left, right = (f"datum.{name}_column * pitch" for name in ("source", "target"))
    touched = "!hovered.id || hovered.id[0] === datum.source || hovered.id[0] === datum.target"
    lost = f"datum[shown] > {LOST / 2:.0f}"
    return (
        table("edges")
        .transform_calculate(
            known=f"datum[shown] > {NO_WEIGHT / 2:.0f}",
            lost=lost,
            level=f"datum[shown] - ({lost} ? {LOST} : 0)",
        )
        .transform_calculate(
            size=f"datum.known ? abs(datum.level) / {WEIGHT} : 0",
            weight=f"datum.known ? format(datum.level * datum.most / {WEIGHT}, '.2~g')"
            " : 'not a number'",
            x=f"{left} + {end.format('source')}",
            x2=f"{right} - {end.format('target')}",
            y="datum.source_middle",
            y2="datum.target_middle",
        )
        .transform_calculate(
            wide="0.4 + 3.6 * datum.size",
            strong=f"({touched}) ? 0.2 + 0.8 * pow(datum.size, 1.3) : 0.03",
        )
        .mark_rule(strokeCap="butt")
        .encode(
            x=X,
            x2="x2:Q",
            y=Y,
            y2="y2:Q",
            color={
                "condition": [
                    {"test": "datum.lost || !datum.known", "value": GREY},
                    {"test": "datum.level < 0", "value": NEGATIVE},
                ],
                "value": POSITIVE,
            },
            strokeWidth=alt.StrokeWidth("wide:Q", scale=None, legend=None),
            opacity=alt.Opacity("strong:Q", scale=None, legend=None),
            strokeDash=alt.condition("datum.level < 0", alt.value([5, 3]), alt.value([1, 0])),
            tooltip=[alt.Tooltip("weight:N", title="Weight")],
        )
    )


def _picture(kind: str) -> alt.Chart:
    """What each unit puts out."""
    shown = table("pictures").transform_calculate(
        level="datum[shown]", wide=WIDE, high=HIGH, left=f"{CENTRE} - {WIDE} / 2"
    )
    known = f"datum.level !== {NO_LEVEL}"
    if kind == LINE:
        # The side is in the table, as the largest index.
        return (
            shown.transform_joinaggregate(last="max(i)")
            .transform_filter(known)
            .transform_calculate(
                x="datum.left + datum.wide * datum.i / datum.last",
                y=f"datum.middle - datum.high * 0.44 * datum.level / {LEVEL}",
            )
            .mark_line(color=ACCENT, strokeWidth=2, **QUIET)
            .encode(x=X, y=Y, detail="id:N", order="i:Q")
        )
    shown = shown.transform_joinaggregate(last="max(i)").transform_calculate(
        x="datum.left + datum.wide * datum.i / (datum.last + 1)",
        bottom="datum.middle + datum.high / 2",
    )
    if kind == SURFACE:
        scale = alt.Scale(domain=[-1, -0.5, 0, 0.5, 1], range=list(SIGNED), interpolate="rgb")
        # Slightly enlarged, so that no gaps are visible between the cells.
        end = "min(datum.{0} + 1.15, datum.last + 1) / (datum.last + 1)"
        return (
            shown.transform_filter(known)
            .transform_calculate(
                share=f"datum.level / {LEVEL}",
                x2=f"datum.left + datum.wide * {end.format('i')}",
                y="datum.bottom - datum.high * datum.j / (datum.last + 1)",
                y2=f"datum.bottom - datum.high * {end.format('j')}",
            )
            .mark_rect(opacity=1, **QUIET)
            .encode(
                x=X, x2="x2:Q", y=Y, y2="y2:Q", color=alt.Color("share:Q", scale=scale, legend=None)
            )
        )
    return (
        shown.transform_calculate(
            x2="datum.left + datum.wide * (datum.i + 0.85) / (datum.last + 1)",
            y2=f"datum.bottom - datum.high * max(0, datum.level) * 0.92 / {LEVEL}",
        )
        .mark_rect(color=ACCENT, **QUIET)
        .encode(x=X, x2="x2:Q", y=_pixel(alt.Y, "bottom"), y2="y2:Q")
    )


def _tiles() -> list[alt.Chart]:
    """The frames of the units with their figures, and the marks of dead and saturated ones."""
    low, high, bias = (f"format({_at(name)}, '.3~g')" for name in ("low", "high", "bias"))
    states = {
        name: f"floor({_at('state')} / {number}) % 2 === 1" for name, number in STATES.items()
    }
    state = (
        "datum.input ? 'input' : datum.dead ? 'dead: 0 for every row'"
        " : datum.saturated ? 'saturated: at a bound for every row'"
        " : datum.lost ? 'hardly any gradient' : 'neither dead nor saturated'"
    )
    units = table("units").transform_calculate(**states)
    units = units.transform_calculate(
        x0=f"{CENTRE} - {WIDE} / 2",
        x1=f"{CENTRE} + {WIDE} / 2",
        y0=f"datum.middle - {HIGH} / 2",
        y1=f"datum.middle + {HIGH} / 2",
        x=CENTRE,
        area=f"pow(0.62 * min({WIDE}, {HIGH}), 2)",
        range=f"{low} === {high} ? {low} : {low} + ' to ' + {high}",
        bias=f"isValid({_at('bias')}) && !isNaN({_at('bias')}) ? {bias} : 'none'",
        state=state,
        over="rows",
        after="slice(shown, 6)",
    )
    hovered = alt.selection_point(
        name="hovered", fields=["id"], on="pointerover", clear="pointerout"
    )
    tooltip = [
        alt.Tooltip("name:N", title="Unit"),
        alt.Tooltip("range:N", title="Output"),
        alt.Tooltip("over:N", title="Measured"),
        alt.Tooltip("bias:N", title="Bias"),
        alt.Tooltip("state:N", title="State"),
        alt.Tooltip("after:N", title="After epoch"),
    ]
    frames = (
        units.mark_rect(color=GREY, stroke=GREY, strokeWidth=1, cornerRadius=2)
        .encode(
            x=_pixel(alt.X, "x0"),
            x2="x1:Q",
            y=_pixel(alt.Y, "y0"),
            y2="y1:Q",
            # Grey over the picture, where no gradient reaches the unit.
            fillOpacity=alt.condition("datum.lost", alt.value(0.6), alt.value(0.06)),
            tooltip=tooltip,
        )
        .add_params(hovered)
    )
    cross = units.transform_filter("datum.dead").mark_point(
        shape="M-1,-1L1,1M1,-1L-1,1", color=DEAD, strokeWidth=2.5, opacity=1, **QUIET
    )
    bound = units.transform_filter("datum.saturated").mark_point(
        shape="diamond", color=SATURATED, filled=True, stroke="white", size=70, opacity=1, **QUIET
    )
    return [
        frames,
        cross.encode(
            x=X, y=_pixel(alt.Y, "middle"), size=alt.Size("area:Q", scale=None, legend=None)
        ),
        bound.encode(x=_pixel(alt.X, "x1"), y=_pixel(alt.Y, "y0")),
    ]


def _names(bars: int, strips: bool) -> list[alt.Chart]:
    narrow = f"pitch < {NARROW}"
    layers = table("layers").transform_calculate(
        x=CENTRE,
        title=f"{narrow} ? datum.short : datum.name",
        detail=f"{narrow} ? datum.units : datum.size",
        rest=f"{narrow} ? replace(replace(datum.more, 'and ', '+'), ' more', '') : datum.more",
    )
    names = layers.mark_text(fontWeight="bold", baseline="top", **TEXT)
    sizes = layers.mark_text(baseline="top", **SMALL)
    drawn = [
        names.encode(x=X, y=alt.value(0), text="title:N"),
        sizes.encode(x=X, y=alt.value(value(f"{LETTERS} + 5")), text="detail:N"),
    ]
    if strips:
        more = layers.mark_text(baseline="top", **SMALL)
        drawn.append(more.encode(x=X, y=alt.value(bars - STRIPS + 4), text="rest:N"))
    return drawn


def _strip(bars: int) -> alt.Chart:
    """The activity of all units of a layer, of which only some are shown."""
    return (
        table("strips")
        .transform_calculate(
            level="datum[shown]",
            strong=f"datum.level < 0 ? 0 : 0.06 + 0.94 * datum.level / {LEVEL}",
            spread=f"format(datum.level * datum.most / {LEVEL}, '.2~g')",
            x=f"{CENTRE} + datum.start * 0.8 * pitch",
            x2=f"{CENTRE} + (datum.start + datum.across) * 0.8 * pitch",
            units="datum.first === datum.last ? '' + datum.first"
            " : datum.first + ' to ' + datum.last",
        )
        .mark_rect(color=ACCENT)
        .encode(
            x=X,
            x2="x2:Q",
            y=alt.value(bars - STRIPS + 20),
            y2=alt.value(bars - STRIPS + 34),
            opacity=alt.Opacity("strong:Q", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("units:N", title="Unit"),
                alt.Tooltip("spread:N", title="Standard deviation of the output"),
            ],
        )
    )


def _gradients(bars: int) -> list[alt.Chart]:
    """A bar for each layer: the norm of its kernel's gradient, on a logarithmic scale."""
    norm, foot = "abs(datum[shown])", bars + WORDS + BARS
    share = f"(log({norm}) / LN10 - datum.weakest) / (datum.strongest - datum.weakest)"
    layers = table("layers").transform_calculate(
        x=CENTRE,
        norm=norm,
        left=f"{CENTRE} - min(18, 0.25 * pitch)",
        right=f"{CENTRE} + min(18, 0.25 * pitch)",
        foot=f"{foot}",
        end=f"{foot} - {BARS} * ({norm} > 0 ? clamp({share}, 0.03, 1) : 0)",
        lost="!(datum[shown] > 0)",
        text=f"!isValid(datum[shown]) || isNaN({norm}) ? 'not a number' : "
        f"{norm} > 0 && {norm} < 0.001 || {norm} >= 10000 ? format({norm}, '.1~e') : "
        f"format({norm}, '.2~g')",
        after="slice(shown, 6)",
    )
    of_layers = layers.transform_filter("!datum.inputs")
    grey = alt.condition("datum.lost", alt.value(GREY), alt.value(ACCENT))
    tooltip = [
        alt.Tooltip("name:N", title="Layer"),
        alt.Tooltip("text:N", title="Gradient norm"),
        alt.Tooltip("after:N", title="Epoch"),
    ]
    bar = of_layers.mark_rect(cornerRadius=1).encode(
        x=_pixel(alt.X, "left"),
        x2="right:Q",
        y=_pixel(alt.Y, "foot"),
        y2="end:Q",
        color=grey,
        tooltip=tooltip,
    )
    base = table("note").mark_rule(color=GREY, opacity=0.5, **QUIET)
    text = of_layers.mark_text(baseline="top", **SMALL)
    words = table("note").mark_text(align="left", baseline="top", **SMALL)
    return [
        base.encode(x=alt.value(0), x2=alt.value("width"), y=alt.value(foot)),
        bar,
        text.encode(x=X, y=alt.value(foot + 5), text="text:N"),
        words.encode(x=alt.value(0), y=alt.value(bars), text="scale:N"),
    ]


def _key(kind: str, top: int) -> list[alt.Chart]:
    """What the colours and marks mean, in one line or, on a phone, in lines of two."""
    line, dashes = "M-1.7,0L1.7,0", "M-1.7,0L-0.7,0M-0.1,0L0.7,0M1.2,0L1.7,0"
    cross, none = "M-0.6,-0.6L0.6,0.6M0.6,-0.6L-0.6,0.6", "transparent"
    signs = [
        (line, POSITIVE, none, "positive weight"),
        (dashes, NEGATIVE, none, "negative weight"),
        (cross, DEAD, none, "dead unit"),
        ("diamond", SATURATED, SATURATED, "saturated unit"),
        (f"{line}M-0.8,-0.8H0.8V0.8H-0.8Z", GREY, GREY, "hardly any gradient"),
    ]
    if kind == SURFACE:
        signs += [
            ("square", SIGNED[0], SIGNED[0], "low output"),
            ("square", SIGNED[-1], SIGNED[-1], "high output"),
        ]
    names = ("shape", "stroke", "fill", "text")
    rows = [dict(zip(names, sign, strict=True), n=n) for n, sign in enumerate(signs)]
    a_line = f"(width < {PHONE} ? 2 : {len(rows)})"
    entries = alt.Chart(alt.InlineData(values=rows)).transform_calculate(
        x=f"10 + (datum.n % {a_line}) * width / {a_line}",
        y=f"{top} + 12 + floor(datum.n / {a_line}) * 17",
    )
    symbols = entries.mark_point(size=90, strokeWidth=2.5, opacity=1, **QUIET).encode(
        x=X,
        y=Y,
        shape=alt.Shape("shape:N", scale=None, legend=None),
        stroke=alt.Stroke("stroke:N", scale=None, legend=None),
        fill=alt.Fill("fill:N", scale=None, legend=None),
    )
    words = entries.mark_text(align="left", baseline="middle", dx=13, **SMALL)
    return [symbols, words.encode(x=X, y=Y, text="text:N")]
