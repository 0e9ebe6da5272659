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

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        chosen, forward, saved = self.options, problem, 0
        if chosen.products == "forward_over_reverse":
            problem = MixedMode(
                problem, save_gradients=chosen.save_gradients, offload=chosen.offload
            )
            if chosen.save_gradients:
                forward = problem
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
