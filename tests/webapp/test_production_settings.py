"""The production settings: clean under Django's own check, and clear about what is missing."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "webapp.settings.production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abcdefghijklmnopqrstuv",
    "ALLOWED_HOSTS": "lab.example.org",
    "DATABASE_URL": "postgres://lab:password@127.0.0.1:1/lab",
    "REDIS_URL": "redis://:password@127.0.0.1:1/0",
}


def manage(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, **ENVIRONMENT, **changed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployment_check_is_clean():
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"])
def test_a_missing_variable_is_named(name: str):
    done = manage("check", **{name: ""})
    assert done.returncode != 0
    assert f"The environment variable {name} is missing" in done.stderr


def test_a_variable_that_is_no_number_is_named():
    done = manage("check", HSTS_SECONDS="a year")
    assert done.returncode != 0
    assert "HSTS_SECONDS is 'a year'; a whole number is needed" in done.stderr


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    # What is large takes long to compress, and the pages that are asked for here use none of it.
    large = ("--ignore", "ninja", "--ignore", "plotly")
    done = manage("collectstatic", "--no-input", *large, STATIC_ROOT=str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def test_the_static_files_are_collected_under_names_of_their_contents(collected: Path):
    names = json.loads((collected / "staticfiles.json").read_text())["paths"]
    assert names["css/base.css"] != "css/base.css"
    assert (collected / names["css/base.css"]).exists()


SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
OF_SAFETY = ("Content-S", "Cross-", "Permissions", "Referrer", "Strict", "X-Content", "X-Frame")


@pytest.fixture(scope="module")
def sent(collected: Path) -> dict[str, tuple[int, dict[str, str]]]:
    """Status and headers of a page and of an answer of the API."""
    script = """
import json
from django.test import Client
asked = {"host": "lab.example.org", "x-forwarded-proto": "https"}
answers = {path: Client().get(path, headers=asked) for path in ("/sign-in/", "/api/v1/runs")}
print(json.dumps({path: (each.status_code, dict(each.headers)) for path, each in answers.items()}))
"""
    done = manage("shell", "-v", "0", "-c", script, STATIC_ROOT=str(collected))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("path", "status"), [("/sign-in/", 200), ("/api/v1/runs", 401)])
def test_the_headers_are_those_that_are_documented(sent: dict, path: str, status: int):
    found, headers = sent[path]
    assert found == status
    documented = dict(re.findall(r"^\| `([\w-]+)` \| `([^`]+)` \|", SECURITY, re.M))
    assert {name: headers.get(name) for name in documented} == documented
    assert {name for name in headers if name.startswith(OF_SAFETY)} == documented.keys()


def test_a_page_over_plain_http_is_redirected_and_https_is_believed_from_the_proxy(
    collected: Path,
):
    script = """
from django.test import Client
from django.conf import settings
plain = Client().get("/sign-in/", headers={"host": "lab.example.org"})
assert plain.status_code == 301 and plain.url.startswith("https://lab.example.org/"), plain
assert Client().get("/healthz", headers={"host": "lab.example.org"}).status_code == 503
secure = Client().get(
    "/sign-in/", headers={"host": "lab.example.org", "x-forwarded-proto": "https"}
)
assert secure.status_code == 200, secure
assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]
assert secure.cookies["__Host-csrftoken"]["secure"]
assert settings.CSRF_TRUSTED_ORIGINS == ["https://lab.example.org"]
print("passed")
"""
    done = manage("shell", "-v", "0", "-c", script, STATIC_ROOT=str(collected))
    assert "passed" in done.stdout, done.stderr
