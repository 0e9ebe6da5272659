"""`manage.py backup FOLDER`"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.backups.errors import BackupError
from webapp.backups.services import back_up


class Command(BaseCommand):
    help = "Writes the whole lab, database and checkpoints, to a new folder; runs may go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="must not be there yet")

    def handle(self, *, folder: Path, **_: Any) -> None:
        try:
            manifest = back_up(folder)
        except BackupError as problem:
            raise CommandError(str(problem)) from None
        size = sum(path.stat().st_size for path in folder.iterdir())
        rows = sum(manifest["tables"].values())
        self.stdout.write(f"{folder}: {rows:,} rows, {size / 1e6:,.1f} MB. Keep it as a secret.")
