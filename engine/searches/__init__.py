"""Searches by the kind that a spec names: they propose θ and observe the meta-loss."""

from engine.searches.box import Bayesian, Grid, Random
from engine.searches.cma_es import CMAES
from engine.searches.elites import Elites
from engine.searches.population_based import PopulationBased

SEARCHES = {
    "elites": Elites,
    "cma_es": CMAES,
    "random": Random,
    "grid": Grid,
    "bayesian": Bayesian,
    "population_based": PopulationBased,
}
