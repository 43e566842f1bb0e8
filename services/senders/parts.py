"""How many SMS a text takes: what networks carry, and senders charge for.

Source: 3GPP TS 23.038, section 6.2.1 (the alphabet and its extension) and 23.040, section 9.2.3.24.1.
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""These take the room of two."""
_GSM = (160, 153)
_UNICODE = (70, 67)
"""Characters in one SMS, and in each of several that are joined."""


def count_parts(body: str) -> int:
    """At least one. A single character outside GSM's alphabet more than doubles a long text."""
    letters = set(body)
    if letters <= _BASIC | _EXTENDED:
        length = len(body) + sum(letter in _EXTENDED for letter in body)
        single, joined = _GSM
    else:
        length = len(body.encode("utf-16-le")) // 2
        single, joined = _UNICODE
    return 1 if length <= single else -(-length // joined)
