"""`manage.py restore FOLDER [--replace]`"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from webapp.backups.errors import BackupError
from webapp.backups.services import restore


class Command(BaseCommand):
    help = "Puts a backup in the place of this lab; stop the lab's programs first."
    # The database may have no table yet.
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--replace", action="store_true", help="what the lab holds is lost")

    def handle(self, *, folder: Path, replace: bool, **_: Any) -> None:
        connections.close_all()
        try:
            manifest = restore(folder, replace=replace)
        except BackupError as problem:
            raise CommandError(str(problem)) from None
        rows = sum(manifest["tables"].values())
        self.stdout.write(
            f"{rows:,} rows of {manifest['made_at']}, code {manifest['code_version']}. "
            "Now: manage.py migrate, then start the lab."
        )
