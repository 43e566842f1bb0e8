"""What the play panel sells: countries as it writes them, and the mobile networks that it knows there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    id: int
    name: str
    phone_code: str
    mobile: str
    """National form of a mobile number, `#` for each digit that varies."""
    emoji: str

    def phone_number(self, serial: int) -> str:
        """E.164; different for every serial number below a million."""
        digits = self.mobile.count("#")
        # 7907 is prime to ten, so this only shuffles: neighbours look unrelated and nothing repeats.
        varying = f"{(serial * 7907 + 7_654_321) % 10**digits:0{digits}}"
        return f"+{self.phone_code}{self.mobile.rstrip('#')}{varying}"


@dataclass(frozen=True)
class Operator:
    id: int
    name: str
    country_id: int


# Names are written as such panels do, which is seldom as ISO does; the last one exists for them alone.
COUNTRIES = (
    Country(1, "USA", "1", "4152######", "🇺🇸"),
    Country(2, "United Kingdom", "44", "7400######", "🇬🇧"),
    Country(3, "Russian Federation", "7", "916#######", "🇷🇺"),
    Country(4, "Philippines", "63", "917#######", "🇵🇭"),
    Country(5, "Viet Nam", "84", "90#######", "🇻🇳"),
    Country(6, "Germany", "49", "1512#######", "🇩🇪"),
    Country(7, "Kazakhstan", "77", "01#######", "🇰🇿"),
    Country(8, "Ivory Coast", "225", "07########", "🇨🇮"),
    Country(9, "Satellite", "870", "77#######", "🛰️"),
)

OPERATORS = (
    Operator(101, "EE", 2),
    Operator(102, "Vodafone", 2),
    Operator(103, "O2", 2),
    Operator(104, "Globe", 4),
    Operator(105, "Smart", 4),
    Operator(106, "T-Mobile", 1),
    Operator(107, "Verizon", 1),
)
