"""The API describes itself truly: valid OpenAPI, and examples that its own schemas accept."""

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from tests.webapp.factories import person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def described() -> dict:
    client = signed_in(person("ada"))
    return client.get("/api/v1/openapi.json").json()


def operations(described: dict) -> list[tuple[str, dict]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_valid(described) -> None:
    validate(described)
    names = [operation["operationId"] for _, operation in operations(described)]
    assert len(names) == len(set(names)) > 20


def test_every_route_says_what_it_does_and_what_a_token_needs(described) -> None:
    for route, operation in operations(described):
        assert len(operation["description"].split()) > 8, route
        assert "Scope of the token: `" in operation["description"], route
        assert operation["security"] == [{"TokenAuth": []}, {"SessionAuth": []}], route
        for parameter in operation["parameters"]:
            if parameter["in"] == "query":
                assert parameter["schema"].get("description"), (route, parameter["name"])


def test_every_route_has_an_example_that_its_schema_accepts(described) -> None:
    for route, operation in operations(described):
        good = {k: v for k, v in operation["responses"].items() if k.startswith("2") and k != "202"}
        for status, answer in good.items():
            if status == "204":
                continue
            assert answer["content"], route
            for content in answer["content"].values():
                schema = {**content["schema"], "components": described["components"]}
                assert content["example"], route
                OAS31Validator(schema).validate(content["example"])


def test_every_route_says_how_it_refuses(described) -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    for route, operation in operations(described):
        refusals = {k: v for k, v in operation["responses"].items() if k >= "400"}
        assert {"401", "403"} <= refusals.keys(), route
        if "{" in route:
            assert "404" in refusals, route
        for answer in refusals.values():
            (content,) = answer["content"].items()
            kind, refused = content
            assert kind == "application/problem+json", route
            assert refused["schema"] == problem or refused["schema"]["title"] == "Problem", route
