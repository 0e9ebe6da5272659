"""`POST /api/v1/experiments`: good specs are launched, bad ones refused with the field, unsaved."""

import json

import pytest
from django.test import Client

from engine.spec import to_yaml, validate
from tests.webapp.factories import QUADRATIC, person, signed_in
from webapp.experiments.models import Experiment
from webapp.runs.models import Run

pytestmark = pytest.mark.django_db

URL = "/api/v1/experiments"


@pytest.fixture
def client() -> Client:
    return signed_in(person("ada"))


def post(client: Client, body: str | bytes, kind: str = "application/yaml"):
    return client.post(URL, data=body, content_type=kind)


def refused(client: Client, body: str | bytes, kind: str = "application/yaml") -> list[dict]:
    answer = post(client, body, kind)
    assert answer.status_code == 422, answer.content
    assert not Experiment.objects.exists()
    assert not Run.objects.exists()
    errors = answer.json()["errors"]
    assert all(error.keys() == {"path", "given", "message"} for error in errors)
    return errors


@pytest.mark.parametrize("kind", ["application/yaml", "text/yaml", "application/x-yaml"])
def test_yaml_is_launched(client: Client, kind: str) -> None:
    answer = post(client, to_yaml(validate(QUADRATIC)), kind)
    assert answer.status_code == 201
    kept = answer.json()
    assert (kept["owner"], kept["name"], len(kept["runs"])) == ("ada", "bowl", 4)
    assert kept["spec"]["inner_task"]["dimension"] == 4
    assert {run["status"] for run in kept["runs"]} == {"queued"}
    assert client.get(f"{URL}/{kept['id']}").json() == kept


def test_json_is_launched(client: Client) -> None:
    body = json.dumps({**QUADRATIC, "name": "Schüssel 🥣"})
    answer = post(client, body, "application/json; charset=utf-8")
    assert answer.status_code == 201
    assert answer.json()["name"] == "Schüssel 🥣"


def test_a_preset_is_remembered_if_there_is_such_a_preset(client: Client) -> None:
    preset = client.get("/api/v1/presets").json()[0]
    answer = client.post(
        f"{URL}?preset={preset['slug']}", data=preset["text"], content_type="application/yaml"
    )
    assert answer.json()["preset"] == preset["slug"]
    Experiment.objects.all().delete()
    answer = client.post(
        f"{URL}?preset=nonsense", data=preset["text"], content_type="application/yaml"
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "preset"


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"nonsense": 1}, "nonsense", "unknown field; allowed: name, inner_task"),
        ({"inner": {"steps": "many"}}, "inner.steps", "integer"),
        ({"inner": {"steps": 10.5}}, "inner.steps", "integer"),
        ({"outer": {"steps": True}}, "outer.steps", "integer"),
        (
            {"estimators": [{"kind": "unrolled"}, {"kind": "truncated", "window": 11}]},
            "estimators.1.window",
            "1 to the horizon, inner.steps = 10",
        ),
        ({"inner": {"steps": 10**9}}, "inner.steps", "less than or equal to 100000"),
        ({"outer": {"steps": 10**9}}, "outer.steps", "less than or equal to 100000"),
        (
            {"inner": {"steps": 100_000}, "outer": {"steps": 100_000}},
            "inner.steps",
            "at most 1e+09 inner steps",
        ),
        ({"estimators": [{"kind": "magic"}]}, "estimators.0.kind", "unknown kind; allowed:"),
        ({"sweep": {"estimators.1.window": [99]}}, "sweep.estimators.1.window", "horizon"),
        ({"sweep": {"inner.typo": [1]}}, "sweep.inner.typo", "no such field"),
        ({"sweep": {"inner.steps": list(range(10, 600))}}, "sweep", "at most 500 runs"),
        ({"name": "a\x00b"}, "name", "U+0000"),
        ({"estimators": []}, "estimators", "at least 1"),
    ],
)
def test_a_refused_field_is_named(client: Client, change: dict, path: str, words: str) -> None:
    errors = refused(client, json.dumps({**QUADRATIC, **change}), "application/json")
    assert errors[0]["path"] == path
    assert words in errors[0]["message"]


def test_every_refused_field_is_named_at_once(client: Client) -> None:
    body = json.dumps({**QUADRATIC, "nonsense": 1, "precision": "float16", "seeds": [-1]})
    paths = {error["path"] for error in refused(client, body, "application/json")}
    assert paths == {"nonsense", "precision", "seeds.0"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("name: [unclosed", "line 1, column"),
        ("a: &x 1\nb: *x\n", "anchors (&name) are not allowed"),
        ("a: *x\n", "aliases (*name) are not allowed"),
        ("name: one\nname: two\n", "'name' appears twice"),
        ("[" * 40 + "]" * 40, "nested deeper than 12"),
        ("!!python/object/apply:os.system ['true']", "tags (!name) are not allowed"),
        ("just words", "a spec is a mapping"),
        ("# only a comment", "a spec is a mapping"),
        ("- 1\n- 2\n", "a spec is a mapping"),
        ("name: " + "x" * 70_000, "at most 64,000 characters"),
        (b"name: \xff", "not UTF-8 text: byte 7"),
        ("name: \x07bell", "not readable as YAML"),
        ("x" * 3_000_000, "at most 64,000 characters"),
    ],
)
def test_broken_yaml_is_refused_as_a_whole(client: Client, body: str | bytes, words: str) -> None:
    errors = refused(client, body)
    assert words in errors[0]["message"]
    assert errors[0]["path"] == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"name": ', "line 1, column"),
        ('{"name": "a", "name": "b"}', "'name' appears twice"),
        ("[" * 50_000, "nested too deeply"),
        ("[]", "a spec is a mapping"),
        ('{"seeds": [' + "9" * 5000 + "]}", "integer string conversion"),
    ],
)
def test_broken_json_is_refused_as_a_whole(client: Client, body: str, words: str) -> None:
    assert words in refused(client, body, "application/json")[0]["message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(client: Client, number: str) -> None:
    body = json.dumps(QUADRATIC).replace('"initial": 0.1', f'"initial": {number}')
    assert refused(client, body, "application/json")[0]["path"] == "meta_parameters.0.initial"


def test_other_types_of_content_are_refused(client: Client) -> None:
    answer = post(client, "<spec/>", "application/xml")
    assert answer.status_code == 415
    assert "application/yaml" in answer.json()["detail"]
    assert not Experiment.objects.exists()


def test_strangers_launch_nothing() -> None:
    assert post(Client(), to_yaml(validate(QUADRATIC))).status_code == 401
    assert not Experiment.objects.exists()


def test_a_launch_from_another_site_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("ada"))
    assert post(client, to_yaml(validate(QUADRATIC))).status_code == 403
    assert not Experiment.objects.exists()
