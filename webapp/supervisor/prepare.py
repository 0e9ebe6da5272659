"""`python -m webapp.supervisor.prepare`: migrates, and prints the path of a sign-in link.

A process of its own, so that the supervisor stays small and without Django.
"""

import getpass
import sys


def first_admin_name() -> str:
    """The account name of who starts the lab, where that says something."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return "admin"
    return "admin" if name == "root" else name


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from webapp.accounts.services import ensure_admin, sign_in_path

    call_command("migrate", interactive=False, stdout=sys.stderr)
    print(sign_in_path(user=ensure_admin(name=first_admin_name())))


if __name__ == "__main__":
    main()
