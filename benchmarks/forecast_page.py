"""docs/forecast.md: how memory and time are told before a run, and the rules of advice.

    python -m benchmarks.forecast_page

The prose is here; the rules come from `engine.advice.rules`, and the figures from what
`benchmarks.graph_size`, `benchmarks.memory_against_horizon`, `benchmarks.quickstart_4000`,
`benchmarks.agreement` and `benchmarks.forecast_time` wrote.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import agreement, forecast_time, graph_size, memory_against_horizon, quickstart_4000
from engine.advice.table import rules_table
from engine.forecast.fit import readable

PAGE = Path(__file__).parents[1] / "docs" / "forecast.md"

HEAD = """# What a run will need, and which estimator to take

`python -m engine forecast SPEC.yaml` says, before anything is computed, how much memory and time
every estimator of a spec takes; `python -m engine advice SPEC.yaml` says which to take and why not
another. The builder shows the same.

## Memory
The estimator's own code is what is forecast. It runs at two or three tiny sizes on *fake tensors*,
which have shapes and no values: nothing is allocated and nothing is computed. Where tensors are so
small that computing with them is quicker than that (a few bytes and operations for each call), they
have values; what is asked of these is answered as on fake ones, so that the code goes the same way.
The meter that counts the live tensors of real runs counts these. What each further step, particle,
tangent or product adds is a straight line through those few sizes, and is followed to the sizes of
the spec:

| estimator | grows with |
|---|---|
| unrolled, full | T graphs of a step |
| unrolled, per step | T states, and one graph |
| unrolled, checkpoint | the states and segments of its schedule: about √T |
| truncated | K graphs; K is the window |
| implicit | the vectors of its solver; not with T |
| forward mode | the tangents of a chunk; not with T |
| evolution, searches | the particles of a chunk; and with windows, the states of all particles |

On top of an estimate's peak lies what is there all the time: the data, θ, the outer optimizer's
moments, and what an estimator carries from one outer step to the next. A probe's peak (the exact
gradient beside it, repeated draws, test figures) may be larger than the estimate's, and then
decides.

## Time
Every operation of the same traces is counted: its call, the floating-point operations of matrix
products, convolutions and linear equations, and the bytes that it reads and writes. What takes
longer than a plain call, a large product or an addition counts as that many of them: a call below a
`vmap` as 1.3, one that the memory probe sees as 3, that of a convolution as 11 to 29, one that is
recorded for replay as 80; a product of few columns as three to four of a large one; a byte of a
variance as 130. These were measured on the operations alone
(`python -m benchmarks.operation_costs`), not on runs. So are the probes counted: the exact
gradient, also one in closed form; repeated draws; test figures and pictures with the inner loops
that they run, and what these prepare once, such as the learning rate of a tuned Adam; the surface
below proposals. The counts are tested against exact counts of real runs.

The machine says in about a second how long a call, a product and an addition take. The sum is
corrected by how measured times have stood to forecasts in finished runs on that machine: first of
the same inner task with the same options, then of the same kind of inner task and the same
estimator. The spread of those gives the 90 % interval.

Of a compiled inner loop the time is a rougher guess: what the compiler fuses is counted by its
arithmetic alone, a product of matrices still as a call, and compiling as two million calls for each
way, about 10 s. Nothing is learned from such runs, so their interval stays wide (a factor 2.5
either way): of seven presets that were compiled for the first time, with other work on the machine,
it held all seven measured times, 0.5 to 1.65 times what was said.

## Does it fit
A forecast counts live tensors, and a process takes more. It is allowed to be 10 % and 64 MB short;
and on a CPU the heap keeps freed pieces, for which a process took up to 1.61 times its live tensors
in [the lecture's example](../benchmarks/README.md). Hence *fits*: even so it stays within the
machine's memory. *Will not fit*: the live tensors alone do not, or an estimate's peak is past the
spec's budget. *Tight* is what lies between.

What does not fit comes with changes that make it fit, each forecast in the same way: first those
that leave the estimate as it is, for time; then those that add variance, then bias, then those that
ask another question; the faster before the slower.

## Advice
Every estimator and search has a verdict, from rules in a stated order. The strongest effect against
an estimator decides (*cannot*, *avoid*, *costs*); where nothing speaks against it, what speaks for
it (*suits*; *possible* is what no rule speaks about). Within an effect, the earlier rule stands
first; then the faster, and the smaller. There is no score. What this lab has measured on problems
like the one at hand comes before what is expected: an expected bias or variance is left out where
one has been measured. Words in *italics* in a sentence are filled in.

"""


def page() -> str:
    return HEAD + rules_table() + "\n" + "".join(_measured())


def _measured() -> list[str]:
    sections = (
        (graph_size.PATH, _graph_sizes),
        (memory_against_horizon.PATH, _against_horizon),
        (quickstart_4000.PATH, _quickstart),
        (agreement.PATH, _agreement),
        (forecast_time.RESULTS, _time),
    )
    return [write(json.loads(path.read_text("utf-8"))) for path, write in sections if path.exists()]


def _graph_sizes(document: dict[str, Any]) -> str:
    lines = [
        "\n## How big is the computation graph?",
        "Floats that one inner step keeps for the way back, and the graph of the whole inner loop; "
        "counted by `python -m benchmarks.graph_size` with nothing allocated.\n",
        "| inner loop | parameters | floats of a step | horizon | floats in all | memory |",
        "|---|---|---|---|---|---|",
    ]
    for example in document["examples"]:
        lines.append(
            f"| {example['title']} | {example['parameters']:,} | {example['floats_per_step']:,} "
            f"| {example['horizon']:,} | {example['floats']:,} | {readable(example['bytes'])} |"
        )
    return "\n".join(lines) + "\n"


def _against_horizon(document: dict[str, Any]) -> str:
    picture = f"figures/{memory_against_horizon.FIGURE.name}"
    return (
        "\n## Memory against the horizon\n"
        "A perceptron 64-32-10 on digits: lines are forecast, dots are measured.\n\n"
        f"![Peak memory of one estimate against the horizon]({picture})\n\n"
        f"{memory_against_horizon.table(document)}\n\n"
        f"Code {document['code_version']}, {document['date']}.\n"
    )


def _quickstart(document: dict[str, Any]) -> str:
    memory = readable(document["estimators"][0]["machine_bytes"])
    lines = [
        "\n## 4,000 steps",
        f"The lecture's perceptron 784-512-512-10 on a machine of {memory}. Implicit "
        "differentiation learns the weight decay, the others the learning rate.\n",
        "| one meta-gradient | forecast | here | measured |",
        "|---|---|---|---|",
    ]
    for row in document["estimators"]:
        measured = "not run"
        if took := row.get("measured"):
            measured = f"{readable(took['bytes'])}, {took['seconds']:.0f} s"
            # Conjugate gradients may stop before their last product.
            stopped = [
                note.partition(":")[0] for note in took.get("notes", []) if "at iteration" in note
            ]
            measured += "".join(f"; stopped by {reason}" for reason in stopped)
        told = f"{readable(row['forecast_bytes'])}, {row['forecast_seconds']:.0f} s"
        lines.append(f"| {row['label']} | {told} | {row['fits']} | {measured} |")
    lines.append(
        "\n[benchmarks/README.md](../benchmarks/README.md) measured the one with checkpoints too: "
        f"322 MB in 49.1 s. Code {document['code_version']}, {document['date']}."
    )
    return "\n".join(lines) + "\n"


def _agreement(rows: list[dict[str, Any]]) -> str:
    lines = [
        "\n### Two routes to the same derivative",
        "Reverse mode with checkpoints and forward mode, on the same inner loop. In double "
        "precision they agree; in single precision rounding parts the two trajectories at the "
        "kinks of ReLU. `python -m benchmarks.agreement --steps 1000` repeats it.\n",
        "| steps | precision | checkpoint | forward mode |",
        "|---|---|---|---|",
    ]
    for row in rows:
        for precision, found in row["gradient"].items():
            digits = {"float32": 3, "float64": 16}[precision]
            told = " | ".join(f"{found[route]:.{digits}g}" for route in agreement.ROUTES)
            lines.append(f"| {row['steps']:,} | {precision} | {told} |")
    return "\n".join(lines) + "\n"


def _time(document: dict[str, Any]) -> str:
    results = forecast_time.Results.model_validate(document)
    lines = [
        "\n## How good forecasts of time are",
        f"{len(results.runs)} configurations of the presets, each run for a few seconds of outer "
        "steps; seconds are those that the process had on a CPU.\n",
        "| predicted | within a factor 1.5 | 90 % intervals that held | median factor off |",
        "|---|---|---|---|",
    ]
    for name, found in forecast_time.scores(results):
        lines.append(
            f"| {name} | {found.within:.0%} | {found.held:.0%} | {found.median_factor:.2f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
