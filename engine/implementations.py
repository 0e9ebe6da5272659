"""From the options that a spec holds to the class that does what they say."""

from pkgutil import resolve_name
from typing import Any

from engine.spec.options import Part


def implementation_of(options: Part, path: str) -> Any:
    """The class that `options`, at `path` of a spec, name as their implementation.

    Raises `RuntimeError` where an installed package's own cannot be imported.
    """
    try:
        return resolve_name(options.implementation)
    except (ImportError, AttributeError) as error:
        raise RuntimeError(
            f"{path}: the implementation of {options.kind!r}, {options.implementation}, "
            f"cannot be imported: {error}"
        ) from error
