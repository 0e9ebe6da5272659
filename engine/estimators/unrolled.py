"""Direct backpropagation through the whole inner loop: exact, at one of three prices in memory."""

from engine.estimators.backpropagation import backpropagated
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator, check_within_horizon
from engine.estimators.gradient_paths import MixedMode, check_mixed_mode
from engine.estimators.offloading import check_graph_on_host
from engine.problem import Meta, Problem
from engine.spec import estimators as options


class Unrolled(Estimator):
    """ĝ = g*, to rounding; every storage and way to take products gives the same gradient."""

    options_type = options.Unrolled

    def check(self, problem: Problem) -> None:
        check_within_horizon(problem, "segment", self.options.segment)
        if self.options.products == "forward_over_reverse":
            check_mixed_mode(problem)
        if self.options.offload and self.options.storage == "full":
            check_graph_on_host(problem)

    def ways(self, problem: Problem) -> tuple[Problem, Problem]:
        """The inner loop that the adjoint is pulled back through, and the one that runs ahead of
        it without a graph."""
        chosen = self.options
        if chosen.products != "forward_over_reverse":
            return problem, problem
        mixed = MixedMode(problem, save_gradients=chosen.save_gradients, offload=chosen.offload)
        return mixed, mixed if chosen.save_gradients else problem

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        chosen, saved = self.options, 0
        problem, forward = self.ways(problem)
        found = backpropagated(
            problem,
            meta,
            carry["seed"],
            storage=chosen.storage,
            segment=chosen.segment,
            offload=chosen.offload,
            forward=forward,
        )
        if chosen.save_gradients:
            saved = found.replayed
        return Estimate(
            gradient=found.gradient,
            meta_loss=found.meta_loss,
            cost=Cost(
                inner_steps=problem.horizon + found.replayed,
                gradient_evaluations=problem.horizon + found.replayed - saved,
                hessian_vector_products=problem.horizon,
            ),
            health=found.norms.health(),
        )
