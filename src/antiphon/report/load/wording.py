"""How the numbers of a load are put into words: the same in each of its reports."""

from __future__ import annotations

from antiphon.conversation.wording import counted

__all__ = ["amount", "change", "figure_told", "lasted", "percent", "rate", "size", "took"]


def took(us: float) -> str:
    """A duration that was measured: `812 µs`, `8.1 ms`, `812 ms`, `1.234 s`."""
    if us < 999.5:
        return f"{us:.0f} µs"
    if us < 9_950:
        return f"{us / 1e3:.1f} ms"
    return f"{us / 1e3:.0f} ms" if us < 999_500 else f"{us / 1e6:.3f} s" if us < 99_999_500 else f"{us / 1e6:.0f} s"


def lasted(duration_ns: int) -> str:
    """How long a load took: `800 ms`, `12.5 s`, `2 min 5 s`, `3 h 20 min`."""
    duration_s = duration_ns / 1e9
    if duration_s < 0.9995:
        return f"{duration_s * 1e3:.0f} ms"
    if duration_s < 59.95:
        return f"{duration_s:.1f} s"
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def rate(per_s: float) -> str:
    """How often something happens: `19.0/s`, and where that is seldom `6.0/min`."""
    return f"{per_s:,.1f}/s" if per_s >= 1 or not per_s else f"{per_s * 60:,.1f}/min"


def percent(share: float) -> str:
    """A share from 0 to 1: `4.2 %`; what is not nothing is not told as nothing, nor what is not all as all."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"


def amount(number: int, what: str) -> str:
    """`1 conversation`, `2,281 conversations`."""
    return f"{number:,} {counted(number, what).partition(' ')[2]}"


def size(size_bytes: float) -> str:
    """`812 B`, `1.4 MiB`."""
    for unit in ("B", "KiB", "MiB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:,.1f} GiB"


def change(ratio: float) -> str:
    """A ratio as the change that it is: `+12.3 %`, `-4.0 %`, and from three times on `× 5.2`."""
    return f"{(ratio - 1) * 100:+.1f} %" if ratio < 3 else f"× {ratio:,.1f}"


def figure_told(figure: str, value: float) -> str:
    """A figure of a comparison: a rate, a share, or milliseconds."""
    if figure.endswith("per second"):
        return rate(value)
    return percent(value) if figure.endswith("share") else took(value * 1000)
