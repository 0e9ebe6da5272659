"""Exported files: the numbers of the chart, valid in their format, with their origin inside."""

import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from tests.webapp.factories import first_run, ids_of, launched, measured, person, signed_in
from webapp.experiments.models import Experiment
from webapp.exports.csv_text import safe_cell
from webapp.exports.figures import build_figure
from webapp.exports.metrics import METRICS
from webapp.exports.paper import SIZES
from webapp.runs.models import Run
from webapp.runs.selectors import series

pytestmark = pytest.mark.django_db

DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
NAME = "bowl, $x_1$ & <b>θ</b>"


@pytest.fixture
def experiment() -> Experiment:
    """Two estimators with two seeds each; irrational values, and a probe that gives zero."""
    made = launched(person("ada"), name=NAME)
    random = np.random.default_rng(0)
    for run in made.runs.order_by("number"):
        steps = [
            {"meta_loss": loss, "seconds": step / 3, "peak_bytes": 1e6 * (1 + step)}
            for step, loss in enumerate(random.normal(size=8))
        ]
        for step in (0, 4):
            steps[step]["bias_relative"] = step / 7
        measured(run, steps)
    return made


@pytest.fixture
def client(experiment: Experiment) -> Client:
    return signed_in(experiment.owner)


def runs_of(experiment: Experiment) -> list[Run]:
    return list(experiment.runs.order_by("number"))


def query(experiment: Experiment, **more: str) -> dict[str, str]:
    ids = ",".join(map(str, ids_of(experiment)))
    return {"runs": ids, "metric": "meta_loss", **more}


def file(client: Client, experiment: Experiment, extension: str, **more: str) -> bytes:
    answer = client.get(f"/exports/figure.{extension}", query(experiment, **more))
    assert answer.status_code == 200, answer.content
    assert f".{extension}" in answer.headers["Content-Disposition"]
    return answer.content


def rows_of(content: bytes) -> list[dict[str, str]]:
    origin, _, table = content.decode().partition("\r\n")
    assert origin.startswith("# {")
    return list(csv.DictReader(io.StringIO(table, newline="")))


def check_provenance(text: str, experiment: Experiment) -> None:
    told = json.loads(text)
    runs = runs_of(experiment)
    assert told["experiments"] == [NAME]
    assert sorted(told["runs"]) == [run.pk for run in runs]
    assert told["seeds"] == [0, 1]
    assert told["code_versions"] == [experiment.code_version]
    assert told["metric"] == "meta_loss"
    assert sorted(told["estimators"]) == sorted({run.label for run in runs})
    assert told["specs"] == {str(experiment.pk): experiment.spec}
    assert told["drawn"] == {"log": False, "smoothing": 0.0}


@pytest.mark.parametrize(
    ("metric", "x", "smoothing"),
    [("meta_loss", "step", "0"), ("meta_loss", "seconds", "0.6"), ("bias_relative", "step", "0")],
)
def test_the_csv_has_the_points_drawn_to_the_last_bit(
    client: Client, experiment: Experiment, metric: str, x: str, smoothing: str
) -> None:
    content = file(client, experiment, "csv", metric=metric, x=x, smoothing=smoothing)
    runs = runs_of(experiment)
    figure = build_figure(
        runs,
        series([run.pk for run in runs]),
        METRICS[metric],
        x=x,
        smoothing=float(smoothing),
    )
    rows = rows_of(content)
    assert len(figure.traces) == 2
    assert len(rows) == sum(len(trace.x) for trace in figure.traces)
    for trace in figure.traces:
        mine = [row for row in rows if row["label"] == trace.label]
        assert [float(row["x"]) for row in mine] == trace.x.tolist()
        assert [float(row["value"]) for row in mine] == trace.y.tolist()
        assert [float(row["lower"]) for row in mine] == trace.lower.tolist()
        assert [float(row["upper"]) for row in mine] == trace.upper.tolist()
        raw = [float(row["raw"]) for row in mine if row["raw"]]
        assert raw == ([] if trace.raw is None else trace.raw.tolist())
        assert [int(row["step"]) for row in mine] == trace.steps.tolist()
        assert {row["n"] for row in mine} == {"2"}
        assert {row["runs"] for row in mine} == {
            " ".join(str(run.pk) for run in trace.configuration.runs)
        }
    assert {row["experiment"] for row in rows} == {NAME}
    assert {row["seeds"] for row in rows} == {"0 1"}
    assert {row["code_version"] for row in rows} == {experiment.code_version}


def test_the_csv_is_the_mean_of_what_the_runs_measured(
    client: Client, experiment: Experiment
) -> None:
    rows = rows_of(file(client, experiment, "csv"))
    recorded = series(ids_of(experiment))
    for row in rows:
        values = [recorded[int(pk)]["meta_loss"][1][int(row["step"])] for pk in row["runs"].split()]
        assert float(row["value"]) == pytest.approx(np.mean(values), rel=1e-15)
        half_difference = abs(values[0] - values[1]) / 2
        assert float(row["upper"]) - float(row["value"]) == pytest.approx(half_difference)


def test_values_that_are_not_finite_are_in_the_csv() -> None:
    losses = [1.5, math.nan, math.inf, -math.inf]
    run = measured(first_run(person("ada")), [{"meta_loss": loss} for loss in losses])
    client = signed_in(run.experiment.owner)
    content = client.get(f"/exports/figure.csv?metric=meta_loss&runs={run.pk}").content
    assert [row["value"] for row in rows_of(content)] == ["1.5", "nan", "inf", "-inf"]
    assert {row["lower"] + row["upper"] for row in rows_of(content)} == {""}


def test_an_interval_is_in_the_csv_and_says_what_it_is(
    client: Client, experiment: Experiment
) -> None:
    assert {row["band"] for row in rows_of(file(client, experiment, "csv"))} == {"standard error"}
    usual = {"meta_loss": 1.0, "bias_relative": 0.25}
    ends = {"bias_relative_low": 0.1, "bias_relative_high": 1 / 3}
    run = measured(first_run(person("eve")), [{**usual, **ends}, usual])
    link = f"/exports/figure.csv?metric=bias_relative&runs={run.pk}"
    rows = rows_of(client.get(link).content)
    found = [(row["lower"], row["upper"], row["band"]) for row in rows]
    assert found == [("0.1", repr(1 / 3), "95 % confidence"), ("", "", "")]
    for extension in ("png", "svg", "pdf"):
        answer = client.get(link.replace("csv", extension))
        assert answer.status_code == 200, answer.content


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(client: Client, experiment: Experiment, start: str) -> None:
    name = f'{start}HYPERLINK("http://evil.example","open")'
    Experiment.objects.filter(pk=experiment.pk).update(name=name)
    for content in (
        file(client, experiment, "csv"),
        client.get("/exports/summary.csv", query(experiment)).content,
    ):
        assert {row["experiment"] for row in rows_of(content)} == {f"'{name}"}


def test_harmless_text_stays_as_it_is() -> None:
    assert safe_cell("bowl = 3") == "bowl = 3"


def test_the_summary_has_a_row_for_each_configuration_and_metric(
    client: Client, experiment: Experiment
) -> None:
    rows = rows_of(client.get("/exports/summary.csv", query(experiment)).content)
    first = runs_of(experiment)[0]
    (row,) = [r for r in rows if r["label"] == first.label and r["metric"] == "meta_loss"]
    measured = series([int(pk) for pk in row["runs"].split()])
    lasts = [own["meta_loss"][1][-1] for own in measured.values()]
    assert float(row["mean"]) == pytest.approx(np.mean(lasts), rel=1e-15)
    assert float(row["standard_error"]) == pytest.approx(abs(lasts[0] - lasts[1]) / 2)
    assert (row["n"], row["seeds"], row["condensed"]) == ("2", "0 1", "last step")
    assert not [r for r in rows if r["metric"] == "cosine"]


def test_the_svg_is_xml_and_tells_its_origin(client: Client, experiment: Experiment) -> None:
    root = ElementTree.fromstring(file(client, experiment, "svg"))  # noqa: S314
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    width = float(root.attrib["width"].removesuffix("pt"))
    assert width == pytest.approx(8.5 / 2.54 * 72, abs=0.5)
    assert root.findtext(f".//{DUBLIN_CORE}title") == f"Meta-loss: {NAME}"
    check_provenance(root.findtext(f".//{DUBLIN_CORE}description"), experiment)


def test_a_name_with_control_characters_is_still_xml(
    client: Client, experiment: Experiment
) -> None:
    Experiment.objects.filter(pk=experiment.pk).update(name="a\x01b--c\x1f\ufffe")
    ElementTree.fromstring(file(client, experiment, "svg"))  # noqa: S314


def test_the_pdf_tells_its_origin(client: Client, experiment: Experiment) -> None:
    content = file(client, experiment, "pdf")
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    subject = re.search(rb"/Subject \((.*?)(?<!\\)\)", content, re.DOTALL)
    assert subject is not None
    text = re.sub(rb"\\([()\\])", rb"\1", subject.group(1)).decode("ascii")
    check_provenance(text, experiment)
    pages = b"".join(zlib.decompress(part) for part in streams(content))
    assert b" Tf" in pages, "text is text, not outlines"


def streams(content: bytes) -> list[bytes]:
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    return [part for part in found if part[:1] == b"\x78"]


@pytest.mark.parametrize("width", list(SIZES))
def test_the_png_has_300_dots_an_inch_and_the_width_asked_for(
    client: Client, experiment: Experiment, width: str
) -> None:
    image = Image.open(io.BytesIO(file(client, experiment, "png", width=width)))
    image.load()
    assert image.format == "PNG"
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    centimetres = {"column": 8.5, "page": 17.5, "slide": 25.4}[width]
    assert image.width == pytest.approx(centimetres / 2.54 * 300, abs=2)
    assert len(image.convert("RGB").getcolors(10**6)) > 10, "something is drawn"
    check_provenance(image.info["Description"], experiment)


@pytest.mark.parametrize("extension", ["png", "svg", "pdf", "csv", "json", "tex"])
def test_the_same_figure_gives_the_same_bytes(
    client: Client, experiment: Experiment, extension: str
) -> None:
    assert file(client, experiment, extension) == file(client, experiment, extension)


@pytest.mark.parametrize("extension", ["png", "svg", "pdf", "csv"])
@pytest.mark.parametrize(
    "more",
    [
        {"metric": "variance"},
        {"metric": "bias_relative", "smoothing": "0.9"},
        {"metric": "peak_bytes", "x": "seconds"},
        {"metric": "peak_bytes", "scale": "linear"},
        {"metric": "theta.learning_rate"},
        {"x": "inner_steps"},
        {"scale": "log"},
    ],
)
def test_every_way_to_draw_gives_a_file(
    client: Client, experiment: Experiment, extension: str, more: dict[str, str]
) -> None:
    assert file(client, experiment, extension, **more)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"metric": "loss"}, "metric: 'loss' is not possible; allowed: meta_loss,"),
        ({"metric": ""}, "metric: '' is not possible"),
        ({"width": "huge"}, "width: 'huge' is not possible; allowed: column, page, slide."),
        ({"font": "comic"}, "font: 'comic' is not possible; allowed: sans, serif."),
        ({"hidden": "all"}, "hidden: 'all' is not possible; allowed: the numbers of runs"),
        ({"x": "epoch"}, "x: 'epoch' is not possible; allowed: step, seconds, inner_steps,"),
        ({"scale": "sqrt"}, "scale: 'sqrt' is not possible; allowed: auto, log, linear."),
        ({"smoothing": "1"}, "smoothing: '1' is not possible; allowed: a number from 0 to 0.99."),
        ({"smoothing": "nan"}, "smoothing: 'nan' is not possible"),
        ({"smoothing": "much"}, "smoothing: 'much' is not possible"),
        ({"runs": "1,two"}, "runs: '1,two' is not possible; allowed: the numbers of runs"),
        ({"runs": "9" * 30}, "runs: '999"),
        ({"runs": ""}, "runs: nothing given"),
        ({"runs": ",".join(map(str, range(1, 502)))}, "allowed: at most 500 runs in a figure."),
    ],
)
def test_what_there_is_not_is_refused_with_a_sentence(
    client: Client, experiment: Experiment, more: dict[str, str], sentence: str
) -> None:
    answer = client.get("/exports/figure.csv", query(experiment, **more))
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert sentence in answer.content.decode()


@pytest.mark.parametrize("name", ["x", "scale", "smoothing", "runs"])
def test_the_page_is_told_what_it_asked_wrongly(
    client: Client, experiment: Experiment, name: str
) -> None:
    answer = client.get("/figures/", query(experiment, **{name: "wrong"}))
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{name}: 'wrong' is not possible")


def test_other_formats_and_missing_runs_are_not_found(
    client: Client, experiment: Experiment
) -> None:
    assert client.get("/exports/figure.gif", query(experiment)).status_code == 404
    for path in ("/exports/figure.png", "/exports/figure.csv", "/exports/summary.csv", "/figures/"):
        assert client.get(path, query(experiment, runs="123456789")).status_code == 404


def test_strangers_are_sent_to_the_sign_in_page(experiment: Experiment) -> None:
    for path in ("/exports/figure.png", "/exports/figure.csv", "/exports/summary.csv", "/figures/"):
        answer = Client().get(path, query(experiment))
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/")


def test_the_page_gets_the_figures_of_the_files(client: Client, experiment: Experiment) -> None:
    answer = client.get("/figures/", query(experiment)).content
    told = json.loads(answer, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    figures = {figure["metric"]: figure for figure in told["figures"]}
    assert set(told["sequences"].values()) == {8}
    lines = [
        data for data in figures["meta_loss"]["plotly"]["data"] if data["meta"]["part"] == "line"
    ]
    rows = rows_of(file(client, experiment, "csv"))
    assert [y for line in lines for y in line["y"]] == [float(row["value"]) for row in rows]
    assert figures["cosine"]["empty"]
    assert "seconds" not in figures, "what another chart says better has no chart of its own"


def test_the_figures_need_as_many_queries_for_many_runs_as_for_few(
    client: Client, experiment: Experiment, django_assert_num_queries
) -> None:
    # Session and user, the runs, their points.
    for runs in (str(runs_of(experiment)[0].pk), query(experiment)["runs"]):
        with django_assert_num_queries(4):
            client.get("/figures/", {"runs": runs})
