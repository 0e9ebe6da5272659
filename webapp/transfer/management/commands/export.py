"""`manage.py export FOLDER`"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from webapp.transfer.exporting import export_lab
from webapp.transfer.rows import TransferError


class Command(BaseCommand):
    help = "Writes everything that the lab has to a new folder: JSON, and Parquet for the series."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="must not be there yet")

    def handle(self, *, folder: Path, **_: Any) -> None:
        with tqdm(unit=" experiments", disable=None) as bar:

            def tell(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            try:
                counts = export_lab(folder, tell)
            except TransferError as problem:
                raise CommandError(str(problem)) from None
        said = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        self.stdout.write(f"{folder}: {said}.")
