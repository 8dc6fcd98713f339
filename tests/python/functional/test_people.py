"""What is known about people: one gate for special-category data, questions that are new rows, rule tables that are checked.

Nothing special without the permission of the day, and gone the night after it is withdrawn. The models and checks are run by dbt as
they are, on answers and consents planted as staging tables.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.transform.dbt import invoke

PROJECT = Path(__file__).parents[3]

ANSWERING_MODELS = [
    "int_special_category_permissions",
    "int_special_category_answers",
    "int_survey_answers",
    "int_customer_traits",
    "customer_psychographic_features",
    "customer_socio_cultural_features",
    "psychographic_segments",
    "socio_cultural_segments",
]
CHECK = "assert_no_special_category_without_permission"

# What may hold special-category answers, and which models may read it. An addition is a decision of data protection.
PERMITTED_READERS = {
    # The two of history keep when rows were loaded and the day they are about, and nothing of what they say.
    "base_survey_answers": {"stg_survey_answers", "quarantine", "row_reconciliation", "event_arrivals", "recorded_days"},
    "stg_survey_answers": {"int_survey_answers", "int_special_category_answers"},
    "int_special_category_answers": {"customer_socio_cultural_features"},
    "customer_socio_cultural_features": {"socio_cultural_segments"},
}

PLANTED = """
    create schema staging;
    create schema intermediate;

    create table intermediate.int_customers as
    select customer_id, date '2018-01-01' as as_of_date, date '2017-01-01' as customer_since_date
    from (values ('permits'), ('withdraws'), ('never_asked'), ('silent')) as customers (customer_id);

    create table staging.stg_survey_answers as
    select
        customer_id, question, answer, 'survey' as origin,
        timestamp '2017-03-01 10:00:00' as answered_at, date '2017-03-01' as answered_date
    from (values ('permits'), ('withdraws'), ('never_asked')) as customers (customer_id)
    cross join (
        values
        ('political_opinion', 'left'), ('Social_Ideology', 'Social_Change'), ('cultural_attitude', 'cosmopolitan'),
        ('values', 'nature'), ('leisure', 'gardening')
    ) as answers (question, answer);

    create table staging.stg_customers as
    select
        'permits' as customer_id, 'Female' as gender, 'married' as marital_status, '5+' as household_size, 'a few' as children,
        'Master' as education, cast(null as varchar) as occupation, 'guru' as job_level, 'own' as home_ownership,
        'quite young' as age_band, 'under 15k' as income_band;

    create table staging.stg_support_tickets as
    select 'permits' as customer_id, topic
    from (values ('delivery'), ('Parking'), (null)) as tickets (topic);

    create table staging.stg_consents as
    select customer_id, 'special_category' as purpose, 'any' as channel, is_granted, changed_at, cast(changed_at as date) as changed_date
    from (
        values
        ('permits', true, timestamp '2017-02-01 10:00:00'),
        ('silent', true, timestamp '2017-02-01 10:00:00'),
        ('withdraws', true, timestamp '2017-02-01 10:00:00'),
        ('withdraws', false, timestamp '2018-01-01 10:00:00')
    ) as changes (customer_id, is_granted, changed_at);
"""

Dbt = Callable[..., Any]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("special_category") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(PLANTED)
    return path


@pytest.fixture(scope="module")
def dbt(database: Path) -> Iterator[Dbt]:
    """Run one dbt command in this process, as of a day; returns dbt's result."""
    patch = pytest.MonkeyPatch()
    patch.setenv("SEGMENTS_DATABASE", str(database))
    patch.setenv("SEGMENTS_LANDING", str(database.parent))
    patch.setenv("DO_NOT_TRACK", "1")

    def command(arguments: tuple[str, ...], as_of_date: str, manifest: Any = None) -> Any:
        folder = database.parent
        common = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--log-level", "none", "--log-level-file", "none"]
        common += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
        common += ["--vars", json.dumps({"as_of_date": as_of_date})]
        return invoke([*arguments, *common], manifest)

    # Parsed once: models read the day when they are compiled.
    parsed = command(("parse",), "2018-01-01")

    def run(*arguments: str, as_of_date: str = "2018-01-01") -> Any:
        return parsed if arguments == ("parse",) else command(arguments, as_of_date, parsed.result)

    yield run
    patch.undo()


@pytest.fixture(scope="module")
def night(database: Path, dbt: Dbt) -> Callable[[str], dict[str, tuple[str, str, str | None]]]:
    """Build the models as of a day and return for each customer: socio-cultural segment, psychographic segment, traits."""
    assert dbt("seed", "--select", "survey_traits", "thresholds").success

    def build(as_of_date: str) -> dict[str, tuple[str, str, str | None]]:
        result = dbt("run", "--select", *ANSWERING_MODELS, as_of_date=as_of_date)
        assert result.success, [(each.node.name, each.message) for each in result.result if each.status == "error"]
        with duckdb.connect(str(database), read_only=True) as connection:
            rows = connection.execute(
                """
                select socio_cultural.customer_id, socio_cultural.segment, psychographic.segment, features.traits
                from segments.socio_cultural_segments as socio_cultural
                inner join segments.psychographic_segments as psychographic using (customer_id)
                inner join features.customer_psychographic_features as features using (customer_id)
                """
            ).fetchall()
        return {customer: (group, lifestyle, traits) for customer, group, lifestyle, traits in rows}

    return build


def results_of_tests(result: Any) -> list[Any]:
    """The results of tests; the hooks of a run are among dbt's results too."""
    return [each for each in result.result if each.node.resource_type == "test"]


def test_only_permitted_models_read_special_category_answers(dbt: Dbt) -> None:
    """Nobody reads around the gate, not by a ref put together from parts either: the lineage is dbt's own."""
    manifest = dbt("parse").result
    for held_in, permitted in PERMITTED_READERS.items():
        children = manifest.child_map[f"model.customer_segments.{held_in}"]
        readers = {child.split(".")[2] for child in children if child.startswith("model.")}
        assert readers <= permitted, f"{held_in} holds special-category answers: read int_survey_answers instead"
    source = "source.customer_segments.landing.survey_answers"
    landed_readers = {child.split(".")[2] for child in manifest.child_map[source] if child.startswith("model.")}
    assert landed_readers == {"base_survey_answers"}
    kept = {name for model in ("event_arrivals", "recorded_days") for name in manifest.nodes[f"model.customer_segments.{model}"].columns}
    assert kept == {"table_name", "loaded_at", "earliest_event_date", "as_of_date", "known_to", "is_finished"}


def test_groups_only_with_the_permission_of_the_day(night: Callable[[str], dict[str, tuple[str, str, str | None]]], dbt: Dbt) -> None:
    """A withdrawal on a day counts from the next day's opening on; ordinary answers are untouched by it."""
    lifestyle = ("sustainable", "gardening, nature")
    assert night("2018-01-01") == {
        "permits": ("progressive", *lifestyle),
        "withdraws": ("progressive", *lifestyle),
        "never_asked": ("not_permitted", *lifestyle),
        "silent": ("unknown", "unknown", None),
    }
    assert dbt("test", "--select", CHECK, as_of_date="2018-01-01").success

    assert night("2018-01-02") == {
        "permits": ("progressive", *lifestyle),
        "withdraws": ("not_permitted", *lifestyle),
        "never_asked": ("not_permitted", *lifestyle),
        "silent": ("unknown", "unknown", None),
    }
    assert dbt("test", "--select", CHECK, as_of_date="2018-01-02").success


def test_the_check_finds_every_leak(night: Callable[[str], Any], dbt: Dbt, database: Path) -> None:
    night("2018-01-02")
    leaks = [
        "update features.customer_socio_cultural_features set socio_cultural_group = 'progressive' where customer_id = 'never_asked'",
        "update features.customer_socio_cultural_features set socio_cultural_answers = 1 where customer_id = 'withdraws'",
        "update segments.socio_cultural_segments set segment = 'progressive' where customer_id = 'withdraws'",
        "insert into intermediate.int_customer_traits (customer_id, question, trait) values ('permits', 'political_opinion', 'left')",
    ]
    with duckdb.connect(str(database)) as connection:
        for leak in leaks:
            connection.execute(leak)
    result = dbt("test", "--select", CHECK, as_of_date="2018-01-02")
    assert [each.failures for each in results_of_tests(result)] == [len(leaks)]


def test_a_new_question_is_a_new_row_and_no_sql(night: Callable[[str], Any], database: Path) -> None:
    """A question of another industry, withheld as long as nobody has classified it, becomes a trait and votes by one row."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            """
            insert into staging.stg_survey_answers
            values ('silent', 'Engine_At_Home', ' Electric', 'survey', '2017-03-01 10:00:00', '2017-03-01'),
                ('silent', 'leisure', 'gaming', 'survey', '2017-03-01 10:00:00', '2017-03-01')
            """
        )
    assert night("2018-01-02")["silent"] == ("unknown", "unknown", "gaming")

    with duckdb.connect(str(database)) as connection:
        connection.execute(
            """
            insert into rules.survey_traits (question, answer, trait_family, trait, trait_group, classification)
            values ('engine_at_home', 'electric', 'attitude', 'drives_electric', 'technology', 'ordinary')
            """
        )
    assert night("2018-01-02")["silent"] == ("unknown", "technology", "drives_electric, gaming")


def test_the_check_of_stated_texts_names_every_unlisted_one(night: Callable[[str], Any], dbt: Dbt, database: Path) -> None:
    """Texts that no rule table knows come as a warning, one row each; a question of a special category shows no answer."""
    assert dbt("seed", "--select", "attribute_values", "age_bands", "income_bands", "ticket_topic_needs").success
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from rules.survey_traits where question = 'engine_at_home'")
        connection.execute("delete from staging.stg_survey_answers where question = 'Engine_At_Home'")
        connection.execute(
            """
            insert into staging.stg_survey_answers
            values ('permits', 'favourite_colour', 'blue', 'survey', '2017-03-01 10:00:00', '2017-03-01'),
                ('permits', 'interests', 'falconry', 'survey', '2017-03-01 10:00:00', '2017-03-01'),
                ('silent', 'political_opinion', 'never heard of', 'survey', '2017-03-01 10:00:00', '2017-03-01')
            """
        )
    night("2018-01-02")
    result = dbt("test", "--select", "assert_what_customers_state_is_in_the_rule_tables", "--store-failures")
    tests = results_of_tests(result)
    assert [each.status for each in tests] == ["warn"]
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.table(tests[0].node.relation_name).project("seed, of_what, text_as_it_came").fetchall()
    assert sorted(found) == [
        ("age_bands", "age_band", "quite young"),
        ("attribute_values", "children", "a few"),
        ("attribute_values", "job_level", "guru"),
        ("survey_traits", "answer to interests", "falconry"),
        ("survey_traits", "question", "favourite_colour"),
        ("ticket_topic_needs", "topic", "parking"),
    ]


def test_the_check_of_rule_tables_finds_planted_mistakes(night: Callable[[str], Any], dbt: Dbt, database: Path) -> None:
    check = "assert_rule_tables_about_people_are_sound"
    assert dbt("seed", "--select", f"+{check}").success
    assert dbt("test", "--select", check).success

    mistakes = [
        "update rules.age_groups set age_from = 26 where age_group = '25_34'",
        "update rules.socio_economic_rules set score_to = 31 where segment = 'low'",
        "insert into rules.socio_economic_income_scores (country, income_from, income_to, score) values ('br', 10, 1000000, 50)",
        "insert into rules.survey_traits select * from rules.survey_traits where question = 'values' and answer = 'nature'",
        "update rules.category_needs set category = 'Baby' where category = 'baby'",
        "insert into rules.survey_traits (question, answer, trait, classification) values ('faith', 'a', 'a', 'special_category')",
        "insert into rules.survey_traits (question, answer, trait, classification) values ('faith', 'b', 'b', 'ordinary')",
    ]
    with duckdb.connect(str(database)) as connection:
        for mistake in mistakes:
            connection.execute(mistake)
    result = dbt("test", "--select", check)
    # The last two are one mistake: a question that is special and ordinary at once.
    assert [each.failures for each in results_of_tests(result)] == [len(mistakes) - 1]
