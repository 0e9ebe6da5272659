"""A page for every estimator and search: what it does, what it costs, and when to doubt it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the page of one kind says beside its formula and its fields."""

    idea: str
    bias: str
    memory: str
    doubt: str
    sources: tuple[str, ...] = ()


ACCOUNTS: dict[str, Account] = {
    "unrolled": Account(
        idea="Runs the inner loop forward, then goes back through all of its steps with an "
        "adjoint. Three ways of storage give the same gradient: the whole graph; the state of "
        "every step, with one step's graph rebuilt at a time; or states at checkpoints, with one "
        "segment replayed at a time.",
        bias="None: it is the meta-gradient, up to rounding.",
        memory="Full: in proportion to T, one step's graph each. Per step: one state a step. "
        "Checkpoint: about √T states and one step's graph.",
        doubt="Where the adjoint norm grows without bound, the inner loop is chaotic and the exact "
        "gradient is of no use. Shorten the horizon or the learning rate.",
        sources=("Maclaurin, Duvenaud and Adams, 2015", "Kemaev et al., 2025 (mixed mode)"),
    ),
    "truncated": Account(
        idea="Backpropagates through K steps only: the last K, or slices of K with the gradient "
        "cut between them. Online, θ changes after every slice.",
        bias="Toward what helps within K steps. A short window asks for too small learning rates.",
        memory="In proportion to K, whatever the horizon.",
        doubt="Compare with a longer window: where the bias falls slowly with K, influences are "
        "long-ranged and truncation misleads.",
        sources=("Wu, Ren, Liao and Grosse, 2018", "Shaban et al., 2019"),
    ),
    "implicit": Account(
        idea="At a minimum of the inner loss, the implicit function theorem tells how the minimum "
        "moves with θ: one linear solve with the Hessian, by Hessian-vector products.",
        bias="None at an exact minimum with an exact solve; otherwise as large as what is missing "
        "of both.",
        memory="That of a few vectors of parameters. It does not grow with T.",
        doubt="Look at the solver residual and the inner gradient norm: where either is large, the "
        "estimate cannot be trusted. It cannot learn the initial parameters or the learning rate.",
        sources=("Rajeswaran et al., 2019", "Lorraine, Vicol and Duvenaud, 2020"),
    ),
    "fomaml": Account(
        idea="The adjoint with every second derivative taken as zero: what flows back through the "
        "update rule alone.",
        bias="All that the inner gradients would have changed with θ. Small for a few short steps.",
        memory="One step's gradient; no graph is kept.",
        doubt="Compare the cosine to the oracle: it falls with the learning rate and the horizon.",
        sources=("Finn, Abbeel and Levine, 2017", "Nichol, Achiam and Schulman, 2018"),
    ),
    "reptile": Account(
        idea="Moves the initial parameters toward the learned ones. Neither a meta-loss nor a "
        "derivative of the inner loop is needed.",
        bias="It is a direction of its own, on a scale of its own.",
        memory="Two copies of the parameters.",
        doubt="It learns initial parameters and nothing else.",
        sources=("Nichol, Achiam and Schulman, 2018",),
    ),
    "forward_mode": Account(
        idea="Carries the derivative of the state with respect to θ along the inner loop, one "
        "tangent for each scalar of θ; or a few, in random directions.",
        bias="None. With random directions the estimate is unbiased, and its variance grows with "
        "the number of scalars in θ.",
        memory="One state for each tangent, whatever the horizon.",
        doubt="With thousands of meta-parameters it is slow; there, go backward.",
        sources=("Franceschi et al., 2017",),
    ),
    "evolution": Account(
        idea="Evaluates the meta-loss at perturbed θ, each perturbation with both signs, and puts "
        "the differences together to a gradient. Nothing is differentiated.",
        bias="It aims at the gradient of the meta-loss smoothed with width σ. Truncated ES is "
        "biased to short horizons; persistent ES and noise reuse are not.",
        memory="That of the particles that are evaluated together; one by one, that of one.",
        doubt="The variance grows with the number of scalars in θ: look at the variance, and at "
        "the smoothing distance for σ.",
        sources=("Salimans et al., 2017", "Vicol, Metz and Sohl-Dickstein, 2021"),
    ),
    "reinforce": Account(
        idea="Draws choices from a policy, and makes those with a low meta-loss more probable.",
        bias="None, whatever the baseline; a moving average makes the variance small.",
        memory="That of the inner loops that run together.",
        doubt="The variance is large: watch it, and give it more choices an estimate.",
        sources=("Williams, 1992", "Zoph and Le, 2017"),
    ),
    "self_tuning": Account(
        idea="Trains the learner and, beside it, a linear model of how its best parameters respond "
        "to θ; the gradient goes through that model.",
        bias="That of a linear response which is still being learned.",
        memory="One more copy of the parameters for each scalar in θ.",
        doubt="Only for hyper-parameters that act all along, such as penalties; not for initial "
        "parameters.",
        sources=("MacKay et al., 2019", "Bae and Grosse, 2020"),
    ),
    "elites": Account(
        idea="Samples θ around a mean, keeps the best few, and takes their mean and variance for "
        "the next generation: the cross-entropy method.",
        bias="It is a search: it has no gradient to be wrong about.",
        memory="That of the particles that are evaluated together.",
        doubt="Where σ shrinks before the loss has settled, it has stopped too early: raise the "
        "number of elites.",
        sources=("Rubinstein, 1999",),
    ),
    "cma_es": Account(
        idea="Like elites, and it learns the shape of the distribution too: directions that helped "
        "are searched further.",
        bias="It is a search: it has no gradient to be wrong about.",
        memory="A covariance matrix: the square of the number of scalars in θ.",
        doubt="Made for up to a few hundred scalars.",
        sources=("Hansen, 2016",),
    ),
    "random": Account(
        idea="Draws θ uniformly in a box and keeps the best. The search that any other must beat.",
        bias="It is a search: it has no gradient to be wrong about.",
        memory="That of the particles that are evaluated together.",
        doubt="With more than a handful of scalars in θ a box is mostly corners.",
        sources=("Bergstra and Bengio, 2012",),
    ),
    "grid": Account(
        idea="Tries every point of a regular grid once.",
        bias="It is a search: it has no gradient to be wrong about.",
        memory="That of the particles that are evaluated together.",
        doubt="The number of points is that of one axis to the power of the scalars in θ.",
    ),
    "bayesian": Account(
        idea="Models where good and bad θ lie, and proposes where good ones are most likely: "
        "Optuna's tree of Parzen estimators.",
        bias="It is a search: it has no gradient to be wrong about.",
        memory="That of one evaluation.",
        doubt="It pays where one evaluation is dear and θ has few scalars.",
        sources=("Bergstra et al., 2011",),
    ),
    "population_based": Account(
        idea="Many learners train side by side. After each interval the worst copy parameters and "
        "θ of the best, and perturb θ: a schedule is found in the time of one training.",
        bias="Greedy: it prefers what helps within one interval.",
        memory="One inner state for each member.",
        doubt="Lengthen the interval where it prefers learning rates that only help at first.",
        sources=("Jaderberg et al., 2017",),
    ),
}
