"""Which source is meant, and what its source.yml may say."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from orchestration.errors import UnusableInput
from orchestration.ingest.contract import read_contract
from orchestration.ingest.source import VARIABLE_VALUES, find_files, project_variables, resolve_source
from orchestration.settings import PROJECT_DIR
from tests.python.unit.ingest_tools import write


def settings(folder: Path, text: str) -> Path:
    write(folder)
    (folder / "source.yml").write_text(text)
    return folder


def test_a_name_is_a_folder_below_mappings() -> None:
    source = resolve_source("complete_journey")
    assert source.name == "complete_journey"
    assert source.mapping == PROJECT_DIR / "mappings" / "complete_journey"
    assert (source.folder / "transactions.parquet").is_file()
    assert (source.business_timezone, source.currency, source.holiday_country) == ("America/New_York", "USD", "US")
    assert source.as_of_date == date(2018, 1, 1)


def test_a_mapping_of_the_project_is_the_same_source_by_name_and_by_path() -> None:
    assert resolve_source(PROJECT_DIR / "mappings" / "complete_journey") == resolve_source("complete_journey")


def test_a_folder_needs_no_settings(tmp_path: Path) -> None:
    source = resolve_source(write(tmp_path / "My Shop!"))
    assert source.name.startswith("my_shop_")
    assert (source.business_timezone, source.currency, source.as_of_date, source.vars) == ("UTC", None, None, {})


def test_two_folders_of_one_name_are_two_sources_unless_they_say_so(tmp_path: Path) -> None:
    here, there = write(tmp_path / "a" / "shop"), write(tmp_path / "b" / "shop")
    assert resolve_source(here).name != resolve_source(there).name
    for folder in (here, there):
        settings(folder, "name: shop")
    assert resolve_source(here).name == resolve_source(there).name == "shop"


def test_the_same_folder_is_the_same_source_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "shop")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(folder)
    assert resolve_source("shop") == resolve_source("./shop/") == resolve_source(folder) == resolve_source("link")


def test_everything_that_source_yml_may_say(tmp_path: Path) -> None:
    text = """
    name: shop_1
    business_timezone: Europe/Oslo
    currency: NOK
    holiday_country: "NO"
    as_of_date: 2023-12-31
    vars: {rfm_monetary: mean}
    """
    source = resolve_source(settings(tmp_path / "shop", text))
    assert source.name == "shop_1"
    assert source.as_of_date == date(2023, 12, 31)
    assert (source.business_timezone, source.currency, source.holiday_country) == ("Europe/Oslo", "NOK", "NO")
    assert source.vars == {"rfm_monetary": "mean"}


def test_an_empty_source_yml_says_nothing(tmp_path: Path) -> None:
    assert resolve_source(settings(tmp_path, "# nothing yet\n")).business_timezone == "UTC"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("business_timezon: UTC", "unknown key business_timezon; did you mean business_timezone?"),
        ("colour: red", "unknown key colour; use one of as_of_date, business_timezone, currency, holiday_country, name, vars"),
        ("business_timezone: Europe/Olso", "'Europe/Olso' is not a time zone; did you mean Europe/Oslo?"),
        ("business_timezone: +02:00", "business_timezone '\\+02:00' is not a time zone"),
        ("holiday_country: NO", "holiday_country was read as false; write it in quotes"),
        ("holiday_country: Norway", "holiday_country 'Norway' must be two capital letters"),
        ("currency: kroner", "currency 'kroner' must be three capital letters"),
        ("currency: 5", "currency must be text; write 5 in quotes"),
        ("as_of_date: yesterday", "as_of_date 'yesterday' is not a date"),
        ("as_of_date: 2023-02-30", "cannot be read as YAML: day is out of range for month"),
        ("name: My Shop", "name 'My Shop' is not usable: .* such as my_shop"),
        ("name: ../shop", "is not usable"),
        ("vars: [1]", "vars must hold `name: value` lines and nothing else"),
        ("vars: {rfm_monetry: mean}", "rfm_monetry is neither a variable nor a threshold of the project; did you mean rfm_monetary?"),
        ("vars: {currency: EUR}", "currency is a key of its own; move it out of vars"),
        ("vars: {as_of_date: 2030-01-01}", "as_of_date is a key of its own; move it out of vars"),
        ("vars: {build_id: x}", "vars: build_id is set by the night, not by a source; take it out"),
        ("vars: {as_known_at: 2024-01-01}", "vars: as_known_at is set by the night, not by a source; take it out"),
        ('vars: {rfm_monetary: "\'; drop table x"}', "vars: rfm_monetary is .*; set it to sum or mean"),
        ("vars: {rfm_monetary: [mean]}", "vars: rfm_monetary is \\['mean'\\]; set it to sum or mean"),
        ("vars: {rfm_cut_points: }", "vars: rfm_cut_points is None; set it to percentile or fixed"),
        ("vars: {fit_every: quarter}", "vars: fit_every is 'quarter'; set it to month or week or day"),
        ("vars: {lifetime_value_time_unit: hour}", "vars: lifetime_value_time_unit is 'hour'; set it to day or week"),
        ("vars: {history_correction_days: x}", "history_correction_days is 'x'; set it to a whole number from 0 to 99999"),
        ("vars: {history_correction_days: yes}", "history_correction_days is True; set it to a whole number"),
        ("vars: {lifetime_value_horizon_days: 0}", "lifetime_value_horizon_days is 0; set it to a whole number from 1 to 99999"),
        ("vars: {lifetime_value_holdout_days: 1.5}", "lifetime_value_holdout_days is 1.5; set it to a whole number"),
        ("vars: {lifetime_value_discount_rate: abc}", "lifetime_value_discount_rate is 'abc'; set it to a number from 0 to 10"),
        ("vars: {lifetime_value_discount_rate: .nan}", "lifetime_value_discount_rate is nan; set it to a number"),
        ("vars: {behaviour_cluster_window_days: 99999999}", "behaviour_cluster_window_days is 99999999; set it to a whole number"),
        ("vars: {maximum_quarantined_share: 20}", "maximum_quarantined_share is 20; set it to a number from 0 to 1"),
        ("vars: {loyalty_new_days: .inf}", "loyalty_new_days is a threshold; give it a number, not inf"),
        ("folder: data", "folder says where the files of a mapping are, but this folder has no <table>.sql"),
        ("- a\n- b", "must hold `key: value` lines and nothing else, such as `currency: EUR`"),
        ("a: b: c", "cannot be read as YAML"),
    ],
)
def test_what_source_yml_may_not_say(tmp_path: Path, text: str, message: str) -> None:
    folder = settings(tmp_path / "shop", text)
    with pytest.raises(UnusableInput, match=message) as refused:
        resolve_source(folder)
    assert str(folder / "source.yml") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_variable_of_the_project_says_what_it_may_be_and_is_that() -> None:
    defaults = project_variables()
    assert defaults.keys() == VARIABLE_VALUES.keys()
    assert {name: value for name, value in defaults.items() if value not in VARIABLE_VALUES[name]} == {}


def test_thresholds_may_be_overridden_by_numbers(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("dbt_project.yml", "models/staging/_sources.yml"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT_DIR / name, project / name)
    (project / "seeds").mkdir()
    (project / "seeds" / "thresholds.csv").write_text("name,value,owner\nlost_after_days,365,crm\n")
    folder = settings(tmp_path / "shop", "vars: {lost_after_days: 200}")
    assert resolve_source(folder, project).vars == {"lost_after_days": 200}
    settings(folder, "vars: {lost_after_days: often}")
    with pytest.raises(UnusableInput, match="lost_after_days is a threshold; give it a number"):
        resolve_source(folder, project)


def test_an_unknown_source_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="did you mean complete_journey"):
        resolve_source("complete_jurney")
    with pytest.raises(UnusableInput, match="neither a folder nor the name"):
        resolve_source(tmp_path / "nowhere")
    with pytest.raises(UnusableInput, match="is a file: give the folder"):
        resolve_source(write(tmp_path / "shop") / "customers.csv")


def test_files_of_tables_and_what_is_no_table(tmp_path: Path) -> None:
    folder = write(tmp_path, customer_csv="x", stores_xlsx="x", products_tsv="x")
    for name in ("web_events/2023/01.csv.gz", "web_events/2024/_SUCCESS", "web_events/02.parquet", "web_events/readme.txt", ".DS_Store"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    found = find_files(resolve_source(folder), read_contract())
    assert [path.name for path in found.tables["customers"]] == ["customers.csv"]
    assert [path.relative_to(folder).as_posix() for path in found.tables["web_events"]] == [
        "web_events/02.parquet",
        "web_events/2023/01.csv.gz",
    ]
    assert dict(found.ignored) == {
        "customer.csv": "customer is not a table of the raw contract; did you mean customers?",
        "products.tsv": "not one of .parquet, .csv, .csv.gz",
        "stores.xlsx": "not one of .parquet, .csv, .csv.gz",
        "web_events/readme.txt": "not one of .parquet, .csv, .csv.gz",
    }


def test_the_data_of_a_mapping_is_where_it_says(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping"
    mapping.mkdir()
    (mapping / "customers.sql").write_text("select 1 as customer_id")
    assert resolve_source(mapping).folder == mapping
    assert resolve_source(mapping).mapping == mapping
    (tmp_path / "exports").mkdir()
    (mapping / "source.yml").write_text("folder: ../exports")
    assert resolve_source(mapping).folder == tmp_path / "exports"
    (mapping / "source.yml").write_text("folder: ../imports")
    with pytest.raises(UnusableInput, match="imports does not exist; correct `folder`"):
        resolve_source(mapping)
    (mapping / "source.yml").write_text("python_package: no_such_package")
    with pytest.raises(UnusableInput, match="the Python package no_such_package, which holds the data, is not installed"):
        resolve_source(mapping)
