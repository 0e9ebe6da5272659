"""CSV, JSON and LaTeX: what is drawn and nothing else, and harmless wherever it is opened."""

import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.exports.curves import curve, figure_of, run
from tests.webapp.factories import ids_of, launched, measured, person, signed_in
from webapp.exports.configurations import configurations
from webapp.exports.csv_figure import csv_figure
from webapp.exports.csv_text import csv_text
from webapp.exports.figures import build_figure
from webapp.exports.json_figure import json_figure
from webapp.exports.latex import _SIGNS, _SPECIAL, latex_figure, latex_text
from webapp.exports.metrics import METRICS

numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)
plain_words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40)


@given(st.lists(numbers, min_size=1, max_size=30), st.sampled_from([0.0, 0.5]))
def test_the_csv_parsed_back_is_what_is_drawn(values: list[float], smoothing: float) -> None:
    figure = figure_of(curve(*values), smoothing=smoothing)
    origin, _, table = csv_figure(figure).partition("\r\n")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    (trace,) = figure.traces
    for name, drawn in (("x", trace.x), ("value", trace.y)):
        assert [bits(float(row[name])) for row in rows] == [bits(v) for v in drawn.tolist()]
    assert json.loads(origin.removeprefix("# "))["runs"] == [1]


def bits(value: float) -> str:
    """Equal where the numbers are, nan and the sign of zero included."""
    return "nan" if math.isnan(value) else value.hex()


@given(st.lists(numbers, min_size=1, max_size=30))
def test_the_json_parsed_back_is_what_is_drawn(values: list[float]) -> None:
    figure = figure_of(curve(*values))
    told = json.loads(json_figure(figure), parse_constant=pytest.fail)
    (drawn,) = told["figure"]["curves"]
    assert [bits(float(v)) for v in drawn["value"]] == [bits(v) for v in figure.traces[0].y]
    assert drawn["step"] == list(range(len(values)))
    assert told["provenance"]["metric"] == "meta_loss"


@given(st.dictionaries(plain_words, plain_words, max_size=4))
def test_the_origin_of_a_csv_survives_and_begins_no_formula(origin: dict[str, str]) -> None:
    line, _, rest = csv_text(["x"], [["1"]], origin=json.dumps(origin)).partition("\r\n")
    assert json.loads(line.removeprefix("# ")) == origin
    assert rest == "x\r\n1\r\n"
    for separator in ",;\t|":
        for cell in line.split(separator)[1:]:
            assert not cell.strip().lstrip('"').startswith(("=", "+", "-", "@"))


def test_a_name_made_for_a_spreadsheet_is_no_cell_of_its_own() -> None:
    line = csv_text(
        ["x"], [], origin=json.dumps(['a,=HYPERLINK("http://evil.example")'])
    ).splitlines()[0]
    assert not any(cell.startswith("=") for cell in next(csv.reader([line])))


def unescaped(latex: str) -> str:
    """What LaTeX prints, for the commands that the lab writes."""
    words = {v: k for k, v in (_SIGNS | _SPECIAL).items()} | {r"$\mu$": "μ"}
    pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(pattern, lambda found: words[found[0]], latex)


@given(plain_words)
def test_latex_prints_text_as_it_is(text: str) -> None:
    printed = "".join(c if c.isprintable() else " " for c in text).replace("µ", "μ")
    assert unescaped(latex_text(text)) == printed


@pytest.mark.parametrize("text", ["50 % & more_x", r"\input{/etc/passwd}", "$x^2$ #1 ~", "a}b{c"])
def test_nothing_in_latex_is_a_command_of_a_user(text: str) -> None:
    ours = "|".join(re.escape(word) for word in _SPECIAL.values())
    left = re.sub(ours, "", latex_text(text))
    assert not set(left) & set(_SPECIAL)


def test_the_latex_of_a_figure_is_a_table_of_its_numbers() -> None:
    figure = figure_of(curve(1.5, 0.25), curve(1.7, 0.35))
    text = latex_figure(figure)
    lines = [line.strip() for line in text.splitlines()]
    assert json.loads(lines[1].removeprefix("% "))["seeds"] == [0, 1]
    assert r"\begin{tabular}{rr}" in lines
    assert r"Step & Unrolled \\" in lines
    assert r"0 & 1.60 $\pm$ 0.10 \\" in lines
    assert r"1 & 0.300 $\pm$ 0.050 \\" in lines
    assert "standard error over seeds" in text


def test_what_is_hidden_is_left_out_and_the_rest_looks_the_same() -> None:
    runs = [run(1, label="A"), run(2, label="B"), run(3, label="C")]
    series = {each.pk: {"meta_loss": curve(1.0, 2.0)} for each in runs}
    whole = build_figure(runs, series, METRICS["meta_loss"])
    less = build_figure(runs, series, METRICS["meta_loss"], hidden={"2"})
    assert [trace.label for trace in less.traces] == ["A", "C"]
    assert [trace.configuration for trace in less.traces] == [
        trace.configuration for trace in whole.traces if trace.label != "B"
    ]
    assert [group.key for group in configurations(runs)] == ["1", "2", "3"]


def python_blocks(document: str) -> list[str]:
    root = Path(__file__).resolve().parents[3]
    text = (root / document).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.django_db
class TestFiles:
    @pytest.fixture
    def runs(self) -> str:
        experiment = launched(person("ada"), name="50 % of _x_")
        for each in experiment.runs.all():
            measured(each, [{"meta_loss": 1 / (1 + step)} for step in range(6)])
        return ",".join(map(str, ids_of(experiment)))

    @pytest.fixture
    def client(self, runs: str) -> Client:
        from webapp.accounts.models import User

        return signed_in(User.objects.get(username="ada"))

    def get(self, client: Client, extension: str, **query: str) -> bytes:
        answer = client.get(f"/exports/figure.{extension}", {"metric": "meta_loss", **query})
        assert answer.status_code == 200, answer.content
        return answer.content

    def test_hidden_runs_are_in_no_file(self, client: Client, runs: str) -> None:
        hidden = runs.split(",")[0]
        told = json.loads(self.get(client, "json", runs=runs, hidden=hidden))
        assert len(told["figure"]["curves"]) == 1
        assert int(hidden) not in told["provenance"]["runs"]
        page = client.get("/figures/", {"runs": runs, "hidden": hidden}).json()
        figure = next(each for each in page["figures"] if each["metric"] == "meta_loss")
        assert len({trace["legendgroup"] for trace in figure["plotly"]["data"]}) == 1

    def test_a_serif_figure_is_another_drawing_and_still_vector(
        self, client: Client, runs: str
    ) -> None:
        sans, serif = (self.get(client, "svg", runs=runs, font=f) for f in ("sans", "serif"))
        assert sans != serif
        root = ElementTree.fromstring(serif)  # noqa: S314
        names = {element.tag.split("}")[1] for element in root.iter() if "}" in str(element.tag)}
        assert "path" in names
        assert "image" not in names
        pdf = self.get(client, "pdf", runs=runs, font="serif")
        assert b"STIXGeneral" in pdf
        assert b"/Subtype /Image" not in pdf
        streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
        drawn = b"".join(zlib.decompress(s) for s in streams if s[:1] == b"\x78")
        assert re.search(rb"\d l\n", drawn), "lines, not pixels"

    def test_the_summary_in_every_format(self, client: Client, runs: str) -> None:
        told = json.loads(client.get("/exports/summary.json", {"runs": runs}).content)
        assert [row["n"] for row in told["rows"][0]["figures"] if row["n"]] == [2]
        assert next(iter(told["provenance"]["specs"].values()))["name"] == "50 % of _x_"
        tex = client.get("/exports/summary.tex", {"runs": runs})
        assert tex.headers["Content-Disposition"].endswith('.tex"')
        assert r"\toprule" in tex.content.decode()
        assert client.get("/exports/summary.svg", {"runs": runs}).status_code == 404

    def test_the_csv_is_read_as_the_documentation_says(
        self, client: Client, runs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "figure.csv").write_bytes(self.get(client, "csv", runs=runs))
        monkeypatch.chdir(tmp_path)
        found: dict = {}
        exec(python_blocks("docs/export.md")[0], found)  # noqa: S102
        assert found["origin"]["metric"] == "meta_loss"
        assert found["points"]["value"][:6].tolist() == [1 / (1 + step) for step in range(6)]
