"""Postgres refuses to run as root: which account runs it then, and what that account can reach."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFERRED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    name: str
    user: int
    group: int

    def popen_arguments(self) -> dict[str, Any]:
        return {"user": self.user, "group": self.group, "extra_groups": []}

    def own(self, path: Path) -> None:
        os.chown(path, self.user, self.group)


def account_for_postgres(data: Path) -> Account | None:
    """None where we are not root: then Postgres runs as ourselves.

    An existing data folder keeps its owner.
    """
    if os.geteuid() != 0:
        return None
    entries = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if data.exists():
        owner = data.stat().st_uid
        entries.sort(key=lambda entry: entry.pw_uid != owner)
    else:
        entries.sort(
            key=lambda entry: (
                PREFERRED.index(entry.pw_name) if entry.pw_name in PREFERRED else len(PREFERRED)
            )
        )
    if not entries:
        raise RuntimeError(
            "Postgres cannot run as root, and this machine has no other account; "
            "add one (useradd lab), or set DATABASE_URL."
        )
    chosen = entries[0]
    return Account(chosen.pw_name, chosen.pw_uid, chosen.pw_gid)


def everyone_may_enter(folder: Path) -> bool:
    """Whether any account gets to `folder`: each folder on the way may be passed through."""
    existing = [path for path in (folder, *folder.parents) if path.exists()]
    return all(path.stat().st_mode & 0o001 for path in existing)
