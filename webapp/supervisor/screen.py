"""What a person reads in the terminal."""

import os
import sys


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:
        # The terminal was closed: there is nobody to tell, and the stop must go on.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def say_state(name: str, state: str, detail: str) -> None:
    say(f"  {name:<12} {state:<8} {detail}")
