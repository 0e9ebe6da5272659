"""Meta-parameters, one file for each slot of f_LEARN.

The options, in `engine.spec.meta_parameters`, name the class that implements them, as those of
inner tasks do; `engine.meta_parameters.meta_parameter` says how one plugs into its slot.
"""

from engine.meta_parameters.meta_parameter import MetaParameter

__all__ = ["MetaParameter"]
