"""Exit status 0 where a container does its work: `healthcheck.py web|worker NAME|beat FILE`."""

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

# Beat writes its schedule down every three minutes.
BEAT_SECONDS = 600


def web(port: str = "8000") -> bool:
    """Asks as a visitor would: for a host that the lab answers to."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz")  # noqa: S310
    request.add_header("Host", os.environ["ALLOWED_HOSTS"].split(",")[0].strip())
    with urllib.request.urlopen(request, timeout=8) as answer:  # noqa: S310
        return answer.status == 200


def worker(name: str) -> bool:
    """Looks for the key that a living worker keeps in the broker."""
    import redis

    broker = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=5)
    return bool(broker.exists(f"lab:worker:{name}@{socket.gethostname()}"))


def beat(schedule: str) -> bool:
    return time.time() - Path(schedule).stat().st_mtime < BEAT_SECONDS


CHECKS = {"web": web, "worker": worker, "beat": beat}


def main() -> int:
    kind, *arguments = sys.argv[1:]
    try:
        return 0 if CHECKS[kind](*arguments) else 1
    except OSError as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
