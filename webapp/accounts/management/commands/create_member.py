"""`manage.py create_member NAME [--admin]`"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.services import create_member


class Command(BaseCommand):
    help = "Adds a member of the lab, who signs in by a link (see sign_in_link)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--admin", action="store_true", help="may edit everyone's runs")

    def handle(self, *, name: str, admin: bool, **_: Any) -> None:
        try:
            user = create_member(name=name, admin=admin)
        except ValidationError as error:
            raise CommandError(f"{name!r}: {' '.join(error.messages)}") from None
        self.stdout.write(f"{user.username} is a {user.get_role_display().lower()} of the lab.")
