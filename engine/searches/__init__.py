"""Searches by the kind that a spec names: they propose θ and observe the meta-loss."""

from engine.searches.elites import Elites

SEARCHES = {"elites": Elites}
