"""Services that everybody knows, for suppliers who tell none: their numbers take the codes of any."""

ANY_SERVICE = {"slug": "any-service", "name": "Any service", "code": "any"}
"""For what nobody lists."""

WELL_KNOWN = [
    {"slug": name.casefold(), "name": name, "code": code}
    for name, code in (
        ("WhatsApp", "wa"),
        ("Google", "go"),
        ("Instagram", "ig"),
        ("Facebook", "fb"),
        ("TikTok", "lf"),
        ("Discord", "ds"),
        ("Uber", "ub"),
        ("Amazon", "am"),
        ("Tinder", "oi"),
        ("Viber", "vi"),
    )
]
"""Used only where no connected supplier sells by service; elsewhere the names are theirs."""
