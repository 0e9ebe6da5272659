"""Advice for a problem and a budget: all estimators in order, with reasons, and two sentences.
Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.advice.candidates import candidates
from engine.advice.case import Case
from engine.advice.facts import Facts, History, facts_of
from engine.advice.rules import EFFECTS, RULES, Effect, Rule
from engine.forecast.fit import Fit, fit, readable
from engine.forecast.records import EstimatorForecast, Machine, Record
from engine.spec.estimator import Estimator
from engine.spec.experiment import Experiment

MOST_NAMED = 2
"""Estimators of which the summary says why not."""


class Reason(Record):
    """A rule that spoke."""

    rule: str
    effect: Effect
    sentence: str
    source: str


class Verdict(Record):
    """What is advised of one estimator."""

    rank: int
    """From 1, the best."""
    kind: str
    label: str
    spec: dict[str, Any]
    asked: bool
    """Whether the spec names it."""
    effect: Effect
    reasons: list[Reason]
    """All that spoke, the decisive one first."""
    why_not: str | None
    """Nothing for the one that is advised."""
    forecast: EstimatorForecast | None = None
    fit: Fit | None = None


class Advice(Record):
    facts: Facts
    summary: str
    """Two sentences: which one and why, and why not others."""
    verdicts: list[Verdict]
    """Every kind of estimator and search, the best first."""


def advise(
    experiment: Experiment,
    *,
    forecast: Callable[[Experiment], EstimatorForecast | None] | None = None,
    machine: Machine | None = None,
    history: History | None = None,
    obstacles: Mapping[str, Sequence[str]] | None = None,
) -> Advice:
    """The estimators for `experiment` in order, by `engine.advice.rules`.

    `forecast` is asked for each that the spec's rules allow, with an experiment that has no other
    and no sweep; what it does not know of one is left open. `machine` is where it must fit.
    `obstacles` are what preflight said against an estimator, by its label.
    """
    facts = facts_of(experiment, history)
    cases: list[Case] = []
    for candidate in candidates(experiment):
        found = None
        if forecast is not None and not candidate.refusals:
            found = forecast(_alone(experiment, candidate.estimator))
        label = candidate.estimator.label
        case = Case(
            candidate,
            facts,
            obstacles=tuple((obstacles or {}).get(label, ())),
            forecast=found,
            fit=None if found is None or machine is None
            else fit(found, machine, experiment.budget.bytes),
            past=history.by_label.get(label) if history else None,
            seconds_allowed=experiment.budget.seconds,
            beside=cases,
        )  # fmt: skip
        cases.append(case)
    judged = sorted(((case, _spoken(case)) for case in cases), key=lambda pair: _order(*pair))
    verdicts = [
        _verdict(rank, case, spoken, judged[0]) for rank, (case, spoken) in enumerate(judged, 1)
    ]
    return Advice(facts=facts, summary=_summary(verdicts), verdicts=verdicts)


def _alone(experiment: Experiment, estimator: Estimator) -> Experiment:
    return experiment.model_copy(update={"estimators": [estimator], "sweep": {}})


def _spoken(case: Case) -> list[Rule]:
    """The rules that speak of `case`, the decisive one first."""
    spoken = [rule for rule in RULES if rule.speaks(case)]
    # Of what cannot be, nothing else is worth saying.
    spoken = [rule for rule in spoken if rule.effect == "cannot"] or spoken
    return sorted(spoken, key=lambda rule: -EFFECTS.index(rule.effect))


def _effect(spoken: list[Rule]) -> Effect:
    return spoken[0].effect if spoken else "possible"


def _order(case: Case, spoken: list[Rule]) -> tuple:
    """The effect, the place of the rule that decided, seconds and bytes; unknown ones last."""
    place = RULES.index(spoken[0]) if spoken else len(RULES)
    seconds = float("inf") if case.step_seconds is None else case.step_seconds
    size = float("inf") if case.forecast is None else case.forecast.run_bytes
    return EFFECTS.index(_effect(spoken)), place, seconds, size


def _verdict(rank: int, case: Case, spoken: list[Rule], first: tuple[Case, list[Rule]]) -> Verdict:
    words = case.words
    reasons = [
        Reason(
            rule=rule.name, effect=rule.effect, sentence=rule.sentence.format(**words),
            source=rule.source,
        )
        for rule in spoken
    ]  # fmt: skip
    why_not = None
    if rank > 1:
        against = [reason for reason in reasons if reason.effect != "suits"]
        why_not = against[0].sentence if against else _behind(case, spoken, *first)
    return Verdict(
        rank=rank, kind=case.kind, label=case.estimator.label,
        spec=case.estimator.model_dump(mode="json"), asked=case.candidate.asked,
        effect=_effect(spoken), reasons=reasons, why_not=why_not,
        forecast=case.forecast, fit=case.fit,
    )  # fmt: skip


def _behind(case: Case, spoken: list[Rule], first: Case, decisive: list[Rule]) -> str:
    """Why one that nothing speaks against is not the first."""
    if case.exact and first.exact:
        if case.step_seconds and first.step_seconds:
            ratio = case.step_seconds / first.step_seconds
            room = "" if case.forecast is None else f" and {readable(case.forecast.run_bytes)}"
            return f"the same gradient in {ratio:.2g} times the time{room}"
        own = spoken[0].sentence.format(**case.words) if spoken else "no rule speaks for it"
        return f"the same gradient; {own}"
    if not spoken:
        return f"no rule speaks for it, and one does for {first.estimator.label}"
    if spoken[0] is decisive[0]:
        return f"it suits as well, but {first.estimator.label} is faster, smaller or named first"
    return f"it suits as well, but '{decisive[0].name}' comes before '{spoken[0].name}'"


def _summary(verdicts: list[Verdict]) -> str:
    first, *others = verdicts
    if first.effect == "cannot":
        return (
            f"None of the {len(verdicts)} estimators can run this problem here. "
            f"Nearest is {first.label}: {first.reasons[0].sentence}."
        )
    why = first.reasons[0].sentence if first.reasons else "no rule speaks against it"
    # What the spec asks for comes first among those of which it is said why not.
    named = sorted(others, key=lambda verdict: (not verdict.asked, verdict.rank))
    told = [f"{verdict.label} ({_short(verdict.why_not)})" for verdict in named[:MOST_NAMED]]
    return f"Take {first.label}: {why}. Not {', nor '.join(told)}."


def _short(reason: str | None) -> str:
    """Without what would be allowed instead, which the table says."""
    return (reason or "").partition("; allowed")[0]
