"""The play catalogue: what the sandbox's main supplier sells, where, at which price."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    id: int
    code: str
    name: str
    dial_code: str
    mobile: str
    """National form of a mobile number, `#` for each digit that varies."""
    price_percent: int
    """What a number costs here, relative to Indonesia."""
    active: bool = True

    @property
    def emoji(self) -> str:
        return "".join(chr(ord("🇦") + ord(letter) - ord("A")) for letter in self.code)

    def phone_number(self, serial: int) -> str:
        """E.164; different for every serial number below a million."""
        digits = self.mobile.count("#")
        # 7919 is prime to ten, so this only shuffles: neighbours look unrelated and nothing repeats.
        varying = f"{(serial * 7919 + 1_234_567) % 10**digits:0{digits}}"
        return self.dial_code + self.mobile.rstrip("#") + varying


@dataclass(frozen=True)
class Service:
    id: int
    code: str
    name: str
    price: int
    """IDR, in Indonesia."""
    resends: bool = True
    active: bool = True


@dataclass
class Product:
    """One service in one country. Price, stock and state change while the sandbox plays."""

    id: int
    service: Service
    country: Country
    price: int
    """Whole IDR."""
    available: int
    active: bool

    @property
    def name(self) -> str:
        return f"{self.service.name} {self.country.name}"


COUNTRIES = (
    Country(1, "US", "United States", "+1", "4152######", 300),
    Country(2, "GB", "United Kingdom", "+44", "7400######", 250),
    Country(3, "IN", "India", "+91", "98########", 80),
    Country(4, "RU", "Russia", "+7", "916#######", 150),
    Country(5, "BR", "Brazil", "+55", "1198#######", 140),
    Country(6, "ID", "Indonesia", "+62", "812########", 100),
    Country(7, "PH", "Philippines", "+63", "917#######", 90),
    Country(8, "VN", "Vietnam", "+84", "90#######", 110),
    Country(9, "MX", "Mexico", "+52", "551#######", 130),
    Country(10, "DE", "Germany", "+49", "1512#######", 280),
    Country(11, "FR", "France", "+33", "612######", 260),
    Country(12, "ES", "Spain", "+34", "612######", 240),
    Country(13, "EG", "Egypt", "+20", "100#######", 70),
    Country(14, "NG", "Nigeria", "+234", "803#######", 60),
    Country(15, "ZA", "South Africa", "+27", "82#######", 100),
    Country(16, "KE", "Kenya", "+254", "712######", 60),
    Country(17, "MY", "Malaysia", "+60", "12#######", 120),
    Country(18, "TH", "Thailand", "+66", "81#######", 130),
    Country(19, "PK", "Pakistan", "+92", "300#######", 50),
    Country(20, "BD", "Bangladesh", "+880", "171#######", 50),
    Country(21, "TR", "Turkey", "+90", "532#######", 170),
    Country(22, "CO", "Colombia", "+57", "310#######", 110),
    Country(23, "AR", "Argentina", "+54", "911########", 160),
    Country(24, "SA", "Saudi Arabia", "+966", "50#######", 220),
    Country(25, "AE", "United Arab Emirates", "+971", "50#######", 230, active=False),
)

SERVICES = (
    Service(1, "tg", "Telegram", 20_000),
    Service(2, "go", "Google", 9_000),
    Service(3, "wa", "WhatsApp", 15_000),
    Service(4, "ig", "Instagram", 6_000),
    Service(5, "fb", "Facebook", 5_000, resends=False),
    Service(6, "lf", "TikTok", 5_000),
    Service(7, "ds", "Discord", 7_000),
    Service(8, "ub", "Uber", 8_000, resends=False),
    Service(9, "am", "Amazon", 10_000),
    Service(10, "oi", "Tinder", 12_000, resends=False),
    Service(11, "ka", "Shopee", 4_000),
    Service(12, "ni", "Gojek", 4_000),
    Service(13, "vi", "Viber", 6_000, active=False),
)

RATES_IN_IDR: dict[str, float] = {
    "USD": 16_250,
    "EUR": 17_640,
    "GBP": 20_730,
    "AUD": 10_480,
    "CAD": 11_620,
    "SGD": 12_310,
    "MYR": 3_715,
    "SAR": 4_333,
    "AED": 4_424,
    "BRL": 2_865,
    "MXN": 872.4,
    "INR": 189.6,
    "RUB": 183.2,
    "PHP": 284.9,
    "TRY": 452.1,
    "VND": 0.64,
}


def new_products() -> list[Product]:
    """Every service in every country; the same at every call, and nobody else's to change."""
    return [_product(service, country) for service in SERVICES for country in COUNTRIES]


def _product(service: Service, country: Country) -> Product:
    # The offset makes WhatsApp Indonesia number 142, as in the vendor's examples.
    id = 25 * service.id + country.id + 61
    return Product(
        id=id,
        service=service,
        country=country,
        price=service.price * country.price_percent // 100,
        available=0 if id % 13 == 0 else id * 61 % 400 + 3,
        active=service.active and country.active and id % 29 != 0,
    )
