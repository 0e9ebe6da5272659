"""`manage.py import FOLDER`"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from webapp.transfer.importing import import_lab
from webapp.transfer.rows import TransferError


class Command(BaseCommand):
    help = "Adds what an export of a lab has and this lab has not; changes nothing that is here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="what `manage.py export` wrote")

    def handle(self, *, folder: Path, **_: Any) -> None:
        with tqdm(unit=" experiments", disable=None) as bar:

            def tell(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            try:
                outcome = import_lab(folder, tell)
            except TransferError as problem:
                raise CommandError(str(problem)) from None
        self.stdout.write(
            f"Added {outcome.experiments:,} experiments with {outcome.runs:,} runs and "
            f"{outcome.points:,} points; {outcome.known:,} were here already."
        )
        if outcome.people:
            self.stdout.write(
                f"Added {outcome.people:,} people, as members without a password: "
                "`manage.py sign_in_link --user NAME` lets one in."
            )
        for sentence in outcome.conflicts:
            self.stdout.write(self.style.WARNING(sentence))
