"""The query language of the table of runs: `estimator:truncated AND bias<0.1`.

`parse` reads a text into a tree whose `str` is the text again, `condition` makes of the tree what
Postgres filters by, and `completions` says how a text could go on. See `docs/runs.md`.
"""

from webapp.runs.query.completions import completions
from webapp.runs.query.conditions import condition
from webapp.runs.query.errors import QueryError
from webapp.runs.query.nodes import Node, mentions
from webapp.runs.query.parser import LONGEST, parse

__all__ = ["LONGEST", "Node", "QueryError", "completions", "condition", "mentions", "parse"]
