"""What a night tells on the console."""

import pytest

from orchestration.publishing.summary import percent


@pytest.mark.parametrize(("customers", "told"), [(0, "0.0%"), (203, "50.8%"), (197, "49.3%"), (53, "13.3%"), (1, "0.3%"), (400, "100.0%")])
def test_halves_of_a_digit_are_rounded_up_as_on_the_page(customers: int, told: str) -> None:
    assert percent(customers / 400) == told
