"""Links: any text in an address gives values in range, and every value comes back exactly.

They go through `enter` and `leave` of the pages' state with plain dictionaries in the place of
Streamlit's: thousands a second.
"""

import re
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from core.draft import Draft
from core.entries import EntryOf
from core.experiment import SGD, BatchNormalisation, Dense, Dropout, plain, restored
from core.fields import Bool, Choice, Float, Int, MultiChoice, Numbers, Optional
from core.fields import settings as described
from core.initialisers import INITIALISER, Given
from core.layers import LAYERS, Activation
from core.problems import PROBLEMS
from pages.elements import links_v1, query_params
from pages.elements import state as problem_state
from pages.elements.claims import page
from pages.elements.compare import choices
from pages.elements.settings import OF_RUNS, VIEWS, ClassName, Layers, as_text, table
from support.links import ALWAYS_THE_SAME, visit

ODD = some.sampled_from(
    [
        *("", " ", "nan", "-inf", "1e308", "1e999", "-1", "0x10", "٣", "1_0", "9" * 5_000, "None"),
        *("yes", "`", "<script>alert(1)</script>", "`[x](javascript:alert(1))", "~~", "Dense~3~~"),
        *("**b** :red[x] $x$", "a\n# b\x00"),
    ]
)
WORDS = some.one_of(ODD, some.text(max_size=60))
NUMBER = some.floats(-1e9, 1e9)
GIVEN = some.builds(
    Given, some.lists(some.lists(some.floats(-9, 9, width=32), min_size=2, max_size=2), min_size=1)
)


def fields_of(kind) -> some.SearchStrategy:
    """Values of a field of a layer, an initialiser or a regulariser."""
    if isinstance(kind, EntryOf):
        names = some.sampled_from([None if name == "none" else name for name in kind.options])
        classes = [each for each in kind.entries.values() if each is not Given]
        entries = some.one_of(*map(any_of, classes))
        return some.one_of(names, entries, GIVEN) if kind is INITIALISER else names | entries
    if isinstance(kind, Optional):
        return some.none() | fields_of(kind.kind)
    if isinstance(kind, Float) and kind.above:
        return some.floats(kind.low, kind.high, exclude_min=True)
    return values_of(kind)


def any_of(cls) -> some.SearchStrategy:
    """Instances of a class by the fields that it declares."""
    kinds = {name: setting.kind for name, setting in described(cls).items()}
    return some.builds(cls, **{name: fields_of(kind) for name, kind in kinds.items()})


def kinds_of(problem: str) -> dict:
    """What every parameter of the question as asked can be, by name."""
    draft = Draft.of(PROBLEMS[problem].experiment)
    views = {name: view.kind for name, view in {**OF_RUNS, **VIEWS}.items()}
    return {name: control.setting.kind for name, control in table(draft).items()} | views


def values_of(kind) -> some.SearchStrategy:
    """Values of a kind, the ends of its range among them."""
    if isinstance(kind, (Choice, ClassName)):
        return some.sampled_from(kind.options)
    if isinstance(kind, MultiChoice):
        return some.lists(some.sampled_from(kind.options), unique=True)
    if isinstance(kind, Bool):
        return some.booleans()
    if isinstance(kind, Layers):
        return some.lists(LAYER, max_size=4).map(tuple)
    if isinstance(kind, Numbers):
        return some.lists(NUMBER, min_size=2, max_size=2, unique=True).map(tuple)
    if isinstance(kind, EntryOf):
        return fields_of(kind)
    number = some.integers if isinstance(kind, Int) else some.floats
    return number(kind.low, kind.high)


def texts_of(kind) -> some.SearchStrategy[str]:
    """Texts for a parameter: its own values, those about its bounds, and others."""
    about = [values_of(kind).map(as_text), WORDS]
    if isinstance(kind, Int):
        about.append(some.integers(kind.low - 2, kind.high + 2).map(str))
    elif isinstance(kind, Float):
        about.append(some.floats(kind.low * 2 - 1, kind.high * 2).map(repr))
    return some.one_of(*about)


LAYER = some.deferred(lambda: some.one_of(*map(any_of, LAYERS.values())))


def links(problem: str) -> some.SearchStrategy[dict[str, str]]:
    """Parameters of a problem page's address: mostly known names, with good and bad texts."""
    texts = {name: texts_of(kind) for name, kind in (kinds_of(problem) | links_v1.KINDS).items()}
    texts["start"] = some.one_of(
        some.sampled_from(["as-asked", *PROBLEMS[problem].variants]), WORDS
    )
    texts["fixes"] = texts_of(MultiChoice(PROBLEMS[problem].fixes))
    texts["embed"] = some.sampled_from(["true", "false"])
    known = some.sampled_from(sorted(texts)).flatmap(lambda n: some.tuples(some.just(n), texts[n]))
    pairs = some.lists(some.one_of(known, known, some.tuples(WORDS, WORDS)), max_size=6)
    return pairs.map(dict)


def assert_inert(notice: str) -> None:
    """What a stranger wrote stands in code spans alone, where Markdown and HTML do nothing."""
    assert notice.isprintable()
    outside = re.sub(r"`[^`]*`", "", notice)
    assert not re.search(r"[`<>\[\]()*$\\!&|~#{}]|:\w|//", outside), notice


def entered(problem: str, parameters: dict) -> tuple[dict, list[str]]:
    """What a problem page holds after following a link, and what it refused."""
    with visit(parameters, {}):
        refused = problem_state.enter(problem)
        return dict(problem_state.held(problem)), refused


def experiment(problem: str, **parameters: str):
    """What a link leads to; it must be right."""
    parameters = {name.replace("_", "-"): text for name, text in parameters.items()}
    values, refused = entered(problem, parameters)
    assert not refused, refused
    return Draft.from_json(values["draft"]).experiment()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_any_link_to_a_problem_page_gives_values_in_range_and_a_notice_for_the_rest(problem):
    question, kinds = PROBLEMS[problem], kinds_of(problem)

    @settings(max_examples=200, **ALWAYS_THE_SAME)
    @given(links(problem))
    def follow(parameters):
        values, refused = entered(problem, parameters)
        assert values["start"] in ("as-asked", *question.variants)
        assert set(values["fixes"]) <= set(question.fixes)
        assert len(set(values["fixes"])) == len(values["fixes"])
        for name in (*OF_RUNS, *VIEWS):
            assert kinds[name].check(name, values[name]) == values[name]
        # Reading it back checks every value that it holds.
        Draft.from_json(values["draft"])
        for notice in refused:
            assert_inert(notice)
        for name, text in parameters.items():
            strange = name not in {*kinds, *links_v1.KINDS, "start", "fixes", "embed"}
            if strange and not re.match(
                r"(layer|after|low|high)\d|(output-.*|momentum|data-seed|features)", name
            ):
                assert any(query_params.quoted(name) in notice for notice in refused), name
            if name in OF_RUNS:
                refuses = any(notice.startswith(f"`{name}`") for notice in refused)
                assert (
                    refuses
                    or as_text(values[name]) == text
                    or kinds[name].parse(text) == values[name]
                )

    follow()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_pages_link_brings_every_value_back_exactly(problem):
    question, kinds = PROBLEMS[problem], kinds_of(problem)
    start = some.sampled_from(["as-asked", *question.variants])
    fixes = some.lists(some.sampled_from(list(question.fixes)), unique=True)
    # What has a number a class or layer depends on how many there are.
    free = {n: k for n, k in kinds.items() if not re.match(r"(layer|low|high)\d|classes", n)}
    by_hand = some.fixed_dictionaries({}, optional={n: values_of(k) for n, k in free.items()})

    @settings(max_examples=100, **ALWAYS_THE_SAME)
    @given(start, fixes, by_hand)
    def travel(start, fixes, by_hand):
        session = {}
        with visit({}, session) as query:
            problem_state.enter(problem)
            views = {name: by_hand.pop(name) for name in VIEWS if name in by_hand}
            problem_state.choose(problem, start, fixes, **by_hand)
            problem_state.held(problem).update(views)
            problem_state.leave(problem)
            chosen = problem_state.chosen(problem)
        sent = dict(parse_qsl(urlencode(query), keep_blank_values=True))
        values, refused = entered(problem, sent)
        assert not refused
        assert values == session[problem] | {"fixes": list(chosen)}

    travel()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_any_network_on_any_number_of_classes_travels_by_link(problem):
    session = {}
    hidden = (Dense(64, "tanh"), BatchNormalisation(), Dropout(0.25), Dense(7, "relu", "zeros"))
    with visit({}, session) as query:
        problem_state.enter(problem)
        problem_state.put(problem, layers=hidden)
        if problem == "two-blob":
            problem_state.put(problem, classes=3, features=5)
            problem_state.put(problem, output_units=3, high3=9.0, encoding="one-hot")
        problem_state.leave(problem)
    values, refused = entered(problem, dict(query))
    assert not refused
    travelled = Draft.from_json(values["draft"]).experiment()
    assert travelled.model.layers[:-1] == hidden
    if problem == "two-blob":
        assert travelled.data.source.bounds == ((0.2, 0.4), (0.5, 0.7), (0.8, 9.0))
        assert travelled.data.label_values == (1.0, 2.0, 3.0)
        assert travelled.data.source.features == 5


@settings(max_examples=150, **ALWAYS_THE_SAME)
@given(some.lists(LAYER, min_size=1, max_size=3).map(tuple))
def test_any_layers_travel_by_link_and_json(layers):
    assert Layers().parse(as_text(layers)) == layers
    assert restored(plain(layers)) == layers


def test_layers_after_the_output_and_their_arguments_travel_by_link():
    session = {}
    with visit({}, session) as query:
        problem_state.enter("threshold")
        problem_state.put("threshold", after=(Activation("sigmoid"), Dropout(0.2)))
        problem_state.put(
            "threshold",
            layer1_initialiser="random_uniform",
            output_bias_initialiser="given",
            output_kernel_regulariser="l2",
        )
        problem_state.put("threshold", layer1_initialiser_maxval=0.5)
        problem_state.put("threshold", output_bias_initialiser_values=np.array([0.5], np.float32))
        problem_state.leave("threshold")
    assert query["layer1-initialiser-maxval"] == "0.5"
    values, refused = entered("threshold", dict(query))
    assert not refused
    travelled = Draft.from_json(values["draft"]).experiment()
    assert travelled == drafted(session)
    assert travelled.model.output_activation.name == "sigmoid"
    assert travelled.model.output.bias_initialiser == Given([0.5])


def drafted(session):
    return Draft.from_json(session["threshold"]["draft"]).experiment()


def test_links_of_version_1_open_what_they_said():
    layers = experiment(
        "threshold",
        **{"v": "1", "hidden": "3", "hidden1-units": "9", "hidden3-activation": "tanh"},
        normalise="yes",
        dropout="0.3",
        output_activation="sigmoid",
    ).model.layers
    assert layers == (
        *(Dense(9, "relu"), BatchNormalisation(), Dropout(0.3)),
        *(Dense(5, "relu"), BatchNormalisation(), Dropout(0.3)),
        *(Dense(3, "tanh"), BatchNormalisation(), Dropout(0.3)),
        Dense(1, "sigmoid"),
    )
    data = experiment(
        "two-blob",
        v="1",
        labels="-1 and 1",
        encoding="index",
        low2="0.6",
        same_data="yes",
        data_seed="4",
        **{"output-units": "1", "output-activation": "sigmoid", "loss": "binary_crossentropy"},
    ).data
    assert data.label_values == (-1.0, 1.0)
    assert data.source.bounds == ((0.2, 0.4), (0.6, 0.7))
    assert data.seed == 4
    training = experiment(
        "two-blob", v="1", optimizer="sgd", momentum="0.9", reshuffle="no", epochs="7"
    ).training
    assert (training.optimizer, training.shuffle) == (SGD(0.001, 0.9), False)
    # What had no effect was written as well.
    unchanged = experiment("threshold", v="1", momentum="0.5", data_seed="3")
    assert unchanged == PROBLEMS["threshold"].experiment
    _, refused = entered("threshold", {"v": "1", "hidden": "9", "dropout": "2"})
    assert len(refused) == 2


COMPARE_TEXTS = {
    "problem": some.one_of(some.sampled_from(list(PROBLEMS)), WORDS),
    "fixes": some.lists(
        some.one_of(some.sampled_from([k for p in PROBLEMS.values() for k in p.fixes]), WORDS),
        max_size=4,
    ).map(".".join),
    "runs": some.one_of(some.sampled_from(choices.RUNS), WORDS),
    "combination": some.one_of(some.sampled_from(["sigmoid-output", "rmsprop"]), WORDS),
    "target": some.one_of(some.floats(0, 2).map(repr), WORDS),
    "rate": some.one_of(some.floats(0, 2).map(repr), WORDS),
}
COMPARE_LINKS = some.lists(
    some.one_of(
        some.sampled_from(sorted(COMPARE_TEXTS)).flatmap(
            lambda name: some.tuples(some.just(name), COMPARE_TEXTS[name])
        ),
        some.tuples(WORDS, WORDS),
    ),
    max_size=6,
).map(dict)


def compared(parameters: dict) -> tuple[dict, list[str], dict]:
    """The comparison's settings after following a link, what it refused, the address it leaves."""
    session = {}
    with visit(parameters, session) as query:
        refused = choices.enter()
        choices.leave()
    return session["kept.compare"], refused, dict(query)


@settings(max_examples=200, **ALWAYS_THE_SAME)
@given(COMPARE_LINKS)
@example({"`](x)`<b>": ""})
@example({"fixes": "sigmoid-output.sigmoid-output"})
def test_any_link_to_the_comparison_gives_values_in_range_and_a_notice_for_the_rest(parameters):
    values, refused, address = compared(parameters)
    assert values["problem"] in PROBLEMS
    assert set(values["fixes"]) <= set(PROBLEMS[values["problem"]].fixes)
    assert len(set(values["fixes"])) == len(values["fixes"])
    assert values["runs"] in choices.RUNS
    assert 0.5 <= values["target"] <= 1
    assert 0.5 <= values["rate"] <= 1
    names = set(parameters) - {"embed"}
    keys = [key for name in ("fixes", "combination") for key in parameters.get(name, "").split(".")]
    assert len(refused) <= len(names) + len(keys)
    assert len(refused) >= len(names - set(COMPARE_TEXTS))
    for notice in refused:
        assert_inert(notice)
    again, none, _ = compared(address)
    assert not none
    assert again == values


@settings(max_examples=150, **ALWAYS_THE_SAME)
@given(some.data())
def test_the_comparisons_link_brings_every_value_back_exactly(data):
    problem = data.draw(some.sampled_from(list(PROBLEMS)))
    hundredths = some.integers(50, 100).map(lambda n: n / 100)
    kept = {
        "combination": "",
        "problem": problem,
        "fixes": data.draw(
            some.lists(some.sampled_from(list(PROBLEMS[problem].fixes)), unique=True)
        ),
        "runs": data.draw(some.sampled_from(choices.RUNS)),
        "target": data.draw(hundredths),
        "rate": data.draw(hundredths),
    }
    session = {"kept.compare": kept}
    with visit({}, session) as query:
        choices.enter()
        choices.leave()
    again, refused, _ = compared(dict(parse_qsl(urlencode(query), keep_blank_values=True)))
    assert not refused
    in_order = [key for key in PROBLEMS[problem].fixes if key in kept["fixes"]]
    assert again == kept | {"fixes": in_order}


CLAIM_TEXTS = {name: texts_of(kind) for name, kind in page.kinds().items()}


@settings(max_examples=250, **ALWAYS_THE_SAME)
@given(some.fixed_dictionaries({}, optional=CLAIM_TEXTS))
def test_any_link_to_the_claims_gives_values_in_range_and_a_notice_for_the_rest(parameters):
    session = {}
    with visit(parameters, session) as query:
        refused = page.enter()
        page.leave()
    values = session[f"kept.{page.PAGE}"]
    for name, kind in page.kinds().items():
        assert query_params.allows(kind, values[name])
    good = {name for name, text in parameters.items() if as_text(values[name]) == text}
    bad = set(parameters.get("verdicts", "").split(".")) - {"", *page.WORDS}
    assert len(refused) <= len(parameters.keys() - good - {"verdicts"}) + len(bad)
    for notice in refused:
        assert_inert(notice)
    again = {}
    with visit(dict(query), again):
        assert not page.enter()
    assert again.items() >= {f"{page.PAGE}.{n}": v for n, v in values.items()}.items()


def test_a_link_names_a_run_by_its_kind_or_by_its_number():
    kind = VIEWS["pick"].kind
    assert [kind.parse(text) for text in ("worst", "7", "007")] == ["worst", "7", "7"]
    for text in ("-1", "1.5", "1234567", "²", "first"):
        with pytest.raises(ValueError, match="the number of a run"):
            kind.parse(text)
