"""Pictures on the page, beside each other and as files: the drawing's own numbers, valid bytes."""

import io
import json
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.events import Pictured
from engine.pictures import Curves, Edge, Graph, Line, Particles, Picture, images
from tests.webapp.factories import claimed, launched, person, signed_in
from webapp.exports.paper import SIZES
from webapp.exports.pictures import page_picture, print_picture, view_of
from webapp.exports.ticks import round_ticks
from webapp.runs import services
from webapp.runs.models import Run

TITLE = "$x_1$ & <b>θ</b>"
RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (6, 5, 4), dtype=np.uint8)
COLOURED = RANDOM.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
DRAWINGS = {
    "grey": images(GREY, columns=4, captions=list("abcdef"), right=[True, False, None] * 2),
    "coloured": images(COLOURED, columns=3),
    "curves": Curves(
        x_title="step",
        y_title="rate",
        log_y=True,
        lines=[
            Line(label="learned & $l$", x=[0.0, 1.0, 2.0], y=[0.1, math.nan, 0.3]),
            Line(label="start", x=[0.0, 2.0], y=[-1.0, 0.2], dashed=True),
        ],
    ),
    "graph": Graph(
        nodes=["in", "a<b", "out"],
        edges=[
            Edge(source="in", target="a<b", label="conv 3×3", weight=0.7),
            Edge(source="in", target="a<b", label="skip", weight=0.2),
            Edge(source="a<b", target="out", label="pool", weight=1.0),
            Edge(source="in", target="out", label="skip", weight=0.0),
        ],
    ),
    "curve": Particles(
        x_title="learning rate",
        y_title="meta-loss",
        x=[0.01, 0.1, 1.0],
        y=[],
        surface=[[2.0, 0.5, math.inf]],
        points=[(0.02, 1.8), (0.5, 1e9), (0.9, 2.0)],
        losses=[1.8, 1e9, math.nan],
        mean=(0.1, 0.5),
        log_x=True,
    ),
    "contours": Particles(
        x_title="learning rate",
        y_title="momentum",
        x=[0.0, 1.0],
        y=[0.0, 0.5, 1.0],
        surface=[[1.0, 2.0], [3.0, 4.0], [5.0, math.nan]],
        points=[(0.5, 0.5), (0.1, 0.9)],
        losses=[2.5, math.nan],
    ),
    "empty": Curves(x_title="x", y_title="y", lines=[]),
    "all lost": Particles(
        x_title="x", y_title="y", x=[0.0, 1.0], y=[], surface=[[math.nan] * 2],
        points=[(0.5, 0.0)], losses=[math.nan], mean=(0.5, 0.0),
    ),
}  # fmt: skip
each_drawing = pytest.mark.parametrize("drawing", DRAWINGS.values(), ids=DRAWINGS)


def picture(drawing, name: str = "shown") -> Picture:
    return Picture(name=name, title=TITLE, drawing=drawing)


def printed(drawing, form: str, width: str = "column") -> bytes:
    return print_picture(picture(drawing), form, SIZES[width], title=TITLE, origin='{"run": 7}')


def parsed(svg: bytes | str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 (the lab wrote it)


@each_drawing
def test_a_picture_survives_json(drawing) -> None:
    before = picture(drawing)
    assert Picture.model_validate_json(before.model_dump_json()) == before


NUMBERS = st.floats() | st.none()


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5), st.text(max_size=8), st.booleans())
def test_any_curve_survives_json_and_is_drawn(points, label, log) -> None:
    x, y = [list(side) for side in zip(*points, strict=True)] or [[], []]
    line = Line(label=label, x=x, y=y)
    before = picture(Curves(x_title=label, y_title="y", lines=[line], log_y=log))
    assert Picture.model_validate_json(before.model_dump_json()) == before
    finite = [value if value is not None and math.isfinite(value) else None for value in y]
    assert before.drawing.lines[0].y == finite
    json.dumps(page_picture(before), allow_nan=False)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.sampled_from([None, 3]))
def test_any_image_keeps_its_pixels(count, height, width, colours) -> None:
    shape = (count, height, width, colours)[: 4 if colours else 3]
    array = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    before = picture(images(array, columns=2))
    after = Picture.model_validate_json(before.model_dump_json()).drawing.array()
    assert np.array_equal(after.reshape(shape), array)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_round_ticks_are_few_and_inside(low, span) -> None:
    ticks = round_ticks(low, low + span)
    assert 1 <= len(ticks) <= 6
    assert all(low - span / 1e6 <= tick <= low + span * (1 + 1e-6) for tick in ticks)


@each_drawing
def test_the_page_and_the_words(drawing) -> None:
    told = json.loads(json.dumps(page_picture(picture(drawing)), allow_nan=False))
    assert len({"plotly", "images", "svg"} & told.keys()) == 1
    assert told["text_summary"].startswith(TITLE)
    header, rows = told["table"]["header"], told["table"]["rows"]
    assert all(len(row) == len(header) for row in rows)


@each_drawing
@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_a_file_is_valid_says_where_it_comes_from_and_is_the_same_again(drawing, form) -> None:
    content = printed(drawing, form)
    assert printed(drawing, form) == content
    if form == "png":
        with Image.open(io.BytesIO(content)) as shown:
            shown.load()
            assert (shown.info["Title"], shown.info["Description"]) == (TITLE, '{"run": 7}')
            assert shown.width <= round(8.5 / 2.54 * 300) + 1
    elif form == "svg":
        assert '{"run": 7}' in "".join(parsed(content).itertext())
    else:
        assert content.startswith(b"%PDF")
        assert content.rstrip().endswith(b"%%EOF")


def test_printed_pixels_are_the_images_own() -> None:
    """Pixels as rectangles of one colour each: no blur, no scaling of the grey values."""
    with Image.open(io.BytesIO(printed(images(GREY[:1], columns=1), "png"))) as shown:
        pixels = np.asarray(shown.convert("L"))
    inside = pixels[(pixels != 255).any(1)][:, (pixels != 255).any(0)]
    rows, columns = GREY[0].shape
    for row in range(rows):
        for column in range(columns):
            y = round((row + 0.5) * inside.shape[0] / rows)
            x = round((column + 0.5) * inside.shape[1] / columns)
            assert inside[y, x] == GREY[0, row, column]


def test_curves_have_gaps_where_there_is_no_place_and_pairs_share_a_colour() -> None:
    learned, start = page_picture(picture(DRAWINGS["curves"]))["plotly"]["data"]
    assert (learned["y"], start["y"]) == ([0.1, None, 0.3], [None, 0.2])
    assert learned["meta"]["slot"] == start["meta"]["slot"] == 0
    assert (learned["line"]["dash"], start["line"]["dash"]) == ("solid", "dash")


def test_particles_keep_what_diverged_at_the_edge() -> None:
    told = page_picture(picture(DRAWINGS["curve"]))
    curve, points, lost, mean = told["plotly"]["data"]
    assert curve["y"] == [2.0, 0.5, None]
    low, high = told["plotly"]["layout"]["yaxis"]["range"]
    assert all(low <= height <= high for height in [*points["y"], *lost["y"], *mean["y"]])
    assert points["y"][1] == lost["y"][0]
    assert "1.00e9" in points["customdata"][1]
    assert "not finite" in lost["customdata"][0]
    assert "1 not finite" in told["text_summary"]
    contours = page_picture(picture(DRAWINGS["contours"]))["plotly"]["data"][0]
    assert contours["z"][0] == [1.0, 2.0]
    assert contours["z"][2][1] is None


def test_no_two_labels_of_a_cell_share_a_place() -> None:
    view = view_of(picture(DRAWINGS["graph"]))
    places = [arc.label_at for arc in view.arcs]
    assert len(set(places)) == len(places)
    words = set(parsed(view.page()["svg"]).itertext())
    assert {"in", "a<b", "out", "conv 3×3", "pool"} <= words


@pytest.fixture
def run(db) -> Run:
    made = claimed(launched(person("ada"), name=TITLE).runs.order_by("number").first())
    items = [
        Pictured(run=0, step=step, picture=picture(DRAWINGS[name], name))
        for step in (0, 5)
        for name in ("grey", "curves")
    ]
    services.record_points(run_id=made.pk, attempt=1, points=[], pictured=items)
    return made


@pytest.fixture
def client(run: Run) -> Client:
    return signed_in(run.experiment.owner)


def test_the_list_leads_to_drawings_that_may_be_kept_for_ever(run: Run, client: Client) -> None:
    listed = client.get(f"/runs/{run.pk}/pictures/").json()
    assert listed["changes"] == 1
    taken = {item["name"]: item["taken"] for item in listed["pictures"]}
    assert {name: [t["step"] for t in found] for name, found in taken.items()} == {
        "grey": [0, 5],
        "curves": [0, 5],
    }
    answer = client.get(taken["grey"][1]["url"])
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.json()["images"]["captions"] == list("abcdef")
    without_key = client.get(taken["grey"][1]["url"].split("?")[0])
    assert without_key.headers["Cache-Control"] == "private, no-store"


def test_newest_pictures_stand_beside_each_other(run: Run, client: Client) -> None:
    other = run.experiment.runs.order_by("number").last()
    claimed(other)
    item = Pictured(run=0, step=3, picture=picture(DRAWINGS["grey"], "grey"))
    services.record_points(run_id=other.pk, attempt=1, points=[], pictured=[item])
    runs = run.experiment.runs.order_by("number")
    every = ",".join(str(pk) for pk in runs.values_list("pk", flat=True))
    groups = client.get(f"/pictures/?runs={every}").json()["groups"]
    tiles = {g["name"]: [(tile["run"], tile["step"]) for tile in g["tiles"]] for g in groups}
    assert tiles == {"curves": [(run.pk, 5)], "grey": [(run.pk, 5), (other.pk, 3)]}
    assert client.get("/pictures/?runs=x").status_code == 400


@pytest.mark.parametrize("form", ["png", "svg", "json"])
def test_a_file_carries_run_seed_code_and_spec(run: Run, client: Client, form: str) -> None:
    answer = client.get(f"/runs/{run.pk}/pictures/grey/5/file.{form}?width=page")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith(f'.{form}"')
    if form == "json":
        told = json.loads(answer.content)
        assert told["picture"] == picture(DRAWINGS["grey"], "grey").model_dump(mode="json")
        origin = told["provenance"]
    elif form == "png":
        origin = json.loads(Image.open(io.BytesIO(answer.content)).info["Description"])
    else:
        texts = parsed(answer.content).itertext()
        origin = json.loads(next(text for text in texts if text.startswith("{")))
    assert (origin["run"], origin["step"], origin["seed"]) == (run.pk, 5, run.seed)
    assert (origin["spec"], origin["code_version"]) == (run.spec, run.experiment.code_version)
    refused = client.get(f"/runs/{run.pk}/pictures/grey/5/file.{form}?width=wide")
    assert refused.status_code == 400


def test_the_api_has_them_too(run: Run, client: Client) -> None:
    base = f"/api/v1/runs/{run.pk}/pictures"
    assert [(p["name"], p["steps"]) for p in client.get(base).json()] == [
        ("grey", [0, 5]),
        ("curves", [0, 5]),
    ]
    told = client.get(f"{base}/curves/5").json()
    assert told["drawing"] == DRAWINGS["curves"].model_dump(mode="json")
    png = client.get(f"{base}/grey/5/png?width=slide")
    assert png.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(png.content)).format == "PNG"
    assert client.get(f"{base}/grey/5/png?width=wide").status_code == 422


ADDRESSES = (
    "/runs/{}/pictures/", "/runs/{}/pictures/grey/5/", "/runs/{}/pictures/grey/5/file.png",
    "/pictures/?runs={}", "/api/v1/runs/{}/pictures", "/api/v1/runs/{}/pictures/grey/5",
    "/api/v1/runs/{}/pictures/grey/5/png",
)  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_pictures_are_seen_by_those_who_see_the_run(run: Run, client: Client, address) -> None:
    assert client.get(address.format(run.pk)).status_code == 200
    assert client.get(address.format(run.pk + 999)).status_code == 404
    assert Client().get(address.format(run.pk)).status_code in (302, 401)
    member = signed_in(person("bob"))
    assert member.get(address.format(run.pk)).status_code == 200


@pytest.mark.parametrize("tail", ["grey/4/", "other/5/", "%00/5/", "grey/99999999999/"])
def test_a_picture_that_is_not_there(run: Run, client: Client, tail: str) -> None:
    assert client.get(f"/runs/{run.pk}/pictures/{tail}").status_code == 404
    assert client.get(f"/runs/{run.pk}/pictures/{tail}file.png").status_code == 404
    assert client.get(f"/api/v1/runs/{run.pk}/pictures/{tail[:-1]}").status_code == 404
