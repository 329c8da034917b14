"""Strangers' input: widget messages that no browser sends, JSON that nobody wrote by hand.

It goes through the real server, as an attacker would send it.
"""

import copy
import json
import random
import tracemalloc
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from benchmarks.session import Session, field, state
from core.draft import Draft
from core.experiment import Experiment, InvalidExperiment
from core.problems import PROBLEMS
from pages.elements import query_params
from pages.elements.settings import table
from support.links import ALWAYS_THE_SAME
from support.pages import PARTS

PATHS = {"Threshold_problem": "threshold", "Two_blob_problem": "two-blob"}
OTHERS = ("Compare_fixes", "Check_the_answers")
KINDS = {
    problem: {
        name: control.setting.kind
        for name, control in table(Draft.of(PROBLEMS[problem].experiment)).items()
    }
    for problem in PROBLEMS
}
COMPARED = ("problem", "fixes", "runs", "combination", "target", "rate")


# --- what no browser sends ----------------------------------------------------------------------

HUGE = "x" * 200_000
BAD = {
    "int_value": [2**63 - 1, -(2**63), -1, 0],
    "double_value": [float("nan"), float("inf"), 1e308, -1.0, 0.123456789],
    "string_value": ["", "nan", "None", "<script>alert(1)</script>", HUGE],
    "string_array_value": [[], ["no such option"], ["x"] * 10_000, [HUGE]],
    "double_array_value": [[], [float("nan")], [1e308], [1.0, 2.0, 3.0]],
    "bool_value": [True, False],
}
"""Values of the kind that a control sends, but none that it could have sent."""
WRONG = [
    *(("string_value", "x"), ("double_value", float("nan")), ("bytes_value", b"\xff")),
    *(("string_array_value", ["x"]), ("int_array_value", [10**6]), ("bool_value", True)),
    *(("json_value", "[" * 500), ("json_trigger_value", "{"), ("trigger_value", True)),
]
"""Kind and value of messages that most of the controls cannot read at all."""
HANGING = 30
"""Seconds without an answer after which a message counts as one that hangs."""


@pytest.fixture
def visitor(app):
    """A stranger; fails the test where one of our scripts ended in a traceback."""
    before = app.words()
    with Session(app.address, patience=HANGING) as stranger:
        yield stranger
    assert "Traceback" not in app.words().removeprefix(before)


def assert_well(visitor: Session, what: object) -> None:
    """No exception on the page, and no setting that its control does not allow."""
    assert not visitor.exceptions, (what, visitor.exceptions)
    shown = dict(parse_qsl(visitor.query, keep_blank_values=True))
    for key in visitor.keys:
        problem, _, name = key.partition(".")
        if problem in PROBLEMS and name in shown and name in KINDS[problem]:
            kind = KINDS[problem][name]
            assert kind.check(name, kind.parse(shown[name])) is not None, (what, key, shown[name])


def forge(visitor: Session, keys: list[str], many: int) -> None:
    """Say of these controls, and of some that do not exist, what they could not have said."""
    draw = random.Random(0)
    for _ in range(many):
        kind = draw.choice(list(BAD))
        said = {"$$ID-0-no-such-control": (kind, draw.choice(BAD[kind]))}
        key = draw.choice(keys)
        if key in visitor.keys:
            control = visitor.widget(key)
            kind = field(visitor.keys[key], control)
            said[control.id] = kind, draw.choice(BAD[kind])
        visitor.send(*(state(name, *value) for name, value in said.items()))
        assert_well(visitor, {name: (kind, str(v)[:40]) for name, (kind, v) in said.items()})


def open_controls(visitor: Session, path: str) -> None:
    """Open every group of controls, and what is folded in it."""
    for part in PARTS if path in PATHS else ():
        if f"{PATHS[path]}-{part}" in visitor.keys:
            visitor.change(f"{PATHS[path]}-{part}", True)


def controls(visitor: Session) -> list[str]:
    """What holds a value; files, tables and charts are not said to be anything in one field."""
    others = ("button", "uploader", "dataframe", "chart")
    return sorted(key for key, kind in visitor.keys.items() if not kind.endswith(others))


@pytest.mark.tensorflow
@pytest.mark.parametrize("path", [*PATHS, *OTHERS])
def test_values_that_a_control_cannot_have_never_get_past_it(visitor, path):
    visitor.open(path)
    open_controls(visitor, path)
    forge(visitor, controls(visitor), 60)
    assert_well(visitor, visitor.open(path))


@pytest.mark.tensorflow
@pytest.mark.parametrize("path", PATHS)
def test_nor_do_they_get_past_the_controls_of_a_result(visitor, path):
    problem = PATHS[path]
    visitor.open(path, "epochs=1&runs=1&samples=50&hold-out=0.2&tab=Layers")
    settings = set(controls(visitor))
    visitor.press(f"{problem}-train")
    visitor.watch(lambda: f"{problem}.health" in visitor.keys, 90)
    results = sorted(set(controls(visitor)) - settings)
    assert f"{problem}.health-figure" in results
    forge(visitor, results, 8)


@pytest.mark.tensorflow
def test_a_claim_that_is_not_listed_is_not_chosen(visitor):
    visitor.open("Check_the_answers", "question=threshold")
    listed = visitor.widget("claims.claim")
    first = listed.options[0]
    for said in ("two-blob-adam-0.1", "", first + "x"):
        visitor.send(state(listed.id, "string_value", said))
        assert_well(visitor, said)
        assert dict(parse_qsl(visitor.query))["claim"].startswith("threshold-")


@pytest.mark.tensorflow
def test_nor_past_those_of_a_comparison(visitor):
    visitor.open("Compare_fixes", "fixes=sigmoid-output&runs=16")
    visitor.press("compare-start")
    visitor.watch(lambda: "compare.combination" in visitor.keys, 90)
    forge(visitor, ["compare.combination"], 5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("path", [*PATHS, *OTHERS])
def test_messages_that_streamlit_cannot_read_harm_nobody_but_who_sent_them(app, path):
    """Streamlit reads a message before a page of ours begins, so that it is what refuses it."""
    draw = random.Random(0)
    with Session(app.address, patience=HANGING) as other:
        other.open(path)
        for _ in range(12):
            with Session(app.address, patience=HANGING) as forger:
                forger.open(path)
                open_controls(forger, path)
                control = forger.widget(draw.choice(controls(forger))).id
                forger.send(state(control, *draw.choice(WRONG)))
                for refusal in forger.of("exception"):
                    assert "redacted" in refusal.message
                    assert not refusal.stack_trace
        other.send()
        assert_well(other, "another session")


@pytest.mark.tensorflow
def test_nobody_is_told_to_press_a_button_that_is_off(visitor):
    def invited():
        return any("Press **Train**" in alert.body for alert in visitor.of("alert"))

    visitor.open("Two_blob_problem")
    assert invited()
    visitor.change("two-blob-data", True)
    visitor.change("two-blob.encoding", "as-is")
    assert visitor.widget("two-blob-train").disabled
    assert not invited()


@pytest.mark.tensorflow
def test_a_button_does_nothing_where_the_settings_cannot_be_trained(visitor):
    """As when a number is typed and a button clicked before the page has changed."""
    visitor.open("Two_blob_problem")
    visitor.change("two-blob-data", True)
    keys = [key for key, kind in visitor.keys.items() if kind == "button"]
    assert any(key.startswith("two-blob-fix-") for key in keys)
    ids = {key: visitor.widget(key).id for key in keys if key != "two-blob-reset"}
    for key, name in ids.items():
        visitor.press("two-blob-reset")
        encoding = visitor.widget("two-blob.encoding").id
        assert not visitor.widget("two-blob-train").disabled
        visitor.send(state(encoding, "string_value", "as-is"), state(name, "trigger_value", True))
        assert_well(visitor, key)
        assert "two-blob-stop" not in visitor.keys, f"{key} has started a training"
        visitor.send(state(name, "trigger_value", True))
        assert "two-blob-stop" not in visitor.keys, f"{key} has started a training, disabled"
    visitor.go_to("Compare_fixes")
    visitor.change("compare.fixes", [])
    assert visitor.widget("compare-start").disabled
    visitor.press("compare-start")
    assert_well(visitor, "compare-start")
    assert "compare-stop" not in visitor.keys, "a comparison of nothing has begun"


@pytest.mark.tensorflow
def test_new_data_after_the_last_seed_begins_again(visitor):
    visitor.open("Threshold_problem", "seed=999999&epochs=1&runs=1&samples=50")
    visitor.press("threshold-new-data")
    assert_well(visitor, "New data")
    visitor.change("threshold-runs", True)
    assert visitor.value("threshold.seed") == 0


@pytest.mark.tensorflow
@pytest.mark.parametrize(("path", "many"), [("", 3), *((p, 25) for p in (*PATHS, *OTHERS))])
def test_links_that_nobody_made_are_answered(app, path, many):
    draw, before = random.Random(0), app.words()
    names = [*KINDS["threshold"], *KINDS["two-blob"], *COMPARED, "start", "embed", HUGE]
    texts = ["", "nan", "-1", "1e308", "9" * 5_000, "<img src=x onerror=alert(1)>", "\x00", "`*_#"]
    # Streamlit itself drops a link of more than 1,000 parameters.
    queries = [urlencode([(f"unknown{n}", n) for n in range(1_000)])]
    queries += ["x=1&" * 20_000, "%", "&&&=", "a", "%ff%fe", "?" * 1_000]
    queries += [f"{name}={name}" for name in ("fixes", "start", "problem", "__proto__")]
    while len(queries) < many:
        pairs = [(draw.choice(names), draw.choice(texts)) for _ in range(draw.randint(1, 9))]
        queries.append(urlencode(pairs, quote_via=quote))
    for query in queries[:many]:
        with Session(app.address, patience=HANGING) as stranger:
            stranger.open(path, query)
            assert_well(stranger, query[:200])
            assert len([*stranger.of("alert")]) < query_params.MOST_NOTICES + 4
            assert all(len(alert.body) < 1_000 for alert in stranger.of("alert"))
    assert "Traceback" not in app.words().removeprefix(before)


# --- JSON ---------------------------------------------------------------------------------------

EXPERIMENTS = [
    *(problem.experiment for problem in PROBLEMS.values()),
    *(form for problem in PROBLEMS.values() for form in problem.variants.values()),
    Experiment.from_json(
        '{"kind":"Experiment","data":{"kind":"Data","source":{"kind":"Table","inputs":[[1,2],[3,4]],'
        '"labels":[0,1]}},"model":{"kind":"Model","layers":[{"kind":"Dropout"},'
        '{"kind":"BatchNormalisation"},{"kind":"Dense","units":1}]},"training":{"kind":"Training",'
        '"optimizer":{"kind":"SGD","momentum":0.5}}}'
    ),
]
PLAIN = some.recursive(
    some.one_of(
        some.none(),
        some.booleans(),
        some.integers(),
        some.floats(),
        some.text(some.characters(), max_size=20),
        some.sampled_from([10**400, -(10**18), 1e308, "\ud800", HUGE[:999], "Adam", "relu"]),
    ),
    lambda inner: some.one_of(
        some.lists(inner, max_size=4),
        some.dictionaries(some.sampled_from(["kind", "units", "rate", "layers", "x"]), inner),
        some.just({"kind": "SGD"}),
    ),
    max_leaves=6,
)


def places(plain, path=()):
    """Every place in a tree of lists and dictionaries."""
    yield path
    if isinstance(plain, (dict, list)):
        for name in plain if isinstance(plain, dict) else range(len(plain)):
            yield from places(plain[name], (*path, name))


@some.composite
def mutated(draw) -> str:
    """The JSON of an experiment, changed in one to three places, or cut."""
    plain = json.loads(draw(some.sampled_from(EXPERIMENTS)).to_json())
    for _ in range(draw(some.integers(1, 3))):
        path = draw(some.sampled_from(list(places(plain))[1:]))
        parent = plain
        for step in path[:-1]:
            parent = parent[step]
        change = draw(some.sampled_from(["replace", "replace", "delete", "repeat", "rename"]))
        if change == "delete":
            del parent[path[-1]]
        elif change == "repeat" and isinstance(parent, list):
            parent.extend(parent[:9] * draw(some.sampled_from([1, 20])))
        elif change == "rename" and isinstance(parent, dict):
            parent[draw(some.text(max_size=9))] = parent.pop(path[-1])
        else:
            parent[path[-1]] = copy.deepcopy(draw(PLAIN))
        if len(list(places(plain))) < 2:
            break
    text = json.dumps(plain)
    if draw(some.integers(0, 9)) == 0:
        cut = draw(some.integers(0, len(text)))
        text = (
            text[:cut] + draw(some.sampled_from(["", "}", "\x00", '"kind":"Adam",'])) + text[cut:]
        )
    return text


def read(text: str) -> Experiment | None:
    """The experiment, or None where it is refused, in words that a page can show."""
    try:
        return Experiment.from_json(text)
    except InvalidExperiment as error:
        said = str(error)
        said.encode()  # raises for half a surrogate pair, which no browser can be sent
        assert len(said) < 2_000
        return None


@settings(max_examples=1_500, **ALWAYS_THE_SAME)
@given(mutated())
def test_changed_json_is_an_experiment_or_refused(text):
    experiment = read(text)
    if experiment is not None:
        assert Experiment.from_json(experiment.to_json()) == experiment


@settings(max_examples=500, **ALWAYS_THE_SAME)
@given(some.one_of(some.text(max_size=200), PLAIN.map(json.dumps)))
def test_any_other_text_is_refused(text):
    assert read(text) is None


ASKED = EXPERIMENTS[0].to_json()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        "[" * 700 + "]" * 700,
        '{"kind":"Model","layers":' * 400 + "1" + "}" * 400,
        '{"kind":"Adam","learning_rate":' * 100_000,
        ASKED.replace('"epochs":10', f'"epochs":{"9" * 100_000}'),
        ASKED.replace('"epochs":10', '"epochs":1e999'),
        ASKED.replace('"epochs":10', f'"epochs":{[0] * 1_000_000}'),
        ASKED.replace('"epochs":10', f'"epochs":{"[" * 400}{"]" * 400}'),
        ASKED.replace('"epochs":10', f'"epochs":"{"x" * 3_000_000}"'),
        ASKED.replace('"label_values":[0.0,1.0]', f'"label_values":{list(range(400_000))}'),
        ASKED.replace('"layers":[', '"layers":[' + '{"kind":"Dropout","rate":0.5},' * 50_000),
        "{" + ",".join(f'"{n}":{n}' for n in range(300_000)) + "}",
    ],
    ids=lambda text: f"{text[:12]}... of {len(text)}",
)
def test_large_or_deep_json_is_refused_within_bounds(text):
    tracemalloc.start()
    try:
        assert read(text) is None
        assert tracemalloc.get_traced_memory()[1] < 100e6 + 40 * len(text)
    finally:
        tracemalloc.stop()


def test_of_a_key_that_is_given_twice_the_last_one_holds():
    twice = ASKED.replace('"epochs":10', '"epochs":10,"epochs":11')
    assert read(twice).training.epochs == 11
    assert read(ASKED.replace('"epochs":10', '"epochs":10,"epochs":-1')) is None
