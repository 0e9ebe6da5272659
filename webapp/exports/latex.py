"""Tables for LaTeX, in the manner of `booktabs`, with their origin in comments above."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.compare.statistics import SummaryTable
from webapp.exports.figures import Figure
from webapp.exports.provenance import provenance_of, provenance_of_summary

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
"""What LaTeX would read as a command, or print as something else."""
_SIGNS = {
    "±": r"$\pm$",
    "−": "$-$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "∞": r"$\infty$",
    "∇": r"$\nabla$",
    "‖": r"$\|$",
    "²": "$^2$",
    "→": r"$\to$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "√": r"$\surd$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "ε": r"$\varepsilon$",
    "η": r"$\eta$",
    "θ": r"$\theta$",
    "λ": r"$\lambda$",
    "μ": r"$\mu$",
    "µ": r"$\mu$",
    "σ": r"$\sigma$",
    "τ": r"$\tau$",
}
"""Signs of the lab's own words and numbers, which not every font of LaTeX has."""
_WORDS = str.maketrans(_SPECIAL | _SIGNS)


def latex_text(text: str) -> str:
    """`text` as LaTeX prints it literally; control characters become spaces."""
    return "".join(c if c.isprintable() else " " for c in text).translate(_WORDS)


def latex_figure(figure: Figure) -> str:
    """The curves of `figure` at a few steps, a column each."""
    header, rows = figure.table()
    caption = f"{figure.title} against {figure.x_axis.full_title.lower()}"
    if figure.note:
        caption = f"{caption}; {figure.note}"
    return _table(
        [latex_text(word) for word in header],
        [[latex_text(word) for word in row] for row in rows],
        columns="r" * len(header),
        caption=f"{caption}.",
        origin=provenance_of(figure).as_json(),
    )


def latex_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, origin: str
) -> str:
    """A table of plain texts, of which the first column names what a row is of."""
    return _table(
        [latex_text(word) for word in header],
        [[latex_text(word) for word in row] for row in rows],
        columns="l" + "r" * (len(header) - 1),
        caption=caption,
        origin=origin,
    )


def latex_summary(table: SummaryTable) -> str:
    """A row for each configuration, the best figure of each column in bold."""
    titles = [latex_text(f"{column.metric.title}, {column.words}") for column in table.columns]
    rows = [
        [
            _with_seeds(row.configuration.label, len(row.configuration.runs)),
            *(_emphasised(cell.text, cell.best) for cell in row.cells),
        ]
        for row in table.rows
    ]
    caption = "Mean ± standard error over seeds." if table.has_seeds else "One run in each row."
    return _table(
        ["Configuration", *titles],
        rows,
        columns="l" + "r" * len(titles),
        caption=caption,
        origin=provenance_of_summary(table).as_json(),
    )


def _with_seeds(label: str, runs: int) -> str:
    return latex_text(label) + (f" ($N = {runs}$)" if runs > 1 else "")


def _emphasised(text: str, best: bool) -> str:
    return rf"\textbf{{{latex_text(text)}}}" if best else latex_text(text)


def _table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    columns: str,
    caption: str,
    origin: str,
) -> str:
    body = "\n".join(f"    {_joined(row)}" for row in rows)
    return "\n".join(
        [
            "% Meta-optimization lab; needs \\usepackage{booktabs}",
            f"% {origin}",
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{latex_text(caption)}}}",
            rf"  \begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            f"    {_joined(header)}",
            r"    \midrule",
            *([body] if body else []),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _joined(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
