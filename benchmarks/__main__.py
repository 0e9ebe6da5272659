"""Command line: `python -m benchmarks [name …] [--rounds N] [--threads N] [--json]`."""

import argparse
import json

import torch

from benchmarks import estimators, inner_step, libraries, particles, small_problems
from benchmarks.harness import table

BENCHMARKS = {
    "inner_step": inner_step.measure,
    "estimators": estimators.measure,
    "libraries": libraries.measure,
    "particles": particles.measure,
    "small_problems": small_problems.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"all without one: {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--rounds", type=int, default=7, help="repeats of every case (7)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of PyTorch (1)")
    parser.add_argument("--json", action="store_true", help="one JSON document, nothing else")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    if options.rounds < 2 or options.threads < 1:
        parser.error("rounds must be at least 2 and threads at least 1")
    torch.set_num_threads(options.threads)
    timings = []
    for name in options.names or BENCHMARKS:
        timings += BENCHMARKS[name](options.rounds)
    print(json.dumps([t.as_dict() for t in timings]) if options.json else table(timings))


if __name__ == "__main__":
    main()
