"""Exit status 0 where a container does its work: `healthcheck.py web|worker NAME|beat FILE`."""

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

import psycopg

# Beat writes its schedule down every three minutes.
BEAT_SECONDS = 600


def web(port: str = "8000") -> bool:
    """Asks as a visitor would: for a host that the lab answers to."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz")
    request.add_header("Host", os.environ["ALLOWED_HOSTS"].split(",")[0].strip())
    with urllib.request.urlopen(request, timeout=8) as answer:  # noqa: S310
        return answer.status == 200


def worker(name: str) -> bool:
    """Looks for the heartbeat that a living worker keeps in the database."""
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=5) as connection:
        found = connection.execute(
            "SELECT 1 FROM workers_worker"
            " WHERE name = %s AND heartbeat_at > now() - interval '45 seconds'",
            [f"{name}@{socket.gethostname()}"],
        ).fetchone()
    return found is not None


def beat(schedule: str) -> bool:
    """The schedule may be several files, whose names begin alike."""
    path = Path(schedule)
    written = [file.stat().st_mtime for file in path.parent.glob(f"{path.name}*")]
    return bool(written) and time.time() - max(written) < BEAT_SECONDS


CHECKS = {"web": web, "worker": worker, "beat": beat}


def main() -> int:
    kind, *arguments = sys.argv[1:]
    try:
        return 0 if CHECKS[kind](*arguments) else 1
    except (OSError, psycopg.Error) as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
