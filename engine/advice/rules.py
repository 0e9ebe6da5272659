"""The rules of advice, as a table: for whom, when, to what effect, and on what it rests.

A rule speaks for an estimator or against it. The strongest effect against it decides, in the order
of `EFFECTS`; where nothing speaks against it, what speaks for it. Estimators of one effect stand in
the order of the rule that decided, so the order of this table is the order of advice; then the
faster before the slower, and the smaller before the larger. There is no score.

What this lab has measured comes before what is expected: a rule that expects bias or variance is
silent about an estimator whose bias or variance has been measured on problems like this one.
Free of torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from engine.advice.case import Case
from engine.advice.conditions import (
    FEW_FOR_A_SEARCH,
    FEW_TANGENTS,
    LARGE_BIAS,
    LARGE_VARIANCE,
    NOTICED_BIAS,
    NOTICED_VARIANCE,
    fits_well,
    gradients_exploded,
    has_many_directions,
    has_storage,
    is_cut,
    is_far_from_stationary,
    is_over_time,
    is_slower,
    measured,
    takes_random_directions,
)  # fmt: skip
from engine.advice.stationarity import NEAR

Effect = Literal["suits", "possible", "costs", "avoid", "cannot"]
EFFECTS: tuple[Effect, ...] = ("suits", "possible", "costs", "avoid", "cannot")
"""The best first. `possible` is what no rule speaks about."""

LAB = "this lab's finished runs"
FORECAST = "the forecast (docs/forecast.md)"
SEARCHES = ("elites", "cma_es", "random", "grid", "bayesian", "population_based")


class Rule(NamedTuple):
    name: str
    effect: Effect
    kinds: tuple[str, ...]
    """Of the estimators that it speaks about; empty means all."""
    when: str
    """`holds` in words."""
    holds: Callable[[Case], bool]
    sentence: str
    """With the words of `Case.words` in braces."""
    source: str
    expects: Literal["bias", "variance"] | None = None
    """What it expects without having measured it."""

    def speaks(self, case: Case) -> bool:
        if self.kinds and case.kind not in self.kinds:
            return False
        if self.expects and case.past is not None and getattr(case.past, self.expects) is not None:
            return False
        return self.holds(case)


RULES: tuple[Rule, ...] = (
    # Against: cannot.
    Rule("refused", "cannot", (),
         "the spec's rules or preflight refuse it",
         lambda case: bool(case.candidate.refusals or case.obstacles),
         "{refusals}", "the spec's rules and preflight (docs/support-matrix.md)"),
    Rule("memory", "cannot", (),
         "its live tensors are more than the machine has, or than the budget allows",
         lambda case: case.fit is not None and case.fit.verdict == "will not fit",
         "{fit}", FORECAST),
    Rule("time", "cannot", (),
         "the lower end of the forecast's interval is past the budget",
         is_over_time,
         "a run takes {seconds}, and the budget allows {allowed}", FORECAST),
    # Against: avoid.
    Rule("failures", "avoid", (),
         "all runs like this one failed",
         lambda case: case.past is not None and case.past.failed == case.past.runs > 0,
         "it failed in all of {runs} like this one", LAB),
    Rule("measured bias", "avoid", (),
         "a measured bias of at least half the gradient's norm",
         measured("bias", LARGE_BIAS),
         "its bias was {bias} of the exact gradient's norm in {runs} like this one", LAB),
    Rule("measured variance", "avoid", (),
         "a measured variance of at least 10 times the squared gradient",
         measured("variance", LARGE_VARIANCE),
         "its variance was {variance} times the squared gradient in {runs} like this one", LAB),
    Rule("outcome", "avoid", (),
         "on this very problem another ended clearly lower: by two standard errors",
         lambda case: case.best_before is not None,
         "it ended at a meta-loss of {loss} on this problem, and {best} went lower", LAB),
    Rule("exploding gradients", "avoid", (),
         "it differentiates the path, and exact gradients reached a norm of 1e6 here",
         gradients_exploded,
         "exact gradients of runs like this one reached a norm of {norm}: the meta-loss is chaotic "
         "there, and a derivative at one point says little of it",
         "Metz et al. (2021), 'Gradients are not all you need'"),
    Rule("many meta-parameters by chance", "avoid", ("evolution", "forward_mode"),
         "random directions in 500 dimensions or more, though there is a gradient",
         lambda case: has_many_directions(case) and case.facts.differentiable,
         "random directions in {entries} dimensions: the variance grows with their number",
         "docs/results/evolution-on-initial-parameters.json: with 16 particles 102 times the "
         "squared gradient at 650 entries and 767 times at 7,210; Nesterov and Spokoiny (2017)",
         "variance"),
    Rule("many meta-parameters for a search", "avoid", SEARCHES,
         "more than 10 dimensions, though there is a gradient",
         lambda case: case.facts.meta_parameters > FEW_FOR_A_SEARCH and case.facts.differentiable,
         "a search in {entries} dimensions, where there is a gradient",
         "Bergstra and Bengio (2012): random and grid search serve a few effective dimensions"),
    Rule("still far from stationary", "avoid", ("implicit", "self_tuning"),
         "a quarter of the way to the minimum may be left, by convexity and step size",
         is_far_from_stationary,
         "up to {left} of the way to the inner loss's minimum may be left after {steps}, "
         "and the theorem holds at the minimum alone",
         "docs/results/advice-evidence.json: biases of 0.35 and 0.63 with 73 % and 40 % left; "
         "Rajeswaran et al. (2019)", "bias"),
    Rule("windows without memory", "avoid", ("evolution",),
         "the mode truncated_es",
         lambda case: getattr(case.estimator, "mode", None) == "truncated_es",
         "it forgets earlier windows, and is biased and random at once; persistent evolution takes "
         "as long",
         "Vicol et al. (2021); docs/results/learned-schedule.json: a loss of 13.6, and 5.9 with "
         "persistent perturbations", "bias"),
    # Against: costs.
    Rule("tight", "costs", (),
         "it fits tightly",
         lambda case: case.fit is not None and case.fit.verdict == "tight",
         "{fit}", FORECAST),
    Rule("slower", "costs", (),
         "exact, and slower than the fastest exact one: 2.25 times by forecast, 1.2 measured",
         is_slower,
         "the same gradient in {slower} times the time of the fastest that runs here", FORECAST),
    Rule("the path left out", "costs", ("implicit", "self_tuning"),
         "that the inner loop ends at its minimum is not certain",
         lambda case: case.facts.stationarity != "reached" and not is_far_from_stationary(case),
         "that the inner loop ends at a minimum is not certain: its bias has to be measured",
         "docs/results/advice-evidence.json: a bias of 0.07 with 29 % of the way left",
         "bias"),
    Rule("short windows", "costs", ("truncated",),
         "a window shorter than the horizon",
         is_cut,
         "it sees {window} of {steps}, and is biased to what pays at once",
         "Wu et al. (2018); docs/results/advice-evidence.json: on influence balancing the sign is "
         "wrong up to windows of 20", "bias"),
    Rule("first order", "costs", ("fomaml", "reptile"),
         "always",
         lambda case: True,
         "it leaves second derivatives out",
         "docs/results/sinusoids.json: a test loss of 1.28 and 0.85, and 0.74 with them; "
         "docs/results/few-shot.json: 88.4 % and 91.9 % of letters", "bias"),
    Rule("measured noise", "costs", (),
         "a measured variance of a quarter of the squared gradient and more",
         measured("variance", NOTICED_VARIANCE, LARGE_VARIANCE),
         "its variance was {variance} times the squared gradient in {runs} like this one", LAB),
    Rule("some measured bias", "costs", (),
         "a measured bias of a twentieth of the gradient's norm and more",
         measured("bias", NOTICED_BIAS, LARGE_BIAS),
         "its bias was {bias} of the exact gradient's norm in {runs} like this one", LAB),
    Rule("chance", "costs", ("evolution", "forward_mode"),
         "random directions, though there is a gradient",
         lambda case: takes_random_directions(case) and case.facts.differentiable,
         "a random estimate, where the gradient itself can be had",
         "docs/results/elites.json: with 8 particles a variance of 0.9 times the squared gradient "
         "of one learning rate", "variance"),
    Rule("no baseline", "costs", ("reinforce",),
         "the baseline none",
         lambda case: getattr(case.estimator, "baseline", None) == "none",
         "nothing is taken off its losses, so they vary more",
         "docs/results/controller.json: a variance of 4.6 times the squared gradient, and 0.65 "
         "with the mean of the others taken off", "variance"),
    Rule("a tangent for each", "costs", ("forward_mode",),
         "exact, for more than 4 meta-parameters",
         lambda case: case.exact and case.facts.meta_parameters > FEW_TANGENTS,
         "it carries {entries} tangents, and its time grows with them",
         "docs/results/advice-evidence.json: 30 tangents took 3.4 times as long as checkpoints"),
    Rule("no gradient asked for", "costs", SEARCHES,
         "there is a gradient",
         lambda case: case.facts.differentiable,
         "it asks for the meta-loss of every proposal and for no gradient",
         "docs/results/elites.json: 24 inner loops in each of as many outer steps"),
    Rule("states of every step", "costs", ("unrolled", "fomaml"),
         "the storage per_step",
         lambda case: has_storage(case, "per_step"),
         "it keeps every state, and checkpoints need fewer and no more time",
         "benchmarks/README.md: 4.22 times plain training and 1.2 MB, with checkpoints 3.29 and 0.5"
         ),
    # In favour.
    Rule("choices", "suits", ("reinforce",),
         "θ is a policy that draws choices",
         lambda case: case.facts.draws_choices,
         "θ draws choices, and it makes the good ones more probable",
         "docs/results/controller.json: bias of a tenth at a variance of 0.6; Williams (1992)"),
    Rule("the whole graph fits", "suits", ("unrolled",),
         "the storage full, and it fits well or its size is not known",
         lambda case: has_storage(case, "full") and fits_well(case),
         "exact, and the fastest of the exact ones, {room}",
         "benchmarks/README.md: 2.0 times plain training, with checkpoints 3.3"),
    Rule("the inner loop ends", "suits", ("implicit",),
         "at most a twentieth of the way is left, by convexity and step size",
         lambda case: case.facts.stationarity == "reached",
         "at most {left} of the way is left, and memory does not grow with the horizon",
         f"docs/results/advice-evidence.json: a bias below 0.01 with less than {NEAR:.0%} left; "
         "Lorraine et al. (2020)"),
    Rule("few tangents", "suits", ("forward_mode",),
         "exact, for at most 4 meta-parameters",
         lambda case: case.exact and case.facts.meta_parameters <= FEW_TANGENTS,
         "exact with {entries} tangent{plural}, in memory that does not grow with the horizon",
         "benchmarks/README.md: one tangent 2.3 times plain training, checkpoints 3.3; "
         "docs/results/advice-evidence.json: up to 4 tangents faster; Franceschi et al. (2017)"),
    Rule("checkpoints", "suits", ("unrolled",),
         "the storage checkpoint",
         lambda case: has_storage(case, "checkpoint"),
         "exact at any horizon: memory grows with √T, for a second forward pass",
         "benchmarks/README.md: 4,000 steps of the lecture's network in 322 MB, whose graph has "
         "17.6 GB"),
    Rule("nothing to differentiate, few meta-parameters", "suits", (*SEARCHES, "evolution"),
         "the meta-loss has no gradient, and at most 10 dimensions",
         lambda case: not case.facts.differentiable
         and case.facts.meta_parameters <= FEW_FOR_A_SEARCH,
         "the meta-loss has no gradient, and {entries} dimension{plural} can be searched",
         "docs/results/elites.json: a search reached 0.44 where gradients reached 0.55"),
    Rule("nothing to differentiate", "suits", ("evolution",),
         "the meta-loss has no gradient",
         lambda case: not case.facts.differentiable,
         "the meta-loss has no gradient, and its smoothed version has", "Salimans et al. (2017)"),
)  # fmt: skip
"""Within an effect, the earlier rule is the stronger."""
