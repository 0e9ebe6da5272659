"""What evolution refuses, and how its modes are told apart."""

import pytest

from engine.spec import SpecError, expand, read_text
from engine.spec.estimators import Evolution, Truncated


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ("window: 5", "window", "the mode 'antithetic' takes whole inner loops; allowed: nothing"),
        ("mode: pes", "window", "the mode 'pes' goes by windows; allowed: 1 to the horizon"),
        ("mode: noise_reuse, window: null", "window", "goes by windows"),
        ("mode: truncated_es, window: 51", "window", "the horizon, inner.steps = 50"),
        ("mode: pes, window: 0", "window", "greater than or equal to 1"),
        ("mode: persistent, window: 5", "mode", "'truncated_es', 'pes' or 'noise_reuse'"),
        ("particles: 7", "particles", "multiple of 2"),
        ("fitness_shaping: ranks", "fitness_shaping", "'none', 'centred_ranks' or 'standardised'"),
        ("chunk: 0", "chunk", "greater than or equal to 1"),
        ("chunk_bytes: 0", "chunk_bytes", "greater than 0"),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(options, field, message) -> None:
    with pytest.raises(SpecError) as refused:
        read_text(f"estimators: [{{kind: evolution, {options}}}]")
    [error] = refused.value.errors
    assert error.path == f"estimators.0.{field}"
    assert message in error.message


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ("", "Evolution, 32 particles, σ = 0.01"),
        (
            ", mode: truncated_es, window: 5",
            "Evolution, truncated windows of 5, 32 particles, σ = 0.01",
        ),
        (", mode: pes, window: 5", "Evolution, persistent windows of 5, 32 particles, σ = 0.01"),
        (
            ", mode: noise_reuse, window: 5, fitness_shaping: centred_ranks",
            "Evolution, reused noise windows of 5, 32 particles, σ = 0.01, centred ranks",
        ),
    ],
)
def test_a_label_tells_the_modes_apart(options: str, label: str) -> None:
    [run] = expand(read_text(f"estimators: [{{kind: evolution{options}}}]"))
    assert run.label == label


def test_what_sees_a_window_at_a_time_declares_it() -> None:
    assert Evolution(mode="pes", window=5).partial
    assert not Evolution().partial
    assert Truncated(mode="windows", online=True).partial
    assert not Truncated(mode="windows").partial
