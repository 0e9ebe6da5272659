"""Numbers as people read them: aligned, short, and true to what was measured."""

from __future__ import annotations

import math

from webapp.exports.metrics import Unit

_BYTE_PREFIXES = ("B", "kB", "MB", "GB", "TB", "PB")


def format_value(value: float | None, unit: Unit = "") -> str:
    """`value` with three significant digits and its unit; "–" where there is none."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if unit == "B":
        return _format_bytes(value)
    if unit == "s":
        return format_seconds(value)
    if unit == "%":
        return f"{100 * value:.1f} %"
    return _significant(value)


def format_with_error(value: float, error: float | None, unit: Unit = "") -> str:
    """ "0.412 ± 0.003": the error to the digits of the value, which is all that it says."""
    text = format_value(value, unit)
    if error is None or not math.isfinite(value) or not math.isfinite(error):
        return text
    if unit == "%":
        return f"{100 * value:.1f} ± {100 * error:.1f} %"
    if unit or error == 0 or "e" in text:
        return f"{text} ± {format_value(error, unit)}"
    decimals = len(text.partition(".")[2])
    rounded = f"{error:,.{decimals}f}"
    return f"{text} ± {rounded if float(rounded.replace(',', '')) else format_value(error)}"


def format_seconds(value: float) -> str:
    """A duration: 12 ms, 3.4 s, 5 min 20 s, 2 h 05 min."""
    if value == 0:
        return "0 s"
    if value < 0.9995e-3:
        return f"{value * 1e6:.3g} µs"
    if value < 0.9995:
        return f"{value * 1e3:.3g} ms"
    if value < 99.95:
        return f"{value:.3g} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def format_share(value: float) -> str:
    """A share of one as a percentage, or as a plain number where a percentage would mislead."""
    if value < 0.001:
        return _significant(value, digits=2)
    if value < 0.1:
        return f"{100 * value:.2g} %"
    if value < 10:
        return f"{100 * value:.0f} %"
    return f"{_significant(value)} ×"


def _format_bytes(value: float) -> str:
    scaled, prefix = value, 0
    while abs(scaled) >= 999.5 and prefix < len(_BYTE_PREFIXES) - 1:
        scaled, prefix = scaled / 1000, prefix + 1
    return f"{scaled:.3g} {_BYTE_PREFIXES[prefix]}"


def _significant(value: float, digits: int = 3) -> str:
    if value == 0:
        return "0"
    # The exponent of the rounded value: 0.9996 reads 1.00, not 1.000.
    exponent = int(f"{value:.{digits - 1}e}".split("e")[1])
    if -4 <= exponent < 6:
        decimals = max(0, digits - 1 - exponent)
        text = f"{value:,.{decimals}f}"
    else:
        mantissa = f"{value:.{digits - 1}e}"
        number, power = mantissa.split("e")
        text = f"{number}e{int(power)}"
    return text.replace("-", "−")
