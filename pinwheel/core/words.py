"""Measures and brands in words, for sentences that people read."""

UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def duration(seconds: float) -> str:
    """The two largest parts, such as "3 min 4 s" or "2 min"; under 10 seconds with a decimal, such as "0.4 s"."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}".removesuffix(".0") + " s"
    left, parts = round(seconds), list[str]()
    for unit, size in UNITS:
        many, left = divmod(left, size)
        if many or parts:
            parts.append(f"{many} {unit}" if many else "")
    return " ".join(part for part in parts[:2] if part)


def percent(share: float) -> str:
    """A share of 1, such as "12 %" or "0.4 %"."""
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def brand_title(brand_id: int, name: str | None) -> str:
    """A brand's name; of one without a name "brand" and its number, as on the pages."""
    return (name or "").strip() or f"brand {brand_id}"
