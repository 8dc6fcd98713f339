"""When a model is fitted, which fit a day uses, and what the log keeps."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.errors import SegmentsError
from orchestration.ingest.source import project_variables
from orchestration.prediction.calendar import fit_day, fit_days
from orchestration.prediction.facts import Fit, FitKey, Parameter, Validation, fitted_parameters, forget_fits_after, transaction
from orchestration.prediction.fitting import FitRequest, FittedModel, fit_where_due
from orchestration.prediction.models import MODELS

DAY = date(2024, 3, 15)
VARIABLES = project_variables()


def test_fit_days_are_those_of_the_calendar() -> None:
    assert fit_days(DAY, "month") == [date(2024, 3, 1), date(2024, 2, 1), date(2024, 1, 1), date(2023, 12, 1)]
    assert fit_days(DAY, "week") == [date(2024, 3, 11), date(2024, 3, 4), date(2024, 2, 26), date(2024, 2, 19)]
    assert fit_days(DAY, "day") == [DAY - timedelta(days=number) for number in range(4)]
    assert fit_day(date(2024, 3, 1), "month") == date(2024, 3, 1) and fit_day(date(2024, 3, 11), "week") == date(2024, 3, 11)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A working database that stands at the day, with a purchase a day since 2024 began."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema operations; create schema intermediate")
        connection.execute(
            "create table operations.roll_up_state as select $1::date as earliest_as_of_date, $1::date as latest_as_of_date", [DAY]
        )
        connection.execute(
            """
            create table intermediate.int_customer_days as
            select 'c' as customer_id, date '2024-01-01' + cast(number as integer) as order_date, 1 as purchase_orders
            from range(60) as numbers (number)
            """
        )
    return path


class Scripted:
    """A model whose fits are known beforehand, and which remembers what it was asked."""

    def __init__(self, fits: dict[date, Fit]) -> None:
        self.fits = fits
        self.asked: list[date] = []
        self.before: list[dict[str, float]] = []

    def __call__(self, request: FitRequest) -> Fit:
        self.asked.append(request.day)
        self.before.append(dict(request.before))
        return self.fits[request.day]

    @property
    def model(self) -> FittedModel:
        return FittedModel("scripted", "A script.", (), lambda variables: str(variables["lifetime_value_time_unit"]), self)


def good(value: float) -> Fit:
    return Fit(True, None, 10, -1.0, (Parameter("r", value, 0.1),), (Validation("total", 0, 10, 5.0, 6.0),), DAY, DAY)


FAILED = Fit(False, "too_few_repeat_buyers", 10)
MARCH, FEBRUARY, JANUARY = date(2024, 3, 1), date(2024, 2, 1), date(2024, 1, 1)


def known(database: Path, day: date, fitted_with: str = "day") -> dict[str, float]:
    with transaction(database) as connection:
        return fitted_parameters(connection, FitKey("scripted", day, fitted_with))


def test_a_good_fit_is_made_once(database: Path) -> None:
    script = Scripted({MARCH: good(1.0)})
    assert list(fit_where_due(database, script.model, DAY, VARIABLES)) == [MARCH]
    assert fit_where_due(database, script.model, DAY, VARIABLES, again=True) == {}
    assert script.asked == [MARCH]
    assert known(database, DAY) == {"r": 1.0}
    assert known(database, date(2024, 2, 28)) == {}
    # In another unit the parameters would mean something else.
    assert known(database, DAY, "week") == {}
    assert list(fit_where_due(database, script.model, DAY, {**VARIABLES, "lifetime_value_time_unit": "week"})) == [MARCH]


def test_a_fit_that_fails_is_made_up_for_by_the_one_before_it(database: Path) -> None:
    script = Scripted({MARCH: FAILED, FEBRUARY: good(2.0)})
    fit_where_due(database, script.model, DAY, VARIABLES)
    assert script.asked == [MARCH, FEBRUARY]
    assert known(database, DAY) == {"r": 2.0}


def test_what_failed_is_tried_again_when_the_data_has_changed_or_somebody_asks(database: Path) -> None:
    script = Scripted({MARCH: FAILED, FEBRUARY: good(2.0)})
    fit_where_due(database, script.model, DAY, VARIABLES)
    assert fit_where_due(database, script.model, DAY, VARIABLES) == {}
    with duckdb.connect(str(database)) as connection:
        connection.execute("insert into intermediate.int_customer_days values ('d', '2024-02-29', 1)")
    script.fits[MARCH] = good(3.0)
    assert list(fit_where_due(database, script.model, DAY, VARIABLES)) == [MARCH]
    # A model that names what it finds after what was found before sees the last good fit.
    assert script.before[-1] == {"r": 2.0}
    assert known(database, DAY) == {"r": 3.0} and known(database, date(2024, 2, 28)) == {"r": 2.0}

    asked = Scripted({MARCH: FAILED, FEBRUARY: FAILED, JANUARY: FAILED})
    other = replace(asked.model, name="other")
    fit_where_due(database, other, DAY, VARIABLES)
    assert asked.asked == [MARCH, FEBRUARY, JANUARY]  # before the first purchase there is nothing to go back to
    fit_where_due(database, other, DAY, VARIABLES, again=True)
    assert asked.asked == [MARCH, FEBRUARY, JANUARY] * 2


def bring_purchases(database: Path, count: int) -> None:
    """So many purchase days more, before the fit day."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "insert into intermediate.int_customer_days select 'd' || number, date '2024-02-29', 1 from range(?) as days (number)", [count]
        )


@pytest.mark.parametrize("reason", ["no_maximum_found", "parameters_run_away"])
def test_a_search_that_ended_nowhere_waits_for_a_hundredth_more_purchases(database: Path, reason: str) -> None:
    bring_purchases(database, 140)  # 200 in all
    script = Scripted({MARCH: Fit(False, reason, 10), FEBRUARY: good(2.0)})
    fit_where_due(database, script.model, DAY, VARIABLES)
    bring_purchases(database, 2)
    assert fit_where_due(database, script.model, DAY, VARIABLES) == {}
    bring_purchases(database, 1)
    assert list(fit_where_due(database, script.model, DAY, VARIABLES)) == [MARCH]
    assert list(fit_where_due(database, script.model, DAY, VARIABLES, again=True)) == [MARCH]


def test_working_tables_of_another_day_are_refused(database: Path) -> None:
    with pytest.raises(SegmentsError, match="stand at 2024-03-15, not at 2024-03-16"):
        fit_where_due(database, Scripted({}).model, DAY + timedelta(days=1), VARIABLES)


def test_fits_made_later_were_not_known(database: Path) -> None:
    before = datetime.now(UTC)
    fit_where_due(database, Scripted({MARCH: good(1.0)}).model, DAY, VARIABLES)
    forget_fits_after(database, datetime.now(UTC) + timedelta(seconds=1))
    assert known(database, DAY) == {"r": 1.0}
    forget_fits_after(database, before)
    assert known(database, DAY) == {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for table in ("fits", "fitted_parameters", "validations"):
            assert connection.execute(f"select count(*) from prediction.{table}").fetchone() == (0,)


def test_models_have_names_of_their_own() -> None:
    assert len({model.name for model in MODELS}) == len(MODELS)
