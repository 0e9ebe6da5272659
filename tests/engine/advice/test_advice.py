"""Laws of advice: every kind has a verdict, in an order that its rules explain."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.advice.advice import Advice, advise
from engine.advice.facts import History, Past
from engine.advice.rules import EFFECTS, RULES
from engine.presets import PRESETS
from engine.spec import Experiment, read_text, validate
from engine.spec.installed import ESTIMATORS
from engine.support import support_matrix


def check(advice: Advice) -> None:
    """What holds of all advice."""
    verdicts = advice.verdicts
    assert {verdict.kind for verdict in verdicts} == set(ESTIMATORS)
    assert [verdict.rank for verdict in verdicts] == list(range(1, len(verdicts) + 1))
    assert len({verdict.label for verdict in verdicts}) == len(verdicts)
    places = [EFFECTS.index(verdict.effect) for verdict in verdicts]
    assert places == sorted(places)
    assert verdicts[0].why_not is None
    assert all(verdict.why_not for verdict in verdicts[1:])
    sources = {rule.name: rule.source for rule in RULES}
    for verdict in verdicts:
        assert all(sources[reason.rule] == reason.source for reason in verdict.reasons)
        assert "{" not in " ".join(reason.sentence for reason in verdict.reasons)
    assert verdicts[0].label in advice.summary


@pytest.mark.parametrize("slug", [preset.slug for preset in PRESETS])
def test_every_kind_has_a_verdict_for_every_preset(slug) -> None:
    [preset] = [preset for preset in PRESETS if preset.slug == slug]
    experiment = read_text(preset.text)
    advice = advise(experiment)
    check(advice)
    asked = {verdict.label for verdict in advice.verdicts if verdict.asked}
    assert asked == {estimator.label for estimator in experiment.estimators}


def test_every_kind_has_a_verdict_for_all_that_the_support_matrix_allows() -> None:
    """One experiment for each inner task and meta-parameter; what can run is what it allows."""
    first = {}
    for cell in support_matrix():
        if cell.allowed:
            first.setdefault((cell.inner_task, cell.meta_parameter), cell)
    for cell in first.values():
        advice = advise(validate(cell.document))
        check(advice)
        assert advice.verdicts[0].effect != "cannot", cell


def short_window() -> Experiment:
    return read_text(PRESETS[0].text)


@given(st.permutations(short_window().estimators))
def test_the_order_of_the_spec_changes_no_effect(estimators) -> None:
    experiment = short_window()
    before = {verdict.label: verdict.effect for verdict in advise(experiment).verdicts}
    shuffled = experiment.model_copy(update={"estimators": estimators})
    assert {verdict.label: verdict.effect for verdict in advise(shuffled).verdicts} == before


@given(st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_a_larger_measured_bias_never_helps(one, other) -> None:
    label = "Truncated, last 20"

    def rank(bias: float) -> int:
        history = History(by_label={label: Past(runs=3, bias=bias)})
        [found] = [v for v in advise(short_window(), history=history).verdicts if v.label == label]
        return found.rank

    small, large = sorted([one, other])
    assert rank(small) <= rank(large)


def test_advice_is_free_of_torch() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import engine.advice.advice, engine.forecast.fit, engine.forecast.fixes\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
