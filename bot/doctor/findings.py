"""What `numlet doctor` finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` says how to mend it, empty where all is well; a note is the operator's choice."""

    about: str
    says: str
    advice: str = ""
    is_note: bool = False
