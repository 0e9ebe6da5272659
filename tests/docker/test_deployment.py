"""What can be checked of a lab's server without a Docker engine."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (DOCKER / "env.example").read_text()
EXAMPLE_NAMES = set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE))

each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def required_by_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+):\?", (DOCKER / "compose.yaml").read_text()))


def test_the_services_of_a_lab_are_all_there():
    workers = {"worker", "worker-forecast", "worker-gpu"}
    assert set(SERVICES) == {"proxy", "web", *workers, "beat", "postgres", "redis"}


@each_service
def test_a_service_is_watched_restarted_and_not_root(name: str):
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["cap_drop"] == ["ALL"]


def test_only_the_proxy_is_reached_from_outside():
    published = {name for name, service in SERVICES.items() if "ports" in service}
    assert published == {"proxy"}


def test_the_gpu_worker_is_a_profile_with_a_device_of_its_own():
    service = SERVICES["worker-gpu"]
    assert service["profiles"] == ["gpu"]
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert "--concurrency 1" in service["command"]
    assert SERVICES["worker"]["environment"]["CUDA_VISIBLE_DEVICES"] == ""


@each_service
def test_the_volumes_that_a_service_mounts_exist(name: str):
    for mount in SERVICES[name].get("volumes", []):
        assert mount.split(":")[0] in COMPOSE["volumes"]


@each_service
def test_a_service_waits_for_services_that_report_health(name: str):
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        assert condition == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[other]


def test_secrets_have_no_default():
    text = (DOCKER / "compose.yaml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "LAB_DOMAIN"):
        assert f"${{{name}:-" not in text
        assert f"${{{name}}}" not in text
        assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE)


def test_the_example_covers_what_compose_asks_for():
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (DOCKER / "compose.yaml").read_text()))
    assert required_by_compose() <= EXAMPLE_NAMES
    assert used <= EXAMPLE_NAMES


def test_the_example_covers_what_the_production_settings_read():
    settings = ROOT / "webapp" / "settings"
    text = (settings / "production.py").read_text() + (settings / "base.py").read_text()
    required = set(re.findall(r'environment\.(?:required|words)\(\s*"([A-Z_]+)"', text))
    assert {"SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"} <= required
    assert required <= EXAMPLE_NAMES
    web = SERVICES["web"]["environment"]
    assert required - {"CSRF_TRUSTED_ORIGINS"} <= set(web)


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "proxy.Dockerfile"])
def test_what_a_dockerfile_copies_exists(dockerfile: str):
    text = (DOCKER / dockerfile).read_text()
    copied = re.findall(r"^COPY (?!--from)(\S+) \S+$", text, re.MULTILINE)
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
    assert re.search(r"^USER (?!root)\w+", text, re.MULTILINE)


@each_service
def test_a_build_names_a_dockerfile_that_exists(name: str):
    build = SERVICES[name].get("build")
    if build:
        assert (DOCKER / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).exists()


@pytest.mark.parametrize("name", ["web", "worker", "worker-forecast", "worker-gpu", "beat"])
def test_the_commands_name_what_the_image_has(name: str):
    command = SERVICES[name]["command"]
    words = shlex.split(command if isinstance(command, str) else command[-1])
    modules = [w.split(":")[0] for w in words if w.startswith("webapp.")]
    assert modules
    for module in modules:
        assert importlib.util.find_spec(module), module
    check = SERVICES[name]["healthcheck"]["test"]
    assert check[:3] == ["CMD", "python", "docker/healthcheck.py"]
    assert (ROOT / check[2]).exists()


def test_the_image_runs_a_python_that_the_project_supports():
    versions = re.findall(r"^FROM python:3\.(\d+)-slim", (DOCKER / "Dockerfile").read_text(), re.M)
    assert versions
    assert {int(version) for version in versions} <= {11, 12, 13}


def test_the_proxy_ends_tls_for_the_lab_and_hands_on_to_the_web():
    caddyfile = (DOCKER / "Caddyfile").read_text()
    assert caddyfile.count("{") == caddyfile.count("}")
    assert re.search(r"^\{\$LAB_DOMAIN\} \{", caddyfile, re.MULTILINE)
    assert "reverse_proxy web:8000" in caddyfile
    assert "--port 8000" in SERVICES["web"]["command"][-1]
