"""The command line: `python -m engine run | gradient | forecast | advice | list | …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.data import DataError
from engine.spec import SpecError

AS_JSON = "print one JSON document instead of text"


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 2 for a bad spec, or 1 for a failed run; messages go to standard error."""
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.command(chosen)
    except SpecError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 1
    except (DataError, OSError, RuntimeError, ValueError) as error:
        print(str(error) or type(error).__name__, file=sys.stderr)
        return 1
    except Exception as error:
        # What a task's own code raises, in a sentence with its place.
        from engine.preflight.torch_words import fault

        print(fault(error).reason, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run an experiment; writes events, summary, checkpoints")
    run.add_argument("spec", type=Path, metavar="SPEC.yaml")
    run.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="folder of the results: out"
    )
    run.add_argument("--resume", action="store_true", help="go on from DIR's last checkpoint")
    run.set_defaults(command=_run)

    gradient = commands.add_parser(
        "gradient", help="one meta-gradient of every estimator at the initial θ, against the oracle"
    )
    gradient.add_argument("spec", type=Path, metavar="SPEC.yaml")
    gradient.add_argument("--json", action="store_true", help=AS_JSON)
    gradient.set_defaults(command=_gradient)

    forecast = commands.add_parser(
        "forecast", help="memory and time of every estimator, without running the inner loop"
    )
    forecast.add_argument("spec", type=Path, metavar="SPEC.yaml")
    forecast.add_argument("--json", action="store_true", help=AS_JSON)
    forecast.set_defaults(command=_forecast)

    preflight = commands.add_parser(
        "preflight", help="one inner step with what every estimator needs: which of them can run"
    )
    preflight.add_argument("spec", type=Path, metavar="SPEC.yaml")
    preflight.add_argument("--json", action="store_true", help=AS_JSON)
    preflight.set_defaults(command=_preflight)

    advice = commands.add_parser(
        "advice", help="which estimator to take for a spec, and why not another"
    )
    advice.add_argument("spec", type=Path, metavar="SPEC.yaml")
    advice.add_argument("--json", action="store_true", help=AS_JSON)
    advice.set_defaults(command=_advice)

    listing = commands.add_parser("list", help="what a spec can name, from inner tasks to presets")
    listing.add_argument("--json", action="store_true", help=AS_JSON)
    listing.set_defaults(command=_list)

    support = commands.add_parser(
        "support", help="which estimators can learn which meta-parameters of which inner tasks"
    )
    support.add_argument("--json", action="store_true", help=AS_JSON)
    support.set_defaults(command=_support)

    fetch = commands.add_parser("fetch", help="bring a data set to this machine, once")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument(
        "--data-dir", type=Path, metavar="FOLDER", help="where the files of a set lie that may not "
        "be downloaded",
    )  # fmt: skip
    fetch.set_defaults(command=_fetch)
    return parser


def _run(chosen: argparse.Namespace) -> int:
    from engine.command_line.run import run_to_folder

    return run_to_folder(chosen.spec, chosen.out, resume=chosen.resume)


def _gradient(chosen: argparse.Namespace) -> int:
    from engine.command_line.gradient import print_gradients

    return print_gradients(chosen.spec, as_json=chosen.json)


def _forecast(chosen: argparse.Namespace) -> int:
    from engine.command_line.forecast import print_forecast

    return print_forecast(chosen.spec, as_json=chosen.json)


def _preflight(chosen: argparse.Namespace) -> int:
    from engine.command_line.preflight import print_verdicts

    return print_verdicts(chosen.spec, as_json=chosen.json)


def _advice(chosen: argparse.Namespace) -> int:
    from engine.command_line.advice import print_advice

    return print_advice(chosen.spec, as_json=chosen.json)


def _list(chosen: argparse.Namespace) -> int:
    from engine.command_line.listing import print_listing

    return print_listing(as_json=chosen.json)


def _support(chosen: argparse.Namespace) -> int:
    from engine.command_line.support import print_support

    return print_support(as_json=chosen.json)


def _fetch(chosen: argparse.Namespace) -> int:
    from engine.command_line.fetch import fetch_with_progress

    return fetch_with_progress(chosen.name, chosen.data_dir)


if __name__ == "__main__":
    sys.exit(main())
