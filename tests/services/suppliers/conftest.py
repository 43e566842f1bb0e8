import pytest
import stamina


@pytest.fixture(autouse=True)
def _repeat_without_waiting():
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
