"""Countries and numbers as vendors write them."""

import pytest

from services.countries import find_country, possible_numbers, to_e164


@pytest.mark.parametrize(
    ("name", "dial_code", "iso"),
    [
        ("Indonesia", "62", "ID"),
        ("indonesia ", "", "ID"),
        ("USA", "1", "US"),
        ("Canada", "1", "CA"),
        ("United Kingdom", "+44", "GB"),
        ("Russian Federation", "7", "RU"),
        ("Kazakhstan", "77", "KZ"),
        ("Dominican Republic", "1-809", "DO"),
        ("Ivory Coast", "225", "CI"),
        ("Côte d'Ivoire", "225", "CI"),
        ("Congo", "242", "CG"),
        ("Congo", "243", "CD"),
        ("Bosnia and Herzegovina", "387", "BA"),
        ("Saint Lucia", "1758", "LC"),
        ("Viet Nam", "84", "VN"),
        ("Kosovo", "383", "XK"),
    ],
)
def test_vendors_names_are_understood(name, dial_code, iso):
    assert find_country(name, dial_code) == iso


def test_a_dial_code_of_one_country_speaks_for_a_name_that_nobody_knows():
    assert find_country("Republik Indonesia Raya", "62") == "ID"


@pytest.mark.parametrize(
    ("name", "dial_code"),
    [("Narnia", "44"), ("Narnia", ""), ("Satellite", "870"), ("Indonesia", "63"), ("Narnia", "99999")],
)
def test_where_there_is_a_doubt_there_is_no_country(name, dial_code):
    assert find_country(name, dial_code) is None


@pytest.mark.parametrize(
    ("written", "country", "e164"),
    [
        ("+1234567890", "ID", "+1234567890"),
        ("62 812-3456-7890", "ID", "+6281234567890"),
        ("081234567890", "ID", "+6281234567890"),
        ("447400123456", "GB", "+447400123456"),
        ("07400123456", "GB", "+447400123456"),
        ("0612345678", "IT", "+390612345678"),
    ],
)
def test_a_number_is_read_as_people_of_its_country_would(written, country, e164):
    assert to_e164(written, country) == e164


@pytest.mark.parametrize("written", ["", "soon", "+", "1" * 16, "1"])
def test_what_is_no_number_is_none(written):
    assert to_e164(written, "ID") is None


def test_digits_may_stand_for_any_countrys_number():
    assert possible_numbers("6281234567890")[0] == "+6281234567890"
    assert "+6281234567890" in possible_numbers("081234567890")
    assert "+390612345678" in possible_numbers("0612345678")
