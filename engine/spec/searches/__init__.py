"""Searches over θ: their options, one file each."""

from engine.spec.searches.box import Bayesian, BoxSearch, GridSearch, RandomSearch
from engine.spec.searches.cma_es import CMAES
from engine.spec.searches.elites import Elites
from engine.spec.searches.population_based import PopulationBased
from engine.spec.searches.search import Search

__all__ = [
    "CMAES", "Bayesian", "BoxSearch", "Elites", "GridSearch", "PopulationBased", "RandomSearch",
    "Search",
]  # fmt: skip
