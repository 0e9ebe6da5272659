"""Along which sizes the work of every estimator and search grows, and where it is traced.

Everything else that decides sizes (the model, the data, θ, how many particles or tangents go
together, how many inner loops are one) is that of the spec: fakes cost nothing, however large.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.forecast.sizes import Size
from engine.spec.estimator import Estimator as Options

Chosen = dict[str, int]
"""A traced value of every size."""

STEADY = 3
"""Steps from which on each is like the one before: the first state is shared by all particles, and
so is what the second still holds of it."""
FEWEST_TRACED_STEPS = 10
"""From this horizon on forward mode replays what it has traced (`engine.tangents`)."""


@dataclass(frozen=True)
class Structure:
    """`steps`, `options` and `chunks` are those of a trace at chosen sizes."""

    sizes: dict[str, Size]
    steps: Callable[[Chosen], int]
    options: Callable[[Chosen], dict[str, Any]] = field(default=lambda chosen: {})
    chunks: Callable[[Chosen], int | None] = field(default=lambda chosen: None)
    loops: Callable[[Chosen], int] | None = None
    """Inner seeds of a generation; nothing means all of them, which need no room together."""


def structure(
    options: Options, *, horizon: int, unit: int, together: int, **known: int
) -> Structure:
    """Of an estimator with these options. `unit` steps run as one, `together` particles or
    tangents. `known` has `entries`, the number of θ's, and `seeds`, that of inner loops."""
    build = _STRUCTURES.get(options.kind, _search if options.proposes else _steps)
    return build(options, horizon=horizon, unit=unit, together=together, **known)


def horizon_size(horizon: int, unit: int, least: int = STEADY) -> Size:
    """The steps of an inner loop: whole units, and what is left over in fact."""
    low = horizon % unit + unit * (least if unit == 1 else STEADY)
    return Size(horizon, low, low + unit)


def _steps(options: Options, *, horizon: int, unit: int, **_: int) -> Structure:
    return Structure({"steps": horizon_size(horizon, unit)}, lambda chosen: chosen["steps"])


def _truncated(
    options: Any, *, horizon: int, unit: int, objective: str = "final", **_: Any
) -> Structure:
    window, slices = options.window, -(-horizon // options.window)
    by_slices = options.mode == "windows" and not options.online
    if by_slices and objective == "average":
        sizes = {
            "window": horizon_size(window, unit),
            "slices": Size(horizon / window, 2, 3),
        }
        return Structure(
            sizes,
            lambda chosen: chosen["window"] * chosen["slices"],
            lambda chosen: {"window": chosen["window"]},
        )
    if by_slices:
        window = horizon - (slices - 1) * window
    if options.online:
        longest = options.longest_window or horizon
        window = window if options.schedule == "fixed" else longest
        sizes = {"window": horizon_size(window, unit)}
        return Structure(
            sizes,
            lambda chosen: chosen["window"] + min(chosen["window"], horizon - window),
            lambda chosen: {
                "window": chosen["window"],
                "schedule": "fixed",
                "longest_window": None,
            },
        )
    sizes = {
        "before": Size(horizon - window, STEADY * unit, (STEADY + 1) * unit),
        "window": horizon_size(window, unit),
    }
    return Structure(
        sizes,
        lambda chosen: chosen["before"] + chosen["window"],
        lambda chosen: {"window": chosen["window"], "mode": "last_k"},
    )


def _implicit(options: Any, *, horizon: int, unit: int, **_: int) -> Structure:
    sizes = {"steps": horizon_size(horizon, unit)}
    if options.solver in ("cg", "normal_cg", "neumann"):
        sizes["iterations"] = Size(options.iterations, 3, 4)
    return Structure(
        sizes,
        lambda chosen: chosen["steps"],
        lambda chosen: {name: chosen[name] for name in ("iterations",) if name in chosen},
    )


def _forward_mode(
    options: Any, *, horizon: int, unit: int, together: int, entries: int, **_: int
) -> Structure:
    count = options.random_directions or entries
    traced = horizon >= FEWEST_TRACED_STEPS
    sizes = {
        "steps": horizon_size(horizon, 1, FEWEST_TRACED_STEPS if traced else STEADY),
        "chunks": Size(count / together, 1, 2),
    }
    return Structure(
        sizes,
        lambda chosen: chosen["steps"],
        lambda chosen: {"chunk": together},
        lambda chosen: chosen["chunks"] if len(sizes["chunks"].traced) > 1 else None,
    )


def _whole_loops(name: str) -> Callable[..., Structure]:
    """Particles, or choices, that each run an inner loop from its start."""

    def build(options: Any, *, horizon: int, unit: int, together: int, **_: int) -> Structure:
        sizes = {
            "steps": horizon_size(horizon, 1),
            "particles": Size(getattr(options, name), 2 * together, 4 * together),
        }
        return Structure(
            sizes,
            lambda chosen: chosen["steps"],
            lambda chosen: {name: chosen["particles"], "chunk": together},
        )

    return build


def _evolution(options: Any, *, horizon: int, **known: int) -> Structure:
    if not options.partial:
        return _whole_loops("particles")(options, horizon=horizon, **known)
    windows, pairs = -(-horizon // options.window), options.particles // 2
    # Groups differ by a pair; the largest decides what is in flight, and all pairs what is kept.
    each = -(-pairs // min(pairs, windows))
    sizes = {
        "window": horizon_size(options.window, 1),
        "groups": Size(pairs / each, 2, 3),
        "pairs": Size(each, known["together"], 2 * known["together"]),
    }
    return Structure(
        sizes,
        lambda chosen: chosen["window"] * chosen["groups"],
        lambda chosen: {
            "window": chosen["window"],
            "particles": 2 * chosen["pairs"] * chosen["groups"],
            "chunk": known["together"],
        },
    )


def _search(options: Any, *, together: int, seeds: int, **known: int) -> Structure:
    least = 2 * together + (together % 2)
    sizes = {"particles": Size(options.population, max(least, 6), 2 * max(least, 6))}
    interval = getattr(options, "interval", None)
    steps = horizon_size(interval or known["horizon"], 1)

    def changed(chosen: Chosen) -> dict[str, Any]:
        found = {"population": chosen["particles"], "chunk": together}
        if hasattr(options, "elites"):
            found["elites"] = min(options.elites, chosen["particles"])
        return found if interval is None else {**found, "interval": chosen["steps"]}

    sizes |= {"steps": steps, "seeds": Size(seeds, 1, 2)}
    after = int(interval is not None and interval < known["horizon"])
    return Structure(
        sizes, lambda chosen: chosen["steps"] + after, changed, loops=lambda chosen: chosen["seeds"]
    )


def _self_tuning(options: Any, *, horizon: int, unit: int, **_: int) -> Structure:
    return Structure(
        {"window": horizon_size(options.window, 1)},
        lambda chosen: chosen["window"] + min(chosen["window"], horizon - options.window),
        lambda chosen: {"window": chosen["window"]},
    )


_STRUCTURES: dict[str, Callable[..., Structure]] = {
    "truncated": _truncated,
    "implicit": _implicit,
    "forward_mode": _forward_mode,
    "evolution": _evolution,
    "reinforce": _whole_loops("samples"),
    "self_tuning": _self_tuning,
}
