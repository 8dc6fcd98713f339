"""How often the segments are right: published segments against the truth planted in a synthetic retailer.

`python -m benchmarks.recovery --source DIR --home HOME` reads what a night published below HOME and the truth that `segments generate`
wrote below DIR, and prints one line per question. No model reads the truth. docs/recovery.md holds the numbers and what they mean.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.errors import UnusableInput
from orchestration.sql import quote_file, quote_literal

MINIMUM_WIDTH = 110  # columns of text


@dataclass(frozen=True)
class Question:
    """One comparison of a segmentation with what was planted.

    The texts are SQL over `truth` (one row per customer of truth/customer_truth.parquet) and `published` (one row of the segment table).

    Attributes:
        name: how the table calls it.
        table: the published table, one row per customer with a column `segment`.
        truth: what was planted.
        segment: what the segmentation says.
        asked: of whom the question is asked. Everybody whose truth is not null, unless said otherwise.
        unplaced: codes that say "not enough evidence"; who has one is asked but not placed.
        codes: truth value to the segment codes that are right for it, where these are not the truth value itself.
    """

    name: str
    table: str
    truth: str
    segment: str = "published.segment"
    asked: str = "true"
    unplaced: tuple[str, ...] = ("unknown",)
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Recovery:
    """What one question measured.

    Attributes:
        name: of the question.
        customers: asked.
        placed: of these, with enough evidence for a segment.
        right: share of the placed with the right segment, 0 to 1; None where nobody was placed.
        majority: share that would be right if all placed were given the truth most frequent among them.
    """

    name: str
    customers: int
    placed: int
    right: float | None
    majority: float | None

    @property
    def lift(self) -> float | None:
        """Right over majority; 1 is no better than a guess that knows the frequencies."""
        return self.right / self.majority if self.right is not None and self.majority else None


# A truth is compared as it was planted, a cause that the rows may not show yet, unless a comment says otherwise.
QUESTIONS: tuple[Question, ...] = (
    # The method planted, `mixed` where none leads. `other` would be a method of its own that was never planted, hence wrong.
    Question("payment", "payment_preference_segments", "truth.payment_preference"),
    # The channel planted; omnichannel where none leads.
    Question("channel", "channel_preference_segments", "truth.channel_preference"),
    # How often promotions are chosen, which is planted apart from how deep they have to be.
    Question("promotion", "promotion_affinity_segments", "truth.promotion_type"),
    # At which depth a discount is taken up.
    Question("price sensitivity", "price_sensitivity_segments", "truth.price_sensitivity"),
    # The tier of quality chosen most.
    Question("quality", "quality_preference_segments", "truth.quality_preference"),
    # The habit planted, whether or not a window has come since the customer did.
    Question("holiday", "holiday_buying_segments", "truth.holiday_behaviour"),
    # The leading category planted; `broad` has none and must be called broad.
    Question("category", "category_affinity_segments", "truth.category_affinity"),
    # The process planted, of everybody who has bought by the end: who never did shows no rhythm, and `none` is trivially right.
    Question("rhythm", "purchase_rhythm_segments", "truth.rhythm", asked="truth.rhythm <> 'none'", unplaced=("none",)),
    # The same of those who can show it: the segment speaks of now, and a permanent customer who has left buys no more. Living, and four
    # purchase days within four months or more of history.
    Question(
        "rhythm, living and known",
        "purchase_rhythm_segments",
        "truth.rhythm",
        asked="truth.is_alive and published.purchase_days >= 4 and date_diff('day', truth.first_ordered_on, published.as_of_date) >= 120",
        unplaced=("none",),
    ),
    # Stages follow from events, so the truth is the stage by the true events (before the rows were spoilt), not a cause.
    Question("journey stage", "journey_stage_segments", "truth.journey_stage", unplaced=()),
    # Whether the customer is still one. Only who is silent for four usual gaps or more is said to have left; `new` and `at_risk` are not.
    Question(
        "loyalty: still a customer",
        "loyalty_status_segments",
        "case when truth.is_alive then 'alive' else 'left' end",
        asked="truth.is_alive is not null",
        unplaced=("none",),
        codes={"alive": ("new", "occasional", "regular", "loyal", "at_risk"), "left": ("lapsed", "lost")},
    ),
    # A change is planted in permanent customers of 400 days or more only; of all others random gaps would be asked for a trend. Who has
    # left meanwhile has stopped, whatever was planted. `declining_from_high` says more than what was planted, and is right.
    Question(
        "value trend",
        "value_trend_segments",
        "truth.value_trend",
        asked="truth.rhythm = 'permanent' and truth.is_alive and date_diff('day', truth.acquired_on, published.as_of_date) >= 400",
        unplaced=("none", "new", "inactive"),
        codes={"declining": ("declining", "declining_from_high")},
    ),
    # The type planted. Nobody can show it without a message, so who was never sent one is truly never contacted, whatever the type.
    Question(
        "campaign response",
        "campaign_response_segments",
        "case when truth.contact_count = 0 then 'never_contacted' else truth.campaign_response end",
    ),
    # The same of those whose type the messages can show: three messages or more, and a responder to whom an order is truly credited.
    Question(
        "campaign response, shown",
        "campaign_response_segments",
        "truth.campaign_response",
        asked="truth.contact_count >= 3 and (truth.campaign_response <> 'responder' or truth.conversion_count > 0)",
    ),
    # The channel preferred, stated or not; `none` is the wish for no contact and is a preference like the others.
    Question("contact preference", "contact_preference_segments", "truth.contact_preference"),
    # Where the customer enrolled.
    Question("enrolment", "enrolment_segments", "truth.enrolment_channel"),
    # The state at the end: who was active by habit and has stopped is dormant.
    Question("programme engagement", "programme_engagement_segments", "truth.programme_engagement"),
    # The same of members: most others are recognised by having no account.
    Question(
        "programme engagement, members",
        "programme_engagement_segments",
        "truth.programme_engagement",
        asked="truth.programme_engagement <> 'not_a_member'",
    ),
    # What was planted in those who say something. `unknown` in the truth is silence, not an opinion that could be missed.
    Question("advocacy", "advocacy_segments", "truth.advocacy", asked="truth.advocacy <> 'unknown'"),
    # Life stage. Two adults of whom nobody said that they are a couple are a shared home: no such home is planted, so the segment names
    # the age and leaves the household open. It is counted as wrong all the same, because it is published as an answer.
    Question("demographic: life stage", "demographic_segments", "truth.life_stage"),
    # The band of the planted income; education, occupation and home agree with it by chance only.
    Question("socio-economic", "socio_economic_segments", "truth.socio_economic_band"),
    # The group planted; answers equal in two groups are `mixed`, which names none.
    Question("psychographic", "psychographic_segments", "truth.psychographic_group", unplaced=("unknown", "mixed")),
    # Asked of those whose answers may be used: without the permission no evidence may count, and that is right.
    Question(
        "socio-cultural",
        "socio_cultural_segments",
        "truth.socio_cultural_group",
        asked="truth.is_special_category_permitted",
        unplaced=("unknown", "not_permitted", "mixed"),
    ),
    # The leading need planted, whichever way it shows.
    Question("needs", "needs_segments", "truth.need"),
    # Market and climate of home together, as the segment says them; a market of an unknown climate is not placed.
    Question(
        "geographic: market and climate",
        "geographic_segments",
        "truth.market || '_' || truth.climate",
        segment="case when published.market is not null and published.climate is not null then published.segment else 'unknown' end",
    ),
)

MEASURE = """
with
    compared as (
        select
            {truth} as planted,
            {segment} as said
        from segments.published.{table} as published
        inner join truth using (customer_id)
        where ({asked}) and ({truth}) is not null
    ),

    right_codes as (
        select
            unnest($planted_values::varchar[]) as planted,
            unnest($right_codes::varchar[]) as code
    ),

    judged as (
        select
            compared.planted,
            not list_contains($unplaced::varchar[], compared.said) as is_placed,
            case
                when compared.planted in (select right_codes.planted from right_codes)
                    then (compared.planted, compared.said) in (select (right_codes.planted, right_codes.code) from right_codes)
                else compared.planted = compared.said
            end as is_right
        from compared
    ),

    planted_values as (
        select count(*) as customers
        from judged
        where is_placed
        group by planted
    )

select
    count(*) as customers,
    count(*) filter (where is_placed) as placed,
    count(*) filter (where is_placed and is_right) as right_ones,
    coalesce((select max(planted_values.customers) from planted_values), 0) as most_frequent
from judged
"""


def open_both(source: Path, home: Path) -> duckdb.DuckDBPyConnection:
    """Open the published segments (read-only, as `segments.published`) with the truth beside them as view `truth`.

    Raises:
        UnusableInput: one of the two is not there.
    """
    segments = home / "serving" / "segments.duckdb"
    truth = source / "truth" / "customer_truth.parquet"
    if not segments.is_file():
        raise UnusableInput(f"Nothing is published below {home}; run `segments nightly --source {source} --home {home}` first.")
    if not truth.is_file():
        raise UnusableInput(f"{source} holds no planted truth ({truth} is missing); write a retailer with `segments generate {source}`.")
    connection = duckdb.connect()
    connection.execute(f"attach {quote_literal(str(segments))} as segments (read_only)")
    connection.execute(f"create view truth as select * from read_parquet({quote_file(str(truth))})")
    return connection


def measure(connection: duckdb.DuckDBPyConnection, question: Question) -> Recovery:
    """Ask one question of an opened pair (see `open_both`)."""
    right_codes = [(planted, code) for planted, codes in question.codes.items() for code in codes]
    rows = connection.execute(
        MEASURE.format(truth=question.truth, segment=question.segment, table=question.table, asked=question.asked),
        {
            "planted_values": [planted for planted, _ in right_codes],
            "right_codes": [code for _, code in right_codes],
            "unplaced": list(question.unplaced),
        },
    ).fetchall()
    customers, placed, right, most_frequent = rows[0]
    return Recovery(question.name, customers, placed, right / placed if placed else None, most_frequent / placed if placed else None)


def as_table(recoveries: list[Recovery]) -> Table:
    """The measured numbers, shares in percent, one line per question."""

    def percent(share: float | None) -> str:
        return "-" if share is None else f"{100 * share:.0f} %"

    table = Table(title="Planted truth found again")
    table.add_column("segmentation", no_wrap=True)
    for heading in ("customers", "placed", "placed right", "majority guess", "lift"):
        table.add_column(heading, justify="right", no_wrap=True)
    for recovery in recoveries:
        table.add_row(
            recovery.name,
            f"{recovery.customers:,}",
            f"{recovery.placed:,}",
            percent(recovery.right),
            percent(recovery.majority),
            "-" if recovery.lift is None else f"{recovery.lift:.2f}",
        )
    return table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--source", type=click.Path(path_type=Path), required=True, help="Folder that `segments generate` wrote.")
@click.option("--home", type=click.Path(path_type=Path), required=True, help="Home folder of the night that was run on it.")
def main(source: Path, home: Path) -> None:
    """Print how often each segmentation finds the truth planted in a synthetic retailer."""
    try:
        with open_both(source, home) as connection:
            recoveries = [measure(connection, question) for question in QUESTIONS]
    except UnusableInput as error:
        click.echo(f"recovery: {error}", err=True)
        sys.exit(2)
    # A file or a log has no width of its own; the 80 columns assumed for it would cut the numbers.
    Console(width=max(Console().width, MINIMUM_WIDTH)).print(as_table(recoveries))


if __name__ == "__main__":
    main()
