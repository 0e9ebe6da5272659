"""One estimator before one problem: what the rules of advice ask about. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.advice.candidates import Candidate
from engine.advice.facts import Facts, Past
from engine.forecast.fit import Fit, readable
from engine.forecast.records import EstimatorForecast
from engine.spec.estimator import Estimator


@dataclass(frozen=True)
class Case:
    """`beside` are the cases of all candidates, this one among them."""

    candidate: Candidate
    facts: Facts
    obstacles: tuple[str, ...] = ()
    """What preflight said against it, where it was asked."""
    forecast: EstimatorForecast | None = None
    fit: Fit | None = None
    past: Past | None = None
    seconds_allowed: float | None = None
    """Longest time of a run, by the spec's budget."""
    beside: list[Case] = field(default_factory=list, repr=False, compare=False)

    @property
    def estimator(self) -> Estimator:
        return self.candidate.estimator

    @property
    def kind(self) -> str:
        return self.estimator.kind

    @property
    def exact(self) -> bool:
        """Whether it returns the meta-gradient itself."""
        length = getattr(self.estimator, "window", None)
        whole = self.kind == "truncated" and length == self.facts.horizon
        return self.estimator.exact or whole

    @property
    def possible(self) -> bool:
        """Whether it can run here, as far as it is known."""
        no_room = self.fit is not None and self.fit.verdict == "will not fit"
        return not (self.candidate.refusals or self.obstacles or no_room)

    @property
    def timed(self) -> bool:
        """Whether this lab has measured its time."""
        return self.past is not None and self.past.step_seconds is not None

    @property
    def step_seconds(self) -> float | None:
        """Measured where this lab has run it, else forecast."""
        if self.past is not None and self.past.step_seconds is not None:
            return self.past.step_seconds
        return None if self.forecast is None else self.forecast.step_seconds

    @property
    def fastest_exact(self) -> Case | None:
        """Of those that can run here and whose time is known."""
        known = [case for case in self.beside if case.exact and case.possible]
        timed = [case for case in known if case.step_seconds]
        return min(timed, key=lambda case: case.step_seconds or 0.0, default=None)

    @property
    def best_before(self) -> Case | None:
        """The other that reached the lowest meta-loss on this very problem, clearly below what
        this one reached: by more than twice the standard error of the difference."""
        mine = self.past
        if mine is None or mine.meta_loss is None:
            return None
        others = [c for c in self.beside if c.past is not None and c.past.meta_loss is not None]
        best = min(others, key=lambda case: case.past.meta_loss)
        error = sum((case.past.meta_loss_error or 0.0) ** 2 for case in (self, best)) ** 0.5
        clear = mine.meta_loss - best.past.meta_loss > 2.0 * error
        return best if clear and best is not self else None

    @property
    def _room(self) -> str:
        """How the graph of the whole inner loop stands to the memory that there is."""
        graph = f"its graph of {self.facts.horizon:,} step{'' if self.facts.horizon == 1 else 's'}"
        if self.forecast is None or self.fit is None:
            return f"as long as {graph} fits"
        return f"and {graph} fits: {readable(self.forecast.run_bytes)}"

    @property
    def words(self) -> dict[str, str]:
        """What the sentences of the rules may name."""
        facts, past, forecast = self.facts, self.past, self.forecast
        best, fastest = self.best_before, self.fastest_exact
        return {
            "label": self.estimator.label,
            "refusals": "; ".join((*self.candidate.refusals, *self.obstacles)),
            "entries": f"{facts.meta_parameters:,}",
            "plural": "" if facts.meta_parameters == 1 else "s",
            "steps": f"{facts.horizon:,} step{'' if facts.horizon == 1 else 's'}",
            "window": f"{getattr(self.estimator, 'window', None) or facts.horizon:,}",
            "left": "an unknown share" if facts.way_left is None else f"{facts.way_left:.1%}",
            "norm": "none" if facts.gradient_norm is None else f"{facts.gradient_norm:.2g}",
            "fit": "" if self.fit is None else self.fit.sentence,
            "room": self._room,
            "seconds": "" if forecast is None or forecast.seconds is None
            else f"{forecast.seconds:,.3g} s",
            "allowed": f"{self.seconds_allowed or 0.0:,.3g} s",
            "slower": "" if fastest is None or not self.step_seconds
            else f"{self.step_seconds / fastest.step_seconds:.1f}",
            "runs": "" if past is None else f"{past.runs} run{'s' if past.runs > 1 else ''}",
            "bias": "" if past is None or past.bias is None else f"{past.bias:.2g}",
            "variance": "" if past is None or past.variance is None else f"{past.variance:.2g}",
            "loss": "" if past is None or past.meta_loss is None else f"{past.meta_loss:.4g}",
            "best": "" if best is None else f"{best.estimator.label} ({best.past.meta_loss:.4g})",
        }  # fmt: skip
