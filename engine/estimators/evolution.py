"""Evolution strategies: the gradient of the smoothed meta-loss E_ε F(θ + σε), ε ~ N(0, I).

    ĝ = 1/(2σn) Σ_i ε_i [F(θ + σε_i) − F(θ − σε_i)],   n = particles / 2

(Rechenberg, 1973; Salimans et al., 2017, with antithetic pairs.) Unbiased for the smoothed
meta-loss; the variance grows with dim θ. Nothing needs to be differentiable, and no graph is kept.

The modes that go by windows (see `antithetic_pairs`) take a window of K steps for each pair and
estimate, so that θ can change after every window, and keep the pairs in the carry. Pairs are
spread over the ⌈T/K⌉ windows of the inner loop, the last of which may be shorter. The estimate is
that of the whole loop: the mean over pairs at the same window, summed over windows; where pairs
are too few to be at every window, the sum over theirs times ⌈T/K⌉ over their number.
"""

import torch
from torch import Tensor

from engine.chunking import particles_together
from engine.estimators.antithetic_pairs import Pairs, Window
from engine.estimators.estimate import Cost, Estimate, Health
from engine.estimators.estimator import Carry, Estimator, check_within_horizon
from engine.estimators.fitness_shaping import SHAPINGS
from engine.problem import Meta, Problem
from engine.spec import estimators as options

FEW_PAIRS = 8
"""From this many pairs on, an estimate that rests on fewer than two of them is worth a word."""


class Evolution(Estimator):
    """Antithetic pairs on common random numbers.

    The carry has `chunk`, how many particles go together, and by windows `groups` of pairs. Pairs
    inside a loop keep their inner state, and the seed in it, whatever seed the next call brings.
    """

    options_type = options.Evolution
    derivative = "the meta-loss at a perturbed θ"
    evaluates_whole_loops = True

    def check(self, problem: Problem) -> None:
        check_within_horizon(problem, "window", self.options.window)

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        carry = super().start(problem, meta, seed)
        chunk = particles_together(
            problem, meta, seed, chunk=self.options.chunk, chunk_bytes=self.options.chunk_bytes
        )
        return {**carry, "chunk": chunk}

    @torch.no_grad()
    def evaluated_at(self, problem: Problem, meta: Meta, carry: Carry) -> Meta | None:
        if self.options.partial:
            return None
        pairs = Pairs(problem, meta, carry, self.options)
        return pairs.first_perturbed(self.options.particles // 2)

    @torch.no_grad()
    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        pairs = Pairs(problem, meta, carry, self.options)
        group, windows = pairs.at_the_start(self.options.particles // 2), []
        for _ in range(pairs.windows):
            group, window = pairs.unroll(group)
            windows.append(window)
        return self._estimate(pairs, windows, share=1.0)

    @torch.no_grad()
    def advance(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[Estimate, Carry]:
        if not self.options.partial:
            return self.meta_gradient(problem, meta, carry), carry
        pairs = Pairs(problem, meta, carry, self.options)
        groups = carry.get("groups") or pairs.spread(self.options.particles // 2)
        moved = [pairs.unroll(group) for group in groups]
        estimate = self._estimate(
            pairs, [window for _, window in moved], share=len(groups) / pairs.windows
        )
        return estimate, {**carry, "groups": [group for group, _ in moved]}

    def _estimate(self, pairs: Pairs, windows: list[Window], *, share: float) -> Estimate:
        """ĝ of the whole loop, of whose windows `windows` are this share."""
        gradient = {name: torch.zeros_like(leaf) for name, leaf in pairs.meta.items()}
        # Together, so that what is small in one window stays small beside another.
        losses = torch.cat([window.losses for window in windows])
        every = SHAPINGS[self.options.fitness_shaping](losses)
        sizes = []
        for window, shaped in zip(
            windows, every.split([len(window.losses) for window in windows]), strict=True
        ):
            count = len(shaped) // 2
            differences = shaped[:count] - shaped[count:]
            scale = 2.0 * self.options.sigma * count * share
            for name, multiplier in window.multiplier.items():
                gradient[name] += torch.tensordot(differences, multiplier, dims=1) / scale
            sizes.append(differences.abs() / count)
        effective = _effective_sample_size(torch.cat(sizes))
        return Estimate(
            gradient=gradient,
            meta_loss=_meta_loss(pairs.problem, windows, share),
            cost=Cost(inner_steps=pairs.inner_steps, gradient_evaluations=pairs.inner_steps),
            health=Health(effective_sample_size=effective, notes=self._doubt(effective)),
        )

    def _doubt(self, effective: float | None) -> list[str]:
        pairs = self.options.particles // 2
        if effective is None or effective >= 2.0 or pairs < FEW_PAIRS:
            return []
        return [
            f"the estimate rests on fewer than two of {pairs} antithetic pairs: the meta-loss has "
            "outliers within σ; a smaller σ, more particles or fitness shaping may help"
        ]


def _meta_loss(problem: Problem, windows: list[Window], share: float) -> float:
    """The windows' losses on the scale of the whole loop; for objective `final` the mean of ℓ over
    the pairs that are furthest along, at the horizon wherever a pair has got there."""
    if problem.objective == "final":
        return float(max(windows, key=lambda window: window.stop).reached.mean())
    return sum(float(window.losses.mean()) for window in windows) / share


def _effective_sample_size(sizes: Tensor) -> float | None:
    """(Σ|Δ|)² / ΣΔ² (Kish, 1965); nothing where there is no difference at all."""
    sizes = sizes.to(torch.float64)  # in float32 the squares of numbers above 1e19 overflow
    total = float(sizes.square().sum())
    return float(sizes.sum()) ** 2 / total if total else None
