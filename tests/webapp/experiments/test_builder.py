"""The builder's pages: what is wrong is said at its field and kept nowhere; what is right runs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from engine.presets import PRESETS
from engine.spec import read_text
from tests.webapp.experiments.form_fields import fields_of
from tests.webapp.factories import launched, person
from webapp.experiments.models import Experiment

pytestmark = pytest.mark.django_db

PRESET = "short-window"
FORM, HTMX = "/experiments/form", {"HX-Request": "true"}


@pytest.fixture
def ada():
    return person("ada")


@pytest.fixture
def browser(ada, client: Client) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def posted(browser: Client) -> dict[str, list[str]]:
    """The first preset's form, as a browser would post it."""
    page = browser.get(f"/experiments/new?preset={PRESET}")
    assert page.status_code == 200
    return fields_of(page.content.decode())


def test_the_untouched_form_of_a_preset_launches_the_preset(browser, posted, ada) -> None:
    response = browser.post("/experiments/", posted)
    kept = Experiment.objects.get()
    assert response.status_code == 302
    assert response.url == f"/experiments/{kept.pk}/"
    assert kept.spec == read_text(PRESETS[0].text).model_dump(mode="json")
    assert (kept.preset, kept.owner, kept.parent) == (PRESET, ada, None)
    assert kept.runs.count() == 5


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)
def test_every_preset_launches_with_one_click_from_the_home_page(browser, preset) -> None:
    home = browser.get("/").content.decode()
    assert f'action="/presets/{preset.slug}/launch"' in home
    assert browser.post(f"/presets/{preset.slug}/launch").status_code == 302
    assert Experiment.objects.get().preset == preset.slug


def test_choices_come_with_an_answer_only_where_they_have_changed(browser, posted) -> None:
    def answer(**changes: str) -> str:
        fields = posted | {name: [value] for name, value in changes.items()}
        return browser.post(FORM, fields, headers=HTMX).content.decode()

    longer = answer(**{"inner.steps": "41"})
    assert "steps: 41" in longer
    assert 'id="adders-' not in longer
    assert "<select" not in longer

    one_more = answer(_action="add:estimators:reptile")
    [digest] = re.findall(r'id="choices" value="(\w+)" hx-swap-oob', one_more)
    assert [digest] != posted["_choices"]
    assert 'id="adders-meta_parameters"' in one_more, "what the new estimator refuses is grey"
    assert 'id="field-outer-optimizer-kind"' in answer(**{"outer.optimizer.kind": "sgd"})

    older = answer(_choices="of an older page")
    assert f'value="{posted["_choices"][0]}" hx-swap-oob' in older
    assert 'id="adders-meta_parameters"' in older


def test_an_empty_field_says_what_nothing_means(browser) -> None:
    page = browser.get("/experiments/new?preset=evolution-on-initial-parameters").content.decode()
    [control] = re.findall(r'<input [^>]*name="estimators\.1\.window"[^>]*>', page)
    assert 'placeholder="whole inner loops"' in control


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"estimators.1.window": "41"}, "estimators.1.window", "1 to the horizon"),
    ({"inner.steps": "1000000000"}, "inner.steps", "less than or equal to 100000"),
    ({"inner.steps": "many"}, "inner.steps", "valid integer"),
    ({"inner.steps": "9" * 5000}, "inner.steps", "valid integer"),
    ({"inner.steps": "100000", "outer.steps": "100000"}, "inner.steps", "1e+09 inner steps"),
    ({"outer.optimizer.learning_rate": "inf"}, "outer.optimizer.learning_rate", "valid number"),
    ({"outer.optimizer.learning_rate": "1e999"}, "outer.optimizer.learning_rate", "finite"),
    ({"inner_task.kind": "bogus"}, "inner_task.kind", "unknown kind"),
    ({"inner_task.activation": "sine"}, "inner_task.activation", "relu"),
    ({"estimators.0.bogus": "1"}, "estimators.0.bogus", "unknown field"),
    ({"bogus": "1"}, "bogus", "unknown field"),
    ({"estimators.99.bogus": "1"}, "estimators", "unknown"),
    ({"seeds": "0, one"}, "seeds.1", "valid integer"),
    ({"seeds": ""}, "seeds", "at least 1"),
    ({"name": ""}, "name", "at least 1 character"),
    ({"name": "a\x00b"}, "name", "U+0000"),
    ({"probes.oracle": "perhaps"}, "probes.oracle", "valid boolean"),
    ({"sweep.0.field": "threads", "sweep.0.values": "0"}, "sweep.threads", "or equal to 1"),
    ({"sweep.0.field": "threads", "sweep.0.values": ""}, "sweep.threads", "at least 1"),
    ({"sweep.0.field": "threads", "sweep.0.values": "[*a"}, "sweep.threads", "valid list"),
    ({"sweep.0.field": "no.such", "sweep.0.values": "1"}, "sweep.no.such", "no such field"),
    ({"sweep.0.field": "", "sweep.0.values": "1"}, "sweep", "choose the field"),
    (
        {
            "sweep.0.field": "threads",
            "sweep.0.values": "1",
            "sweep.1.field": "threads",
            "sweep.1.values": "2",
        },
        "sweep.threads",
        "twice",
    ),
    ({"inner_task.meta_loss": "accuracy"}, "estimators.0.kind", "accuracy has no gradient"),
]


@pytest.mark.parametrize(("changes", "path", "message"), BAD, ids=[str(bad[0])[:60] for bad in BAD])
def test_bad_input_is_refused_at_its_field_and_not_kept(
    browser, posted, changes, path, message
) -> None:
    response = browser.post("/experiments/", {**posted, **changes})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'role="alert"' in page
    assert f"<code>{path}</code>" in page or f"<code>{path}." in page
    assert message in page
    assert not Experiment.objects.exists()


def test_an_error_stands_beside_its_field_and_the_summary_links_to_it(browser, posted) -> None:
    page = browser.post("/experiments/", {**posted, "estimators.1.window": "41"}).content.decode()
    assert 'href="#field-estimators-1-window"' in page
    assert '<p class="field-error" id="field-estimators-1-window-error">allowed: 1' in page
    assert 'value="41"' in page, "what was typed is still there"
    assert 'id="to-estimators" class="wrong"' in page


def test_while_editing_only_what_changed_is_sent(browser, posted) -> None:
    changes = {"estimators.1.window": "3"}
    response = browser.post(
        "/experiments/form", {**posted, **changes}, headers={"HX-Request": "true"}
    )
    answer = response.content.decode()
    assert "Launch 5 runs" in answer
    assert "<del>1</del> <ins>3</ins>" in answer
    assert 'name="estimators.1.window"' not in answer, "no control is replaced under the hands"
    assert not Experiment.objects.exists()


def test_another_kind_brings_its_fields(browser, posted) -> None:
    changes = {"estimators.1.kind": "evolution", "_action": "kind:estimators.1"}
    response = browser.post(
        "/experiments/form", {**posted, **changes}, headers={"HX-Request": "true"}
    )
    answer = response.content.decode()
    assert 'name="estimators.1.particles"' in answer
    assert 'name="estimators.1.online"' not in answer
    assert "Launch 5 runs" in answer


def test_the_form_works_without_scripts(browser, posted) -> None:
    page = browser.post("/experiments/form", {**posted, "_action": "remove:estimators:0"})
    again = fields_of(page.content.decode())
    assert again["estimators.3.window"] == ["40"]
    assert browser.post("/experiments/", again).status_code == 302
    assert Experiment.objects.get().runs.count() == 4


def test_a_clone_says_what_changed_and_remembers_its_parent(browser, ada) -> None:
    parent = launched(person("grace"))
    run = parent.runs.get(number=2)
    page = browser.get(f"/experiments/new?clone={run.pk}").content.decode()
    assert f'run {run.pk}</a><span id="change-count">, unchanged' in page
    posted = fields_of(page)
    answer = browser.post("/experiments/form", {**posted, "inner.steps": "12", "seeds": "7"})
    assert "2 changes" in answer.content.decode()
    browser.post("/experiments/", {**posted, "inner.steps": "12", "seeds": "7"})
    child = Experiment.objects.exclude(pk=parent.pk).get()
    assert (child.parent, child.owner, child.runs.count()) == (parent, ada, 1)
    whole = fields_of(browser.get(f"/experiments/new?experiment={parent.pk}").content.decode())
    assert whole["estimators.1.window"] == ["3"]


@pytest.mark.parametrize(
    "query", ["preset=bogus", "clone=9", "clone=x", "experiment=99", f"clone={'9' * 40}"]
)
def test_what_is_not_there_cannot_be_started_from(browser, query: str) -> None:
    assert browser.get(f"/experiments/new?{query}").status_code == 404


@pytest.mark.parametrize(
    ("task", "command"),
    [
        ("{kind: image_mlp, dataset: fashion_mnist}", "fetch fashion_mnist"),
        ("{kind: few_shot_metric, dataset: glyphs}", "fetch glyphs"),
        ("{kind: few_shot_metric, dataset: omniglot}", "fetch omniglot --data-dir FOLDER"),
        ("{kind: language_lstm, text: shakespeare}", "fetch shakespeare"),
    ],
)
def test_missing_data_is_said_with_the_command_that_fetches_it(
    browser, monkeypatch: pytest.MonkeyPatch, task: str, command: str
) -> None:
    monkeypatch.setattr("engine.data.available", lambda name: False)
    learned = "network" if "few_shot" in task else "learning_rate"
    steps = 1 if "few_shot" in task else 5
    text = (
        f"inner_task: {task}\ninner: {{steps: {steps}}}\nmeta_parameters: [{{kind: {learned}}}]\n"
    )
    page = browser.post("/experiments/yaml", {"_yaml": text}).content.decode()
    assert f"python -m engine {command}" in page


BAD_YAML = [
    ("name: x\nestimators: [\n", "Line 3", "expected"),
    ("name: x\ninner:\n  steps: &a 5\n", "Line 3", "anchors"),
    ("a: &a [1]\nb: *a\n", "Line 1", "anchors"),
    ("b: *a\n", "Line 1", "aliases"),
    ("name: x\n\nbogus: 1\n", "Line 3", "unknown field"),
    ("inner:\n  stepz: 1\n", "Line 2, column 3", "did you mean &#x27;steps&#x27;?"),
    ("estimators:\n- kind: unrolled\n- kind: truncated\n  window: 900\n", "Line 4", "horizon"),
    ("name: 1\nname: 2\n", "Line 2", "twice"),
    ("- 1\n", "", "mapping"),
    ("x" * 70_000, "", "at most 64,000 characters"),
    ("inner: {steps: 1000000000}\n", "Line 1", "100000"),
    ("!!python/object/apply:os.system ['true']", "Line 1", "tag"),
]


@pytest.mark.parametrize(
    ("text", "line", "message"), BAD_YAML, ids=[bad[0][:30] for bad in BAD_YAML]
)
@pytest.mark.parametrize("htmx", [True, False], ids=["htmx", "no script"])
def test_bad_yaml_is_refused_at_its_line(browser, text, line, message, htmx) -> None:
    headers = {"HX-Request": "true"} if htmx else {}
    response = browser.post("/experiments/yaml", {"_yaml": text}, headers=headers)
    page = response.content.decode()
    assert response.status_code == (200 if htmx else 422), "to whom types, an ordinary answer"
    assert line in page
    assert message in page
    assert not Experiment.objects.exists()


def test_yaml_fills_the_form_and_the_form_writes_yaml(browser, posted) -> None:
    text = "name: from text\ninner: {steps: 7}\nestimators: [{kind: truncated, window: 7}]\n"
    page = browser.post("/experiments/yaml", {"_yaml": text, "_preset": PRESET}).content.decode()
    fields = fields_of(page)
    assert fields["inner.steps"] == ["7"]
    assert fields["name"] == ["from text"]
    browser.post("/experiments/", fields)
    kept = Experiment.objects.get()
    assert kept.spec == read_text(text).model_dump(mode="json")
    assert kept.preset == PRESET


def test_only_members_build(client: Client) -> None:
    for path in ("/", "/experiments/new"):
        assert client.get(path).status_code == 302
    assert client.post("/experiments/").status_code == 302
    assert not Experiment.objects.exists()


def test_what_cannot_work_beside_the_rest_is_grey_with_the_reason(browser, posted) -> None:
    page = browser.get("/experiments/new").content.decode()
    [reptile] = re.findall(r'<button[^>]* id="add-estimators-reptile"[^>]*>', page)
    assert "unfit" in reptile
    assert "it follows the initial parameters only" in reptile
    [forward] = re.findall(r'<button[^>]* id="add-estimators-forward_mode"[^>]*>', page)
    assert "unfit" not in forward
    assert re.search(r'<option value="influence_balancing" class="unfit" title="[^"]+">', page)


def test_another_inner_task_changes_what_is_grey_in_the_other_steps(browser) -> None:
    fields = fields_of(browser.get("/experiments/new").content.decode())
    fields |= {"inner_task.kind": ["quadratic"], "_action": ["kind:inner_task"]}
    answer = browser.post("/experiments/form", fields, headers={"HX-Request": "true"})
    [smoothing] = re.findall(
        r'<button[^>]* id="add-meta_parameters-label_smoothing"[^>]*>', answer.content.decode()
    )
    assert "only an inner task that reads it can learn it" in smoothing


def test_the_slots_are_listed_in_order_each_fixed_or_meta_learned(browser) -> None:
    page = browser.get("/experiments/new").content.decode()
    states = re.findall(r'adder-name">([^<]+) <span[^>]* data-learned="(\w+)"', page)
    assert [slot for slot, _ in states] == [
        "Initial parameters", "Optimizer", "Loss function", "Dataset", "Architecture",
        "Regularizer", "Augmentation",
    ]  # fmt: skip
    assert [slot for slot, learned in states if learned == "yes"] == ["Optimizer"]
