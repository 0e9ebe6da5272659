"""The help has an entry for everything that can be met, and every link to it arrives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import Client

from engine.spec import Experiment, validate
from engine.spec.installed import AnyEstimator
from tests.webapp.factories import QUADRATIC, first_run, person
from webapp.experiments.form.build import build_form
from webapp.experiments.form.nodes import Leaf
from webapp.experiments.form.shapes import kind_of, models_in
from webapp.exports.metrics import METRICS
from webapp.help import charts, fields, formulas, queries
from webapp.help.estimators import ACCOUNTS
from webapp.help.field_places import places
from webapp.runs.query.fields import fields as fields_of_queries


def schema_leaves(schema: dict, definitions: dict, place: str = "") -> set[str]:
    """Every place in a JSON schema, found without the code that the help is made with."""
    if "$ref" in schema:
        return schema_leaves(definitions[schema["$ref"].rpartition("/")[2]], definitions, place)
    members = schema.get("oneOf") or schema.get("items", {}).get("oneOf")
    if members is not None:
        found = set()
        for member in members:
            model = definitions[member["$ref"].rpartition("/")[2]]
            kind = model["properties"]["kind"]["const"]
            found |= schema_leaves(model, definitions, f"{place}.{kind}")
        return found
    if "properties" not in schema:
        return {place}
    return {
        leaf
        for name, part in schema["properties"].items()
        if name != "kind"
        for leaf in schema_leaves(part, definitions, f"{place}.{name}".removeprefix("."))
    }


def test_every_field_of_the_schema_has_an_entry() -> None:
    schema = Experiment.model_json_schema()
    assert schema_leaves(schema, schema["$defs"]) == set(fields.entries())
    for entry in fields.entries().values():
        assert entry.explanation, entry.place
        assert entry.default, entry.place


def test_every_metric_has_an_entry() -> None:
    assert set(METRICS) <= set(charts.entries())
    assert all(entry.explanation for entry in charts.entries().values())
    assert set(formulas.METRICS) <= set(METRICS), "a formula of a metric that does not exist"


def test_every_estimator_of_the_lab_has_a_formula_and_an_account() -> None:
    own = {
        kind_of(model)
        for model in models_in(AnyEstimator)
        if model.__module__.startswith("engine.")
    }
    assert own == set(ACCOUNTS) == set(formulas.ESTIMATORS)
    sections = {section.place for section in fields.sections()}
    assert set(formulas.KINDS) <= sections, "a formula of a kind that does not exist"


def test_every_control_of_the_builder_has_a_place() -> None:
    document = validate(QUADRATIC).model_dump(mode="json")
    form = build_form(document)
    parts = [form.name, *(part for step in form.steps for part in step.parts)]
    placed = {node.path: place for node, place in places(parts) if isinstance(node, Leaf)}
    assert set(placed.values()) <= set(fields.entries())
    assert {place for _, place in places(parts)} <= {*fields.entries(), *fields.kinds()}
    leaves = {node.path: node.help_at for node in form.nodes() if isinstance(node, Leaf)}
    assert placed == leaves
    assert placed["estimators.1.window"] == "estimators.truncated.window"
    assert placed["inner.optimizer.learning_rate"] == "inner.optimizer.sgd.learning_rate"


@pytest.mark.django_db
def test_every_link_of_the_help_arrives(client: Client) -> None:
    client.force_login(person("ada"))
    addresses = ["/help/", "/help/fields", "/help/charts", "/help/estimators"]
    addresses += ["/help/queries", *(f"/help/estimators/{kind}" for kind in ACCOUNTS)]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode()
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), f"{address} has an id twice"
        anchors = set(re.findall(r'href="#([^"]+)"', text)) - {"content"}
        assert anchors <= set(ids), address
    assert client.get("/help/estimators/nonsense").status_code == 404
    assert "<math" in client.get("/help/estimators/truncated").content.decode()


def test_a_link_leads_to_a_place_or_is_not_there() -> None:
    shown = Template(
        "{% load help %}{% field_help 'outer.steps' 'Steps' %}{% chart_help 'theta.lr' 'θ' %}"
        "{% field_help 'outer.nothing' 'Nothing' %}{% chart_help '' '' %}"
    ).render(Context())
    assert re.findall(r'href="([^"]+)"', shown) == [
        "/help/fields#outer.steps",
        "/help/charts#theta",
    ]


@pytest.mark.django_db
def test_every_example_of_a_query_can_be_asked(client: Client) -> None:
    client.force_login(person("ada"))
    written = (Path(__file__).parents[3] / "docs" / "runs.md").read_text(encoding="utf-8")
    table = written.partition("| query | finds |")[2].partition("\n\n")[0]
    examples = [query for query, _ in queries.EXAMPLES] + re.findall(r"^\| `(.+?)` \|", table, re.M)
    assert len(examples) > 15
    for query in examples:
        assert client.get("/runs/", {"q": query}).status_code == 200, query


def test_every_field_of_a_query_is_in_the_help() -> None:
    told = {entry.name for entry in (*queries.own_fields(), *queries.short_names())}
    assert told | {*queries.metric_names(), *queries.spec_paths()} == set(fields_of_queries())
    assert all(entry.explanation and entry.values for entry in queries.own_fields())


@pytest.mark.django_db
def test_the_box_of_queries_leads_to_their_help(client: Client) -> None:
    ada = person("ada")
    client.force_login(ada)
    first_run(ada)
    html = client.get("/runs/").content.decode()
    assert 'href="/help/queries"' in html[html.index("query-help") :]
