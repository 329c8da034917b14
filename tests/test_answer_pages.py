"""The comparison and the claims through AppTest, with real trainings in the worker process."""

import time

import pytest

from core.claims import CLAIMS
from core.claims.claim import OURS
from core.posts import POSTS
from core.problems import PROBLEMS
from pages.elements.claims import page as claims_page
from pages.elements.compare import choices
from support.pages import cards, diffs, drawn, finished, opened, texts

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"problem": "xor"}, "`problem` is `xor`"),
        ({"fixes": "sigmoid-output.magic"}, "`fixes` is `magic`"),
        ({"runs": "17"}, "`runs` is `17`"),
        ({"target": "nan"}, "`target` is `nan`"),
        ({"colour": "red"}, "`colour` in the link is not a setting"),
        ({"v": "3"}, "newer version"),
        ({"v": "first"}, "`v` is `first`"),
    ],
)
def test_a_bad_link_to_the_comparison_falls_back_with_a_notice(parameters, said):
    app = opened("compare", **parameters)
    (warning,) = (warning.value for warning in app.warning)
    assert said in warning
    assert app.slider(key="compare.target").value == 0.9
    assert "sigmoid-output" in app.pills(key="compare.fixes").value


def test_fixes_are_compared():
    app = opened("compare")
    assert "Recorded on" in texts(app)
    assert "Press **Compare** to train 12 combinations, which takes about" in texts(app)
    assert "combination" in app.header[0].value, "the record is there before any training"
    app.pills(key="compare.fixes").set_value([]).run()
    assert app.button(key="compare-start").disabled
    assert "Choose at least one fix to compare." in texts(app)
    chosen = ["sigmoid-output", "standardise-inputs", "scale-inputs"]
    app.pills(key="compare.fixes").set_value(chosen).run()
    said = " ".join(caption.value for caption in app.caption)
    assert "6 combinations of 3 fixes, 32 runs each: 192 runs in all, about " in said
    assert "Standardise inputs replaces Scale inputs to [0, 1]: they are never combined." in said
    app.button(key="compare-start").click().run()
    finished(app, "combination")
    table = app.dataframe[0].value
    assert len(table) == 6
    assert "Recorded on" not in texts(app)
    assert table["rate"].is_monotonic_decreasing
    (marked,) = (name for name in table["combination"] if name.startswith("\u2605"))
    assert marked == "\u2605 Sigmoid output + Standardise inputs"
    assert table["rate"].max() > 1, "in percent"
    legend = ("Accuracy after each epoch, a line a run:", "failed]", "the target, 90%]")
    assert all(sum(words in text.value for text in app.markdown) == 1 for words in legend)
    assert "32 runs per combination." in [caption.value for caption in app.caption]
    panels = ("As asked", "Sigmoid output", "Standardise inputs", "Sigmoid output + Standardise")
    panels = [f"Accuracy by epoch of every run: {name}" for name in panels]
    assert not drawn(app, *panels), "the most telling ones only"
    app.session_state["compare-others"] = True
    app.run()
    assert drawn(app, *panels)
    assert "; the lower bound of its rate, 84%, is below the required 90%." in cards(app)
    assert drawn(app, "Share of runs that reach 90%", "What each fix adds")
    assert any("need not add up" in caption.value for caption in app.caption)
    winner = app.selectbox(key="compare.combination").value
    assert winner == "sigmoid-output.standardise-inputs"
    assert "Sigmoid output + Standardise inputs" in app.header[0].value
    assert "Likely" in app.header[0].value, "no interval of 32 runs lies at 90% or above"
    assert "per combination, if the rate stays the same" in cards(app)
    app.slider(key="compare.rate").set_value(0.75).run()
    assert app.header[0].value.startswith(":material/check_circle: The smallest")
    app.selectbox(key="compare.combination").set_value("sigmoid-output").run()
    assert "Inputs are not scaled" in cards(app)
    script, diff = app.code[-1].value, diffs(app)[-1]
    assert 'Dense(1, activation="sigmoid")' in script
    assert '+     keras.layers.Dense(1, activation="sigmoid"),' in diff
    app.slider(key="compare.rate").set_value(0.9).run()
    assert app.selectbox(key="compare.combination").value == "sigmoid-output", "it was chosen"
    app.pills(key="compare.fixes").set_value(list(PROBLEMS["threshold"].fixes)).run()
    assert f"choose at most {choices.MOST_FIXES}" in app.error[0].value
    assert "7 fixes are 96 combinations" in app.error[0].value
    assert app.button(key="compare-start").disabled
    assert f"Choose at most {choices.MOST_FIXES}" in " ".join(c.value for c in app.caption)


def test_the_question_as_asked_can_be_the_combination_of_a_link():
    app = opened("compare", fixes="sigmoid-output", combination="", runs="16")
    app.button(key="compare-start").click().run()
    finished(app, "combination")
    assert app.selectbox(key="compare.combination").value == ""


def test_every_claim_is_shown_with_its_verdict():
    app = opened("claims")
    assert len(app.radio(key="claims.claim").options) == len(CLAIMS)
    for key, claim in CLAIMS.items():
        app.radio(key="claims.claim").set_value(key).run()
        assert not app.exception, key
        assert app.header[0].value == claim.text
        assert (claim.criterion is None) == (not app.button)
        if claim.criterion is not None:
            assert drawn(app, "Runs that meet the criterion", "Distribution of the runs'")


def test_the_claim_that_is_shown_is_always_one_that_is_listed():
    app = opened("claims", claim="two-blob-adam-0.1")
    app.segmented_control(key="claims.question").set_value("threshold").run()
    chosen = app.radio(key="claims.claim").value
    assert chosen == next(key for key in CLAIMS if key.startswith("threshold"))
    assert app.header[0].value == CLAIMS[chosen].text
    app.pills(key="claims.verdicts").set_value(["does-not-hold"]).run()
    listed = app.radio(key="claims.claim")
    assert all("Does not hold" in option for option in listed.options)
    assert 0 < len(listed.options) < len(CLAIMS)
    assert app.header[0].value == CLAIMS[listed.value].text
    app.pills(key="claims.verdicts").set_value(["cannot-be-tested"]).run()
    assert "threshold problem" in app.info[0].value
    assert "cannot be tested" in app.info[0].value
    assert not app.header
    app.segmented_control(key="claims.question").set_value("two-blob").run()
    assert app.header[0].value == CLAIMS["two-blob-sigmoid-is-usual"].text


def test_a_link_to_a_claim_lists_it_whatever_was_filtered():
    app = opened("claims", question="threshold", claim="two-blob-adam-0.1")
    assert app.radio(key="claims.claim").value == "two-blob-adam-0.1"
    assert app.segmented_control(key="claims.question").value == "all"
    assert not app.warning


def test_an_unknown_claim_is_named_without_a_list_of_all():
    app = opened("claims", claim="threshold-both-lern")
    (notice,) = (warning.value for warning in app.warning)
    assert notice.startswith("Unknown claim `threshold-both-lern`")
    assert "choose one below" in notice
    assert sum(f"`{key}`" in notice for key in CLAIMS) == 1
    assert "`threshold-both-learn`" in notice
    (notice,) = (warning.value for warning in opened("claims", claim="xyzzy").warning)
    assert not any(key in notice for key in CLAIMS)


def test_the_claims_of_the_posts_and_ours_are_counted_apart_and_the_posts_linked():
    home, claims = opened(), opened("claims")
    assert any(
        "each run ends at exactly the accuracy it has" in text.value for text in home.caption
    )
    for app in (home, claims):
        assert all(f"[{post.title}]({post.url})" in cards(app) for post in POSTS.values())
    ours = [key for key, claim in CLAIMS.items() if claim.source == OURS]
    words = [claims_page.recorded().word(key) for key in CLAIMS if key not in ours]
    for word, verb in (("holds", "hold"), ("does not hold", "do not hold")):
        assert f"{words.count(word)} {verb}" in cards(home)
        assert f"{word.capitalize()} {words.count(word)}]" in cards(claims)
    assert f"**{len(words)} claims from the posts**" in cards(claims)
    assert f"**{len(ours)} claims of our own**" in cards(claims)
    (source,) = (text.value for text in claims.markdown if "Reported:" in text.value)
    assert POSTS["two-blob"].url in source


def test_a_claim_is_tested_again():
    app = opened("claims", claim="two-blob-rmsprop-5", runs="64", seed="3")
    assert app.number_input(key="claims.seed").value == 3
    app.button(key="claims-start").click().run()
    deadline = time.monotonic() + 120
    while not any("Measured just now, seed 3" in caption.value for caption in app.caption):
        assert time.monotonic() < deadline
        time.sleep(0.3)
        app.run()
        assert not app.exception
    assert "of 64" in " ".join(metric.value for metric in app.metric)
    app.radio(key="claims.claim").set_value("two-blob-adam-0.1").run()
    assert any("Recorded on" in caption.value for caption in app.caption)
