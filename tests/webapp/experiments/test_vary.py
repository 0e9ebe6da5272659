"""One click varies a field: it joins the sweep with values around its own, and leaves it again."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from engine.presets import PRESETS
from engine.spec import expand, read_text, validate
from tests.webapp.experiments.form_fields import fields_of
from tests.webapp.factories import QUADRATIC, person
from webapp.experiments.form import build_form, restructure
from webapp.experiments.form.nodes import Leaf
from webapp.experiments.form.vary import MOST_VALUES, values_to_vary

HTMX = {"HX-Request": "true"}


def document(**changes) -> dict:
    return validate({**QUADRATIC, **changes}).model_dump(mode="json")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("inner.steps", [5, 10, 20, 40]),
        ("estimators.1.window", [1, 2, 3, 6]),
        ("inner_task.dimension", [1, 2, 4, 8, 16]),
        ("outer.optimizer.learning_rate", [0.001, 0.003, 0.01, 0.03, 0.1]),
        ("outer.clip_norm", [None, 0.01, 0.1, 1.0]),
        ("objective", ["final", "average"]),
        ("estimators.0.storage", ["checkpoint", "full", "per_step"]),
        ("probes.oracle", [False, True]),
        ("inner_task.noise", [0.0, 0.01, 0.1, 1.0]),
    ],
)
def test_values_lie_around_the_field_s_own_and_fit_the_rest(path: str, values: list) -> None:
    assert values_to_vary(document(), path) == values


@pytest.mark.parametrize(
    "path", ["name", "seeds", "sweep", "inner", "estimators", "estimators.7.window", "nothing", ""]
)
def test_what_is_no_field_of_one_value_is_not_varied(path: str) -> None:
    before = document()
    after = document()
    restructure(after, f"vary:{path}")
    assert after == before


def test_in_a_document_that_is_wrong_elsewhere_values_are_offered_all_the_same() -> None:
    wrong = document() | {"seeds": ["x"]}
    assert values_to_vary(wrong, "inner.steps") == [2, 5, 10, 20, 40]
    wrong["inner"]["steps"] = "fifty"
    assert values_to_vary(wrong, "inner.steps") == []


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)
def test_every_field_of_every_preset_is_varied_to_a_spec_that_can_run(preset) -> None:
    whole = read_text(preset.text).model_dump(mode="json")
    form = build_form(whole)
    for leaf in form.nodes():
        if not isinstance(leaf, Leaf) or not leaf.can_vary or leaf.varied_at is not None:
            continue
        values = values_to_vary(whole, leaf.path)
        assert len(values) <= MOST_VALUES
        assert len(set(map(repr, values))) == len(values), leaf.path
        for value in values:
            swept = {**whole, "sweep": {leaf.path: [value]}}
            assert expand(validate(swept)), f"{leaf.path}: {value}"


@given(st.integers(-(10**400), 10**400) | st.floats())
def test_no_number_is_too_strange(number: float) -> None:
    strange = document()
    for path in ("inner.steps", "outer.optimizer.learning_rate"):
        parent = strange["inner"] if path == "inner.steps" else strange["outer"]["optimizer"]
        parent[path.rpartition(".")[2]] = number
        assert len(values_to_vary(strange, path)) <= MOST_VALUES


@pytest.fixture
def browser(db, client: Client) -> Client:
    client.force_login(person("ada"))
    return client


def button_of(page: str, path: str) -> tuple[str, str]:
    """What the button of the field at `path` does, and whether it is pressed."""
    place = "vary-field-" + path.replace(".", "-")
    found = re.search(rf'id="{place}"[^>]* value="([^"]*)" aria-pressed="(\w+)"', page)
    assert found is not None, path
    return found[1], found[2]


def test_a_click_adds_the_row_and_another_takes_it_away(browser: Client) -> None:
    page = browser.get("/experiments/new?preset=short-window").content.decode()
    fields = fields_of(page)
    action, pressed = button_of(page, "inner.steps")
    assert (action, pressed) == ("vary:inner.steps", "false")
    answer = browser.post("/experiments/form", fields | {"_action": [action]}, headers=HTMX)
    step = answer.content.decode()
    assert step.lstrip().startswith('<details class="step panel" id="step-seeds-and-sweep"')
    rows = read_text(yaml_of(step)).sweep
    assert "inner.steps" in rows
    where = list(rows).index("inner.steps")
    assert button_of(step, "inner.steps") == (f"remove:sweep:{where}", "true")
    again = fields | sweep_fields(step) | {"_action": [f"remove:sweep:{where}"]}
    step = browser.post("/experiments/form", again, headers=HTMX).content.decode()
    assert "inner.steps" not in read_text(yaml_of(step)).sweep
    assert button_of(step, "inner.steps") == ("vary:inner.steps", "false")


def test_an_answer_to_typing_has_no_buttons_to_swap(browser: Client) -> None:
    fields = fields_of(browser.get("/experiments/new?preset=short-window").content.decode())
    answer = browser.post("/experiments/form", fields, headers=HTMX).content.decode()
    assert "field-vary" not in answer


def yaml_of(page: str) -> str:
    found = re.search(r'<textarea id="yaml-text".*?>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def sweep_fields(step: str) -> dict[str, list[str]]:
    fields = fields_of(f'<form id="builder-form">{step}</form>')
    return {name: values for name, values in fields.items() if name.startswith("sweep.")}
