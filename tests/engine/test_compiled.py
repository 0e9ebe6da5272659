"""A compiled inner loop has the values of the one that it stands for, whoever estimates."""

import shutil
from functools import cache

import pytest
import torch

from engine import compiled, compiler, run, trees
from engine.building import build_problem, is_compiled
from engine.compiled import Compiled
from engine.estimators import build_estimator, estimate
from engine.events import MEASURED_SERIES, Checkpoint, Point
from engine.presets import PRESETS
from engine.rolling import roll
from engine.spec import read_text, validate
from engine.testing_problems import Ridge
from tests.engine.problems import quadratic
from tests.engine.shuffled import Shuffled

STEPS = 12
ESTIMATORS = [
    {"kind": "unrolled", "storage": "full"},
    {"kind": "unrolled", "storage": "checkpoint"},
    {"kind": "unrolled", "storage": "per_step"},
    {"kind": "unrolled", "segment": 3},
    {"kind": "truncated", "window": 7},
    {"kind": "truncated", "window": 1},
    {"kind": "forward_mode"},
    {"kind": "evolution", "particles": 4},
    {"kind": "implicit"},
]
WINDOWS = {"kind": "truncated", "mode": "windows", "window": 5}
ONLINE = {**WINDOWS, "online": True}


@cache
def pair(objective: str):
    """A problem, and the same compiled in chunks of two steps (which takes seconds)."""
    if objective == "final":
        plain = quadratic({"kind": "learning_rate"}, {"kind": "momentum"}, steps=STEPS, noise=0.1,
                          dimension=3, optimizer={"kind": "momentum"})  # fmt: skip
    else:
        plain = Ridge(dtype=torch.float64, objective="average")
    return plain, Compiled(plain)


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch) -> None:
    monkeypatch.setattr(compiled, "MOST_STEPS", 2)


def cases():
    yield from (("final", spec) for spec in ESTIMATORS)
    yield from (("average", spec) for spec in (*ESTIMATORS[:5], WINDOWS, ONLINE))


def test_the_way_back_of_a_schedule_is_compiled_too(short_chunks) -> None:
    """What nothing uses any more of its constants has no values: they are not kept for it."""
    [preset] = [preset for preset in PRESETS if preset.slug == "learned-schedule"]
    spec = read_text(preset.text)
    inner = spec.inner.model_copy(update={"program": "compiled"})
    problem = build_problem(spec.model_copy(update={"inner": inner, "device": "cpu"}))
    if shutil.which("g++"):
        assert problem._has("pull back"), problem.health_notes


@pytest.mark.parametrize(("objective", "spec"), cases(), ids=str)
def test_every_estimate_is_the_same(objective: str, spec: dict) -> None:
    estimator, found = build_estimator(spec), []
    for problem in pair(objective):
        meta = problem.initial_meta(1)
        carry = estimator.start(problem, meta, 1)
        for _ in range(3):
            one, carry = estimator.estimate(problem, meta, carry)
            found.append(one)
    for written, chunked in zip(found[:3], found[3:], strict=True):
        assert chunked.meta_loss == pytest.approx(written.meta_loss, rel=1e-12)
        difference = trees.flat(chunked.gradient) - trees.flat(written.gradient)
        assert difference.norm() <= 1e-12 * trees.flat(written.gradient).norm()


def test_a_chunk_knows_the_parts_of_a_state_by_their_names() -> None:
    problem = Compiled(Shuffled())
    meta = problem.initial_meta(0)
    for estimator in ({"kind": "unrolled", "segment": 5}, {"kind": "truncated", "window": 7}):
        found, expected = (estimate(each, estimator, meta) for each in (problem, Shuffled()))
        assert found.health.notes == expected.health.notes == []
        difference = trees.flat(found.gradient) - trees.flat(expected.gradient)
        assert difference.norm() <= 1e-12 * trees.flat(expected.gradient).norm()


@pytest.mark.parametrize("objective", ["final", "average"])
def test_repetitions_have_the_same_bits(objective: str) -> None:
    problem = pair(objective)[1]
    meta = problem.initial_meta(0)
    first, second = (estimate(problem, {"kind": "unrolled"}, meta) for _ in range(2))
    assert first.meta_loss == second.meta_loss
    assert torch.equal(trees.flat(first.gradient), trees.flat(second.gradient))
    if shutil.which("g++"):
        assert problem.health_notes == []
        assert problem.chunk == 2


def test_states_between_chunks_are_counted_as_memory() -> None:
    """With all storages the same, what is kept are the states at the starts of chunks."""
    plain, chunked = pair("final")
    meta = plain.initial_meta(0)
    full = {"kind": "unrolled", "storage": "full"}
    estimate(chunked, full, meta)
    state_bytes = 2 * 3 * 8
    with_chunks = estimate(chunked, full, meta).cost.peak_bytes
    assert STEPS // 2 * state_bytes <= with_chunks < estimate(plain, full, meta).cost.peak_bytes


def test_what_is_differentiated_or_mapped_runs_step_by_step() -> None:
    plain, chunked = pair("final")
    meta = plain.initial_meta(0)
    start = plain.initial_state(meta, 0)

    def loss(problem, rate: torch.Tensor) -> torch.Tensor:
        return roll(problem, start, {**meta, "learning_rate": rate}, 0, STEPS)[1]

    rates = torch.tensor([0.05, 0.1], dtype=torch.float64)
    for transform in (
        torch.func.vmap,
        lambda f: torch.func.jacrev(lambda rates: f(rates.sum())),
        lambda f: lambda rates: torch.func.jvp(lambda rates: f(rates.sum()), (rates,), (rates,))[1],
    ):
        expected, found = (
            transform(lambda rate, problem=problem: loss(problem, rate))(rates)
            for problem in (plain, chunked)
        )
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=0.0)


def test_without_a_compiler_the_loop_runs_step_by_step_and_says_so(monkeypatch) -> None:
    def broken(function, inputs):
        raise OSError("no working C++ compiler\nand more")

    monkeypatch.setattr(compiled, "compiled", broken)
    plain = quadratic(steps=STEPS)
    problem = Compiled(plain)
    meta = plain.initial_meta(0)
    found, expected = (estimate(one, {"kind": "unrolled"}, meta) for one in (problem, plain))
    torch.testing.assert_close(found.gradient, expected.gradient, rtol=1e-12, atol=0.0)
    assert found.health.notes == problem.health_notes == [
        "the inner loop could not be compiled and runs step by step, more slowly "
        "(OSError: no working C++ compiler)"
    ]  # fmt: skip


def test_a_program_with_other_values_is_refused() -> None:
    values = [torch.tensor([1.0, 2.0]), torch.tensor(3)]
    compiler._require_close([values[0] + 1e-5, values[1]], values)
    with pytest.raises(ArithmeticError, match="other values"):
        compiler._require_close([values[0] + 0.1, values[1]], values)


def test_it_is_the_problem_in_everything_else() -> None:
    plain, chunked = pair("average")
    assert not hasattr(chunked, "missing")
    assert chunked.horizon == plain.horizon
    assert chunked.exact == plain.exact
    torch.testing.assert_close(
        chunked.inner_loss({"w": plain.optimum}, plain.initial_meta(0)),
        plain.inner_loss({"w": plain.optimum}, plain.initial_meta(0)),
    )


def experiment(program: str, **outer):
    return validate(
        {
            "inner_task": {"kind": "quadratic", "dimension": 3},
            "inner": {"steps": 5, "program": program},
            "outer": {"steps": 4, **outer},
            "probes": {"every": 2},
            "precision": "float64",
            "device": "cpu",
        }
    )


def figures(events) -> list[dict[str, float]]:
    return [
        {name: value for name, value in event.values.items() if name not in MEASURED_SERIES}
        for event in events
        if isinstance(event, Point)
    ]


def test_a_run_has_the_same_figures_at_every_level_and_resumed() -> None:
    eager, traced, auto = (figures(run(experiment(p))) for p in ("eager", "traced", "auto"))
    assert eager[0]["meta_loss"] == traced[0]["meta_loss"]
    assert traced == auto
    whole = list(run(experiment("compiled"), checkpoint_seconds=0.0))
    same = ("meta_loss", "gradient_norm", "theta.learning_rate")
    for found in (eager, figures(whole)):
        for one, other in zip(found, traced, strict=True):
            assert [one[name] for name in same] == pytest.approx(
                [other[name] for name in same], rel=1e-12
            )
    kept = next(event for event in whole if isinstance(event, Checkpoint) and event.step == 2)
    assert figures(run(experiment("compiled"), kept)) == figures(whole)[2:]


def test_auto_compiles_where_it_pays_and_no_preset_is_such_a_run() -> None:
    assert is_compiled(experiment("auto", steps=1000, meta_batch=200))
    assert not is_compiled(experiment("auto", steps=1000, meta_batch=199))
    assert not is_compiled(experiment("traced", steps=1000, meta_batch=200))
    assert isinstance(build_problem(experiment("compiled")), Compiled)
    assert not any(is_compiled(read_text(preset.text)) for preset in PRESETS)
