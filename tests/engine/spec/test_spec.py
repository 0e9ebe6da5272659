"""What a spec accepts, and how it refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.presets import PRESETS
from engine.spec import Experiment, SpecError, expand, parse_text, read_text, to_yaml, validate


def refusal(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as refused:
        read_text(text)
    return [(error.path, str(error)) for error in refused.value.errors]


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ('name: "a\\nb"', "name", "one line of text, without the character U+000A"),
        ("foo: 1", "foo", "unknown field; allowed: name, inner_task"),
        ("estimators: [{kind: truncated, wndow: 3}]", "estimators.0.wndow", "kind, mode, window"),
        ("estimators: [{kind: unroled}]", "estimators.0.kind", "'unrolled', 'truncated'"),
        ("estimators: [{window: 3}]", "estimators.0.kind", "the kind is missing"),
        ("inner: {steps: ten}", "inner.steps", "valid integer (given: 'ten')"),
        ("inner: {steps: true}", "inner.steps", "valid integer (given: True)"),
        ("inner: {steps: 1000000000}", "inner.steps", "less than or equal to 100000"),
        ("inner: {steps: 100000}\nouter: {steps: 100000}", "inner.steps", "at most 1e+09"),
        ("estimators: [{kind: truncated, window: 51}]", "estimators.0.window", "inner.steps = 50"),
        ("inner_task: {kind: image_mlp, hidden: [a]}", "inner_task.hidden.0", "valid integer"),
        ("meta_parameters: [{kind: momentum}]", "meta_parameters.0.kind", "not 'sgd'"),
        ("meta_parameters: []", "meta_parameters", "at least 1 item"),
        ("estimators: [{kind: implicit}]", "estimators.0.kind", "its implicit gradient is zero"),
        (
            "inner_task: {kind: noisy_quadratic}\nestimators: [{kind: fomaml}]",
            "estimators.0.kind",
            "cannot learn 'learning_rate': 'noisy_quadratic' has no inner gradient to hold still",
        ),
        *(
            (
                f"inner_task: {{kind: noisy_quadratic}}\n"
                f"estimators: [{{kind: {kind}, products: forward_over_reverse}}]",
                "estimators.0.products",
                "has no inner loss, so no inner gradient to take in forward mode; allowed: 'rev",
            )
            for kind in ("unrolled", "truncated")
        ),
        (
            "estimators: [{kind: unrolled, products: reverse_over_forward}]",
            "estimators.0.products",
            "'reverse_over_reverse' or 'forward_over_reverse'",
        ),
        (
            "estimators: [{kind: unrolled, save_gradients: true}]",
            "estimators.0.save_gradients",
            "allowed: false, or products 'forward_over_reverse'",
        ),
        (
            "estimators: [{kind: unrolled, storage: full, products: forward_over_reverse, "
            "save_gradients: true}]",
            "estimators.0.save_gradients",
            "the storage 'full' replays no step; allowed: false",
        ),
        ("estimators: [{kind: reptile}]", "estimators.0.kind", "cannot learn 'learning_rate'"),
        (
            "meta_parameters: [{kind: initialisation, adapts: last_layer}]\n"
            "estimators: [{kind: reptile}]",
            "estimators.0.kind",
            "allowed: meta_parameters.0.adapts 'all'",
        ),
        (
            "inner_task: {kind: image_mlp}\nmeta_parameters: [{kind: weight_decay}]\n"
            "estimators: [{kind: implicit, solver: exact}]",
            "estimators.0.solver",
            "use normal_cg",
        ),
        (
            "meta_parameters: [{kind: weight_decay, scale: log}]",
            "meta_parameters.0.scale",
            "must start above 0",
        ),
        (
            "inner_task: {kind: image_mlp, meta_loss: accuracy}\nprobes: {oracle: false}",
            "estimators.0.kind",
            "accuracy has no gradient",
        ),
        (
            "inner_task: {kind: image_mlp, hidden: [512]}\n"
            "meta_parameters: [{kind: initialisation}]\nestimators: [{kind: forward_mode}]",
            "estimators.0.kind",
            "38,410 meta-parameters",
        ),
        (
            "estimators: [{kind: truncated, online: true}]",
            "estimators.0.online",
            "or mode 'windows'",
        ),
        (
            "estimators: [{kind: truncated, mode: windows, online: true}]",
            "estimators.0.online",
            "or objective 'average'",
        ),
        (
            "estimators: [{kind: truncated, mode: windows, schedule: random}]",
            "estimators.0.schedule",
            "allowed: 'fixed'",
        ),
        (
            "objective: average\nestimators: [{kind: truncated, mode: windows, online: true, "
            "schedule: growing, longest_window: 9}]",
            "estimators.0.longest_window",
            "allowed: the window, 10, and more",
        ),
        (
            "objective: average\nestimators: [{kind: truncated, mode: windows, online: true, "
            "schedule: growing, longest_window: 51}]",
            "estimators.0.longest_window",
            "inner.steps = 50",
        ),
        (
            "estimators: [{kind: truncated, mode: windows, longest_window: 20}]",
            "estimators.0.longest_window",
            "has one length",
        ),
        (
            "estimators: [{kind: unrolled, storage: per_step, segment: 5}]",
            "estimators.0.segment",
            "belongs to the storage 'checkpoint'",
        ),
        (
            "estimators: [{kind: elites, population: 4, elites: 5}]",
            "estimators.0.elites",
            "at most the population, 4",
        ),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(text, path, message) -> None:
    [(found, told)] = refusal(text)
    assert found == path
    assert message in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inner: {steps: 5", "line 1, column 17: expected ',' or '}'"),
        ("a: &x 1\nb: *x", "line 1, column 4: anchors (&name) are not allowed"),
        ("b: *x", "line 1, column 4: aliases (*name) are not allowed"),
        ("name: a\nname: b", "line 2, column 1: the field 'name' appears twice"),
        ("- 1", "a spec is a mapping"),
        ("", "a spec is a mapping"),
        ("[" * 40, "nested deeper than"),
        ("name: !!python/object/apply:os.system [ls]", "tags (!name) are not allowed"),
        ("name: " + "a" * 70_000, "at most 64,000 characters"),
    ],
)
def test_text_that_is_not_a_spec_is_refused(text: str, message: str) -> None:
    [(_, told)] = refusal(text)
    assert message in told


def test_every_error_is_told_at_once() -> None:
    paths = [path for path, _ in refusal("foo: 1\ninner: {steps: 0}\nseeds: []")]
    assert set(paths) == {"foo", "inner.steps", "seeds"}


def test_numbers_in_exponent_notation_are_numbers() -> None:
    assert read_text("budget: {bytes: 8e9}").budget.bytes == 8e9


@given(st.text(max_size=300))
def test_any_text_is_a_spec_or_a_spec_error(text: str) -> None:
    try:
        found = read_text(text)
    except SpecError:
        return
    assert isinstance(found, Experiment)


NAME_CHARACTERS = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    horizon = draw(st.integers(1, 200))
    estimator = st.one_of(
        st.fixed_dictionaries({"kind": st.just("unrolled"), "storage": st.sampled_from(
            ["full", "checkpoint"])}),
        st.fixed_dictionaries({"kind": st.just("truncated"), "window": st.integers(1, horizon)}),
        st.fixed_dictionaries({"kind": st.just("evolution"), "sigma": st.floats(1e-6, 10.0)}),
        st.just({"kind": "elites"}),
    )  # fmt: skip
    return validate(
        {
            "name": draw(st.text(NAME_CHARACTERS, min_size=1, max_size=40)),
            "inner_task": draw(st.sampled_from([
                {"kind": "quadratic"}, {"kind": "image_mlp", "hidden": []},
                {"kind": "image_cnn", "dataset": "mnist1d"}])),
            "inner": {"steps": horizon},
            "estimators": draw(st.lists(estimator, min_size=1, max_size=4)),
            "seeds": draw(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=4)),
        }
    )  # fmt: skip


@given(experiments())
def test_yaml_and_back_is_the_same_experiment(experiment: Experiment) -> None:
    assert read_text(to_yaml(experiment)) == experiment


@given(experiments())
def test_runs_are_distinct_and_single(experiment: Experiment) -> None:
    runs = expand(experiment)
    assert [run.index for run in runs] == list(range(len(runs)))
    assert len({run.spec.model_dump_json() for run in runs}) == len(runs)
    for run in runs:
        assert expand(run.spec)[0].spec == run.spec
        assert len(run.spec.estimators) == len(run.spec.seeds) == 1


def test_a_sweep_over_one_estimator_leaves_the_others_alone() -> None:
    experiment = read_text(
        "estimators: [{kind: unrolled}, {kind: truncated}]\nseeds: [0, 1]\n"
        'sweep: {"estimators.1.window": [1, 5, 20]}'
    )
    runs = expand(experiment)
    assert len(runs) == 2 + 3 * 2
    windows = [run.spec.estimators[0].window for run in runs if run.sweep]
    assert windows == [1, 1, 5, 5, 20, 20]
    assert len({run.configuration for run in runs}) == 4


def test_a_sweep_over_a_shared_field_is_told_in_the_label() -> None:
    runs = expand(read_text('sweep: {"inner.steps": [5, 10]}'))
    assert [run.label for run in runs] == [
        "Unrolled, checkpoint, inner.steps = 5",
        "Unrolled, checkpoint, inner.steps = 10",
    ]


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ("kind: unrolled, storage: per_step", "Unrolled, per step"),
        ("kind: truncated", "Truncated, last 10"),
        ("kind: truncated, mode: windows", "Truncated, windows of 10"),
        (
            "kind: truncated, mode: windows, online: true",
            "Truncated, online windows of 10",
        ),
        (
            "kind: truncated, mode: windows, online: true, schedule: random, longest_window: 40",
            "Truncated, online windows of 10 to 40, random",
        ),
    ],
)
def test_a_label_tells_the_modes_of_an_estimator_apart(options: str, label: str) -> None:
    [run] = expand(read_text(f"objective: average\nestimators: [{{{options}}}]"))
    assert run.label == label


@pytest.mark.parametrize(
    ("sweep", "path"),
    [
        ('{"inner.stepz": [1]}', "sweep.inner.stepz"),
        ('{"estimators.4.window": [1]}', "sweep.estimators.4.window"),
        ('{"inner.steps": [1, "x"]}', "sweep.inner.steps"),
        ('{"seeds.0": [1]}', "sweep.seeds.0"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_at_its_path(sweep: str, path: str) -> None:
    with pytest.raises(SpecError) as refused:
        expand(read_text(f"sweep: {sweep}"))
    assert refused.value.errors[0].path == path


def test_too_many_runs_are_refused() -> None:
    with pytest.raises(SpecError, match="at most 500 runs"):
        expand(validate({"sweep": {"inner.steps": list(range(1, 502))}}))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)
def test_presets_are_specs(preset) -> None:
    assert expand(read_text(preset.text))
    assert parse_text(preset.text)["name"]
