"""Population-based training: what is copied, how far θ moves, and that it finds a schedule."""

import math

import pytest
import torch

from engine import run
from engine.events import Point
from engine.population import meta_losses
from engine.searches.population_based import PopulationBased
from engine.spec import SpecError, read_text, validate
from tests.engine.problems import quadratic
from tests.engine.searches.generations import generation_of

LOG_RATE = {"kind": "learning_rate", "initial": 0.1, "scale": "log"}
MOMENTUM = {"kind": "momentum", "learning_rate": 0.1, "momentum": 0.5}


def noisy(**changes):
    return quadratic(LOG_RATE, noise=0.3, **changes)


def begun(problem, *, seeds=(0,), **chosen):
    """A search after its first evaluation."""
    search = PopulationBased(**chosen)
    carry = search.start(problem, problem.initial_meta(0), 0)
    return search, *search.evaluate(problem, carry, list(seeds))


@pytest.mark.parametrize("chunk", [None, 1, 2])
def test_every_member_is_an_inner_loop_of_its_own(chunk) -> None:
    """The trained states and losses are those of the same steps, member by member."""
    problem = noisy(optimizer=MOMENTUM)
    _, generation, carry = begun(problem, population=5, interval=4, chunk=chunk)
    for member in range(5):
        meta = {"learning_rate": generation.metas["learning_rate"][member]}
        state = problem.initial_state(meta, 0)
        for t in range(4):
            state = problem.step(state, meta, t)
        found = {name: leaf[member] for name, leaf in carry["states"][0]["params"].items()}
        torch.testing.assert_close(found, state["params"])
        loss = problem.meta_loss(state, meta, 4)
        torch.testing.assert_close(generation.losses[member], loss)
    assert generation.at_incumbent == float(generation.losses.min())
    assert generation.inner_steps == 5 * 4


def test_exploit_copies_state_and_theta_of_the_best_and_leaves_the_others() -> None:
    problem = noisy(optimizer=MOMENTUM)
    search, generation, carry = begun(problem, population=10, interval=4, quantile=0.3, sigma=1.0)
    after = search.observe(carry, generation)
    order = generation.losses.argsort().tolist()
    best, kept, worst = order[:3], order[:-3], order[-3:]
    old, new = carry["states"][0], after["states"][0]

    def same(member, parent) -> bool:
        return torch.equal(new["params"]["w"][member], old["params"]["w"][parent]) and torch.equal(
            new["optimizer"]["velocity"]["w"][member], old["optimizer"]["velocity"]["w"][parent]
        )

    before, rates = carry["members"]["learning_rate"], after["members"]["learning_rate"]
    for member in kept:
        assert same(member, member)
        assert rates[member] == before[member]
    for member in worst:
        [parent] = [parent for parent in best if same(member, parent)]
        ratio = float((rates[member] - before[parent]).exp())
        assert ratio == pytest.approx(0.8) or ratio == pytest.approx(1.2)
    assert torch.equal(after["mean"]["learning_rate"], before[order[0]])


def test_explore_tosses_a_coin_for_every_entry() -> None:
    """Linear entries are multiplied, logarithms shifted."""
    problem = quadratic(
        {"kind": "learning_rate", "granularity": "per_step", "initial": 0.1},
        {"kind": "weight_decay", "initial": 0.1, "scale": "log"},
        steps=50,
    )
    search = PopulationBased(population=40, quantile=0.5, sigma=0.01)
    carry = search.start(problem, problem.initial_meta(0), 0)
    metas = search.propose(carry)
    losses = torch.arange(40, dtype=torch.float64)
    losses[1:20] = math.nan
    after = search.observe(carry, generation_of(metas, losses))["members"]
    # Member 0 is the best by far, and the others of its quantile, if any, have no finite loss.
    order = losses.nan_to_num(math.inf).argsort(stable=True)
    replaced = order[-20:]
    parents = order[:20]
    ratios = after["learning_rate"][replaced][:, None] / metas["learning_rate"][parents][None]
    allowed = torch.isclose(ratios, ratios.new_tensor(0.8)) | torch.isclose(
        ratios, ratios.new_tensor(1.2)
    )
    own = allowed.all(2)
    assert (own.sum(1) == 1).all()
    assert losses[parents[own.int().argmax(1)]].isfinite().all()
    ups = ratios[own] > 1
    assert abs(float(ups.double().mean()) - 0.5) < 4 * 0.5 / math.sqrt(ups.numel())
    shifts = after["weight_decay"][replaced] - metas["weight_decay"][parents[own.int().argmax(1)]]
    assert set(shifts.exp().mul(10).round().int().tolist()) == {8, 12}
    assert not torch.equal(ups[0], ups[1])


def test_the_members_begin_again_at_the_horizon() -> None:
    problem = noisy(steps=10)
    search = PopulationBased(population=4, interval=4)
    carry, done, spent = search.start(problem, problem.initial_meta(0), 0), [], []
    for draw in range(6):
        generation, evaluated = search.evaluate(problem, carry, [draw, 100 + draw])
        spent.append(generation.inner_steps)
        carry = search.observe(evaluated, generation)
        done.append(carry["done"])
        if carry["states"]:
            first = draw // 3 * 3
            seeds = [int(state["seed"][0]) for state in carry["states"]]
            assert seeds == [first, 100 + first]
    assert done == [4, 8, 0] * 2
    assert spent == [4 * 4 * 2, 4 * 4 * 2, 4 * 2 * 2] * 2


def test_several_inner_loops_are_judged_by_their_mean() -> None:
    problem = noisy()
    _, both, _ = begun(problem, population=4, seeds=(0, 1))
    alone = [begun(problem, population=4, seeds=(seed,))[1].losses for seed in (0, 1)]
    torch.testing.assert_close(both.losses, torch.stack(alone).mean(0))


def test_objective_average_judges_the_mean_over_the_interval() -> None:
    problem = noisy(objective="average")
    _, generation, _ = begun(problem, population=3, interval=5)
    meta = {"learning_rate": generation.metas["learning_rate"][1]}
    state, losses = problem.initial_state(meta, 0), []
    for t in range(5):
        state = problem.step(state, meta, t)
        losses.append(problem.meta_loss(state, meta, t + 1))
    torch.testing.assert_close(generation.losses[1], torch.stack(losses).mean())


@pytest.mark.parametrize("seed", range(3))
def test_beats_every_fixed_learning_rate_that_it_started_from(seed) -> None:
    """On a noisy bowl a rate that falls is better than any that stays."""
    problem = quadratic(
        LOG_RATE, noise=1.0, shift=0.0, steps=200, dimension=30, condition_number=10.0
    )
    search = PopulationBased(population=20, interval=20, sigma=1.0)
    carry = search.start(problem, problem.initial_meta(seed), seed)
    fixed = meta_losses(problem, search.propose(carry), seed, chunk=20)
    rates = []
    for _ in range(200 // 20):
        generation, evaluated = search.evaluate(problem, carry, [seed])
        rates.append(float(generation.incumbent["learning_rate"]))
        carry = search.observe(evaluated, generation)
    assert carry["done"] == 0
    assert generation.at_incumbent < float(fixed.min())
    assert rates[-1] < rates[0]


def test_a_run_reports_the_best_member_and_the_steps_that_were_spent() -> None:
    spec = validate(
        {
            "inner_task": {"kind": "quadratic", "dimension": 5, "noise": 0.1},
            "inner": {"steps": 12},
            "meta_parameters": [LOG_RATE],
            "estimators": [{"kind": "population_based", "population": 6, "interval": 5}],
            "outer": {"steps": 4, "meta_batch": 2},
        }
    )
    points = [event.values for event in run(spec) if isinstance(event, Point)]
    assert [point["inner_steps"] for point in points] == [60, 120, 144, 204]
    for point in points:
        assert point["meta_loss"] == point["best"]
        assert math.isfinite(point["sigma"])
    assert len({point["theta.learning_rate"] for point in points}) > 1
    assert points[0]["peak_bytes"] > 0


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("interval: 31", "estimators.0.interval", "1 to the horizon, inner.steps = 30"),
        ("quantile: 0.6", "estimators.0.quantile", "less than or equal to 0.5"),
        ("population: 1", "estimators.0.population", "greater than or equal to 2"),
    ],
)
def test_a_refusal_names_the_field(text, path, message) -> None:
    with pytest.raises(SpecError) as refused:
        read_text(f"inner: {{steps: 30}}\nestimators: [{{kind: population_based, {text}}}]")
    [error] = refused.value.errors
    assert error.path == path
    assert message in error.message


def test_initial_parameters_are_refused() -> None:
    with pytest.raises(SpecError, match="initial parameters act only before"):
        read_text(
            "meta_parameters: [{kind: initialisation}]\nestimators: [{kind: population_based}]"
        )
