"""`manage.py sign_in_link [--user NAME] [--base URL]`"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.models import User
from webapp.accounts.services import ensure_admin, sign_in_path


class Command(BaseCommand):
    help = "Prints a link that signs one member in, once, within 24 hours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="the member's name; without it, the lab's first admin")
        parser.add_argument(
            "--base",
            default=settings.LAB_URL,
            help="where the lab is reached, like https://lab.example.org (%(default)s)",
        )

    def handle(self, *, user: str | None, base: str, **_: Any) -> None:
        if user is None:
            member = ensure_admin(name="admin")
        else:
            member = User.objects.filter(username=user, is_active=True).first()
            if member is None:
                raise CommandError(
                    f"There is no active member {user!r}; add one with create_member {user}."
                )
        self.stdout.write(base.rstrip("/") + sign_in_path(user=member))
