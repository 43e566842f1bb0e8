"""Countries and phone numbers as vendors write them, made ISO 3166-1 alpha-2 codes and E.164."""

import re
from functools import lru_cache

import phonenumbers

from services import nicknames
from services.places import get_locale
from services.search import normalize

# What vendors write where neither Babel nor people do. A name that `doctor` shows as unknown goes here.
_WRITTEN = {
    "BN": ("brunei darussalam",),
    "CD": ("congo dr", "democratic republic of congo", "congo democratic republic"),
    "CG": ("republic of congo", "congo republic"),
    "CV": ("cabo verde",),
    "FK": ("falkland islands malvinas",),
    "FM": ("micronesia federated states of",),
    "GB": ("uk", "great britain"),
    "IR": ("iran islamic republic of",),
    "KG": ("kyrgyz republic",),
    "KP": ("korea north",),
    "KR": ("korea south", "republic of korea"),
    "LA": ("lao", "lao pdr", "lao peoples democratic republic"),
    "MD": ("moldova republic of", "republic of moldova"),
    "MM": ("myanmar",),
    "MO": ("macao",),
    "PS": ("palestine", "state of palestine"),
    "RU": ("russian federation",),
    "SK": ("slovak republic",),
    "SY": ("syrian arab republic",),
    "TZ": ("tanzania united republic of",),
    "US": ("usa", "united states of america"),
    "VE": ("venezuela bolivarian republic of",),
    "VN": ("viet nam",),
}
_EMPTY_WORDS = {"and", "the"}
_ISO = re.compile("[A-Z]{2}")
_LONGEST = 15
"""Digits of an E.164 number."""


def find_country(name: str, dial_code: str = "") -> str | None:
    """The ISO code of a country that a vendor names in English.

    The dial code, in digits, must not contradict the name, and speaks for a name that nobody knows where
    only one country has it. None where the two leave a doubt: a number sold as another country's is worse
    than one not sold.
    """
    dial_code = re.sub(r"\D", "", dial_code)
    iso = _by_name().get(_key(name))
    if iso is None:
        sharing = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(dial_code), ()) if dial_code else ()
        return sharing[0] if len(sharing) == 1 and _ISO.fullmatch(sharing[0]) else None
    own = str(phonenumbers.country_code_for_region(iso) or "")
    return iso if dial_code.startswith(own) or not dial_code else None


def to_e164(number: str, country: str) -> str | None:
    """A number of a country, however a vendor writes it: with a plus, without, or as people there dial it.

    None for what is no number.
    """
    digits = re.sub(r"\D", "", number)
    if not digits or len(digits) > _LONGEST:
        return None
    if number.lstrip().startswith("+"):
        return f"+{digits}"
    try:
        parsed = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def possible_numbers(digits: str) -> list[str]:
    """The E.164 numbers that digits without a plus may stand for: themselves, or any country's own."""
    national = {digits, digits.lstrip("0")}
    return [
        number
        for number in (f"+{digits}", *(f"+{code}{rest}" for code in _dial_codes() for rest in national))
        if len(number) <= _LONGEST + 1
    ]


@lru_cache(maxsize=1)
def _dial_codes() -> tuple[int, ...]:
    return tuple(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    babel = {iso: (str(name),) for iso, name in get_locale("en").territories.items() if _ISO.fullmatch(iso)}
    found: dict[str, str] = {}
    for table in (babel, nicknames.COUNTRIES, _WRITTEN):
        for iso, names in table.items():
            found |= {_key(name): iso for name in names if phonenumbers.country_code_for_region(iso)}
    return found


def _key(name: str) -> str:
    words = (word for word in normalize(name).split() if word not in _EMPTY_WORDS)
    return " ".join("st" if word == "saint" else word for word in words)
