"""Breaks a lab in every way that it must survive, and measures how it does: `make faults`.

    python -m tests.faults [NAME …] [--seed N]

Prints each proof with its figures, and writes them to docs/results/faults.json and docs/faults.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Callable

from tests.faults import (
    faulty_network,
    full_disk,
    killed_servers,
    killed_workers,
    messages_twice,
    prompt_stops,
    wrong_clocks,
)
from tests.faults.loose_lab import LooseLab, loose_lab
from tests.faults.proof import Figure, Proof, circumstances, table, write

Attempt = Callable[[LooseLab, random.Random], dict[str, Figure]]

ATTEMPTS: dict[str, Attempt] = {
    "messages-twice": messages_twice.messages_twice,
    "faulty-network": faulty_network.faulty_network,
    "killed-workers": killed_workers.killed_workers,
    "wrong-clocks": wrong_clocks.wrong_clocks,
    "killed-broker": killed_servers.killed_broker,
    "killed-database": killed_servers.killed_database,
    "killed-web": killed_servers.killed_web,
    "full-disk": full_disk.full_disk,
    "prompt-cancel": prompt_stops.prompt_cancel,
    "graceful-shutdown": prompt_stops.graceful_shutdown,
}


def attempt(name: str, lab: LooseLab, seed: int) -> Proof:
    """Each attempt has its own random numbers, whichever others there are."""
    proof = Proof(name, claim=(ATTEMPTS[name].__doc__ or "").strip())
    began = time.monotonic()
    try:
        found = ATTEMPTS[name](lab, random.Random(f"{seed} {name}"))  # noqa: S311
        proof.figures = {
            what: round(figure, 3) if isinstance(figure, float) else figure
            for what, figure in found.items()
        }
    except Exception as error:
        proof.held, proof.why_not = False, f"{type(error).__name__}: {error}"
        traceback.print_exc()
        lab.begin_anew()
    proof.took = round(time.monotonic() - began, 1)
    proof.circumstances = circumstances(seed)
    return proof


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(ATTEMPTS)}")
    parser.add_argument("--seed", type=int, help="of the random moments (a new one)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ATTEMPTS):
        parser.error(f"no such attempt: {', '.join(unknown)}; there are {', '.join(ATTEMPTS)}")
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    proofs = []
    with loose_lab() as lab:
        for name in options.names or ATTEMPTS:
            proofs.append(attempt(name, lab, seed))
            print(table(proofs[-1:]), flush=True)
            write(proofs[-1:], order=list(ATTEMPTS))
    failed = [proof.name for proof in proofs if not proof.held]
    print(f"{len(proofs) - len(failed)} of {len(proofs)} hold (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
