"""Options of backpropagation through a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.errors import FieldError
from engine.spec.estimator import Estimator
from engine.spec.estimators.products import Products, refused_products
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class Truncated(Estimator):
    """Backpropagation through a window of K steps: cheaper, and biased to short horizons."""

    title: ClassVar[str] = "Truncated"
    implementation: ClassVar[str] = "engine.estimators.truncated:Truncated"
    small: ClassVar[dict[str, Any]] = {"window": 4}
    lengths: ClassVar[tuple[str, ...]] = ("window", "longest_window")

    kind: Literal["truncated"] = "truncated"
    mode: Literal["last_k", "windows"] = "last_k"
    """Through the last K steps only, or through slices of K steps with the gradient cut between."""
    window: int = option(10, ge=1, le=100_000, unit="inner steps")
    """Window K; at K = T the gradient is exact."""
    online: bool = False
    """One slice for each outer step, so that θ changes after every slice; needs windows."""
    schedule: Literal["fixed", "random", "growing"] = "fixed"
    """Length of an online slice: always K, log-uniform from K to the longest window, or doubled
    from K with every inner loop up to the longest window."""
    longest_window: int | None = option(None, ge=1, le=100_000, unit="inner steps")
    """Longest slice of the schedules random and growing; nothing means the horizon."""
    products: Products = "reverse_over_reverse"
    """How second derivatives are taken, with the same result: by a backward pass over a backward
    pass, which keeps the graph of every inner gradient; or, to save that memory, by a forward-mode
    derivative of a backward pass (mixed mode)."""

    @field_validator("online")
    @classmethod
    def _in_slices(cls, online: bool, known: ValidationInfo) -> bool:
        if online and known.data.get("mode") == "last_k":
            raise ValueError("only slices can be online; allowed: false, or mode 'windows'")
        return online

    @field_validator("schedule")
    @classmethod
    def _of_online_slices(cls, schedule: str, known: ValidationInfo) -> str:
        if schedule != "fixed" and known.data.get("online") is False:
            raise ValueError("only online slices change in length; allowed: 'fixed'")
        return schedule

    @field_validator("longest_window")
    @classmethod
    def _not_below_window(cls, longest: int | None, known: ValidationInfo) -> int | None:
        if longest is None:
            return None
        if known.data.get("schedule") == "fixed":
            raise ValueError("the schedule 'fixed' has one length, the window; allowed: nothing")
        if longest < (window := known.data.get("window", longest)):
            raise ValueError(f"allowed: the window, {window}, and more")
        return longest

    @property
    def averages(self) -> bool:
        return not self.online

    @property
    def label(self) -> str:
        mixed = ", mixed mode" if self.products == "forward_over_reverse" else ""
        if self.mode == "last_k":
            return f"Truncated, last {self.window}{mixed}"
        name = f"Truncated, {'online ' if self.online else ''}windows of {self.window}"
        if self.schedule == "fixed":
            return name + mixed
        longest = f" to {self.longest_window}" if self.longest_window else ""
        return f"{name}{longest}, {self.schedule}{mixed}"

    @property
    def partial(self) -> bool:
        return self.online

    @property
    def needs_inner_gradient(self) -> bool:
        return self.products == "forward_over_reverse"

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        yield from refused_products(self.products, experiment, path)
        if self.online and experiment.objective == "final":
            yield FieldError(
                f"{path}.online",
                True,
                "every slice needs a loss of its own; allowed: false, or objective 'average'",
            )
