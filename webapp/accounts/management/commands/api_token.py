"""`manage.py api_token create NAME --user NAME`, `api_token list`, `api_token revoke PREFIX`"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.models import ApiToken, Scope, User
from webapp.accounts.services import issue_token, revoke_token

MOST_DAYS = 366


class Command(BaseCommand):
    help = "Makes, lists and revokes tokens that let a member's scripts into the HTTP API."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="print a new token, which is shown once")
        create.add_argument("name", help="what it is for")
        create.add_argument("--user", required=True, help="the member whose token it is")
        create.add_argument(
            "--scopes", default=Scope.READ, help="of read, launch and admin; commas between"
        )
        create.add_argument("--days", type=int, default=90, help="until it ends (%(default)s)")
        listing = actions.add_parser("list", help="tokens by their first characters")
        listing.add_argument("--user", help="those of one member alone")
        revoke = actions.add_parser("revoke", help="let a token in no more")
        revoke.add_argument("prefix", help="its first characters, as the list shows them")

    def handle(self, *, action: str, **options: Any) -> None:
        getattr(self, f"_{action}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active member {options['user']!r}.")
        scopes = list(dict.fromkeys(options["scopes"].split(",")))
        unknown = [scope for scope in scopes if scope not in Scope.values]
        if unknown:
            allowed = ", ".join(Scope.values)
            raise CommandError(f"--scopes: {unknown[0]!r} is not known; allowed: {allowed}.")
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days: {options['days']} given; allowed: from 1 to {MOST_DAYS}.")
        made = issue_token(
            user=user, name=options["name"], scopes=scopes, days=options["days"], by=None
        )
        self.stdout.write(made)

    def _list(self, options: dict[str, Any]) -> None:
        tokens = ApiToken.objects.select_related("user")
        if options["user"]:
            tokens = tokens.filter(user__username=options["user"])
        for token in tokens:
            used = token.last_used_at.date() if token.last_used_at else "never"
            self.stdout.write(
                f"{token.prefix}…  {token.user}  {token.name}  {','.join(token.scopes)}  "
                f"{token.state}, until {token.expires_at.date()}, last used: {used}"
            )

    def _revoke(self, options: dict[str, Any]) -> None:
        token = ApiToken.objects.valid().filter(prefix=options["prefix"].rstrip("…")).first()
        if token is None:
            raise CommandError(f"There is no valid token {options['prefix']!r}; see: list.")
        revoke_token(token=token, by=None)
        self.stdout.write(f"{token.prefix}… of {token.user} is revoked.")
