"""Who is in a delivery: over several nights of random rows, exactly those whom the rules in plain Python allow. And every edge by name."""

import copy
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.delivery.export import export_audience
from tests.python.deliveries.world import (
    Raw,
    Shop,
    at,
    is_held_out,
    local,
    may_be_written_to,
    read_folder,
    to_deliver,
)

FIRST = date(2025, 10, 25)  # the clocks go back on the next day, so that it has 25 hours
NIGHTLY = ("ambassadors", "birthdays_next_7_days", "cart_abandoners")
CUSTOMERS = [f"customer_{number:02}" for number in range(60)]


def people(chance: random.Random) -> dict[str, tuple[str | None, str | None]]:
    """Customers with addresses of their own, shared, written otherwise, or none."""
    found: dict[str, tuple[str | None, str | None]] = {}
    for number, name in enumerate(CUSTOMERS):
        email: str | None = f"person{number if number % 5 else number // 10}@example.com"
        phone: str | None = f"+49 (0) 170/{1000000 + (number if number % 7 else 0)}"
        if number % 2:
            email, phone = f" {str(email).upper()}", str(phone).replace("+", "00")
        if chance.random() < 0.1:
            email, phone = chance.choice([None, "", "none"]), chance.choice([None, "0170 1234567"])
        found[name] = (email, phone)
    return found


def what_happens(raw: Raw, chance: random.Random, day: date, share: float) -> None:
    """Consents, messages, unsubscriptions and erasures of a day, most of them near midnight."""

    def moment() -> str:
        return chance.choice(["00:00", "00:30", "02:30", "09:00", "21:00", "23:30", "23:59"])

    for name in CUSTOMERS:
        if chance.random() < share:
            channel = chance.choice(["email", "sms", "post", "any"])
            raw.consents.append((name, "marketing", channel, chance.random() < 0.75, local(day, moment())))
        if chance.random() < share:
            channel = chance.choice(["email", "sms", "post", "push"])
            sent = local(day, moment())
            later = sent + timedelta(minutes=chance.choice([1, 60, 1440]))
            raw.contacts.append((name, "c", channel, sent, later if chance.random() < 0.1 else None))
        if chance.random() < share / 20:
            raw.erasures.append((name, local(day, moment())))


@pytest.mark.parametrize("seed", [1, 2])
def test_over_several_nights_exactly_the_allowed_are_delivered(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    shop = Shop(tmp_path / "home")
    shop.raw.customers = people(chance)
    for name in CUSTOMERS:
        shop.raw.consents.append((name, "marketing", "any", chance.random() < 0.95, local(date(2025, 1, 1))))
    for back in range(1, 8):
        what_happens(shop.raw, chance, FIRST - timedelta(days=back), 0.1)
    delivered: dict[str, set[str]] = {audience: set() for audience in NIGHTLY}
    for night in range(3):
        day = FIRST + timedelta(days=night)
        members = {audience: sorted(chance.sample(CUSTOMERS, 45)) for audience in NIGHTLY}
        shop.night(day, members)
        raw_of_build = copy.deepcopy(shop.raw)
        # Twice a day: as the night left it, and after more of the day has landed without a build.
        for hour in ("09:00", "18:00"):
            for audience in NIGHTLY:
                exported = export_audience(shop.home, audience, str(tmp_path / "to"), now=at(day, hour))
                received = read_folder(tmp_path / "to" / audience)
                assert received.members == to_deliver(raw_of_build, shop.raw, audience, members[audience], day, day), (audience, day, hour)
                assert (delivered[audience] | received.added) - received.removed == received.members
                assert exported.was_delivered or received.removed == delivered[audience] - received.members
                delivered[audience] = received.members
            what_happens(shop.raw, chance, day, 0.15)
            shop.land()
    assert any(delivered.values())


DAY = date(2025, 10, 27)
LONG_AGO = local(date(2025, 1, 1))
Happens = Callable[[Raw, str], None]


def nothing(raw: Raw, who: str) -> None:
    pass


def mails(*moments: tuple[int, str]) -> Happens:
    """Messages by e-mail: so many days before the day, and the time."""

    def happens(raw: Raw, who: str) -> None:
        raw.contacts += [(who, "mails", None, local(DAY - timedelta(days=days), clock), None) for days, clock in moments]

    return happens


def pushes(count: int) -> Happens:
    """Messages of the day by another channel."""
    return lambda raw, who: raw.contacts.extend((who, "c", "push", local(DAY, "08:00"), None) for _ in range(count))


def says(is_granted: bool, when: datetime, channel: str = "email", purpose: str = "marketing") -> Happens:
    return lambda raw, who: raw.consents.append((who, purpose, channel, is_granted, when))


def both(first: Happens, second: Happens) -> Happens:
    def happens(raw: Raw, who: str) -> None:
        first(raw, who)
        second(raw, who)

    return happens


def address_of(who: str) -> str:
    """An e-mail address made of what somebody is called."""
    return f"{who.replace(' ', '.').replace(',', '')}@example.com"


def moves_to(email: str | None) -> Happens:
    return lambda raw, who: raw.customers.update({who: (email, None)})


def written_otherwise(raw: Raw, who: str) -> None:
    raw.customers[who] = (f" {address_of(who).title()}", None)


def unsubscribes(campaign: str) -> Happens:
    return lambda raw, who: raw.contacts.append((who, campaign, None, local(date(2025, 9, 1)), local(DAY, "08:00")))


def asks_to_be_erased(raw: Raw, who: str) -> None:
    raw.erasures.append((who, local(DAY, "08:00")))


def says_no_more_than_before(raw: Raw, who: str) -> None:
    raw.consents = [row for row in raw.consents if row[0] != who]


def opens_another_account(raw: Raw, who: str) -> None:
    raw.customers[f"{who}, again"] = (f"{address_of(who).upper()} ", None)


def writes_to_another_account(raw: Raw, who: str) -> None:
    again = f"{who}, again"
    raw.customers[again] = (address_of(who), None)
    raw.consents.append((again, "marketing", "email", True, LONG_AGO))
    mails((0, "08:00"), (0, "09:00"))(raw, again)


# What happens to somebody who agreed, and what then holds a delivery at ten o'clock back; None for nothing.
# The limits of e-mail are two messages on a day and days with messages three of seven, of all channels three and four.
LIMITED: dict[str, tuple[Happens, str | None]] = {
    "never written to": (nothing, None),
    "once on the day": (mails((0, "09:00")), None),
    # Its first moment is 23:00 UTC of the day before.
    "twice on the day": (mails((0, "00:00"), (0, "09:00")), "contact_limit"),
    "once on the day, and a minute before it": (mails((0, "00:00"), (1, "23:59")), None),
    "on two days before": (mails((1, "00:00"), (3, "12:00")), None),
    # One message more is on the same third day.
    "on two days before and on the day": (mails((1, "00:00"), (3, "12:00"), (0, "08:00")), None),
    "on three days, the last from its first moment": (mails((1, "23:59"), (3, "12:00"), (6, "00:00")), "contact_limit"),
    "on three days, the last a minute too early": (mails((1, "23:59"), (3, "12:00"), (7, "23:59")), None),
    # The clocks go back on the day before.
    "thrice on the day of 25 hours": (mails((1, "00:00"), (1, "02:30"), (1, "23:59"), (2, "12:00")), None),
    "two of three of all channels": (pushes(2), None),
    "three of three of all channels": (pushes(3), "contact_limit"),
}
SINCE: dict[str, tuple[Happens, str | None]] = {
    "no at the first moment": (says(False, local(DAY, "00:00")), "no_consent"),
    "no to any channel": (says(False, local(DAY, "09:00"), "any"), "no_consent"),
    "no of before that lands late": (says(False, local(date(2025, 6, 1))), "no_consent"),
    "yes that is no longer there": (says_no_more_than_before, "no_consent"),
    "unsubscribed": (unsubscribes("mails"), "unsubscribed"),
    "erased": (asks_to_be_erased, "erased"),
    "moved": (moves_to("elsewhere@example.com"), "address_changed"),
    "moved away": (moves_to(None), "no_address"),
    "second account that nobody asked": (opens_another_account, "address_barred"),
    "second account that is written to": (writes_to_another_account, "contact_limit"),
    "no to text messages": (says(False, local(DAY, "08:00"), "sms"), None),
    "no to profiling": (says(False, local(DAY, "08:00"), "any", "profiling"), None),
    "unsubscribed from letters": (unsubscribes("letters"), None),
    "no and yes again": (both(says(False, local(DAY, "08:00")), says(True, local(DAY, "08:01"), "any")), "no_consent"),
    "no and yes again the day before": (
        both(says(False, local(DAY - timedelta(days=1), "00:00")), says(True, local(DAY - timedelta(days=1), "23:59"))),
        None,
    ),
    "no that is dated after the day": (says(False, local(DAY + timedelta(days=3), "08:00")), "no_consent"),
    "no to a channel that nobody knows": (says(False, local(DAY, "08:00"), "carrier pigeon"), "no_consent"),
    "no contact, put down as a yes": (says(True, local(DAY, "08:00"), "do not contact"), "no_consent"),
    "no in a row that cannot be read": (lambda raw, who: raw.unreadable_refusals.append(who), "no_consent"),
    "unsubscribed from who knows what": (unsubscribes("unheard of"), "unsubscribed"),
    "written otherwise": (written_otherwise, None),
}


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Everybody of the tables above, in a build of the day; what happens since has landed after it. Limits are met before and since."""
    shop = Shop(tmp_path_factory.mktemp("edges") / "home")
    raw = shop.raw
    for who in (*(f"{who}, known" for who in LIMITED), *LIMITED, *SINCE, "not yet"):
        raw.customers[who] = (address_of(who), None)
        raw.consents.append((who, "marketing", "any", True, LONG_AGO))
    says(False, local(date(2025, 6, 1)))(raw, "not yet")
    for who, (happens, _) in LIMITED.items():
        happens(raw, f"{who}, known")
    shop.night(DAY, {"full_price_loyal_customers": list(raw.customers)})
    for who, (happens, _) in (LIMITED | SINCE).items():
        happens(raw, who)
    says(True, local(DAY, "08:00"))(raw, "not yet")
    shop.land()
    return shop


def delivered_at(shop: Shop, folder: Path, clock: str, audience: str = "full_price_loyal_customers") -> tuple[set[str], dict[str, int]]:
    """Whom a delivery at this time of the day reaches, and what holds back how many others."""
    exported = export_audience(shop.home, audience, str(folder), now=at(DAY, clock))
    received = read_folder(folder / audience)
    names = {hashlib.sha256(address_of(who).encode()).hexdigest(): who for who in shop.raw.customers}
    return {names[each] for each in received.members}, dict(exported.delivery.held_back)


def test_each_edge_of_limits_and_of_what_landed_since_the_build(edges: Shop, tmp_path: Path) -> None:
    """A message that the build knew of counts like one that landed since. A yes that landed since waits for the night that counts it."""
    reached, held_back = delivered_at(edges, tmp_path, "10:00")
    expected = {who for who, (_, reason) in (LIMITED | SINCE).items() if reason is None}
    assert reached == expected | {f"{who}, known" for who, (_, reason) in LIMITED.items() if reason is None}
    reasons = Counter(reason for _, reason in (LIMITED | LIMITED | SINCE).values() if reason)
    # The build itself holds back who was on three days before: it knew.
    known = Counter(reason for who, (_, reason) in LIMITED.items() if reason and who != "on three days, the last from its first moment")
    assert held_back == reasons + known


def test_a_delivery_in_quiet_hours_counts_for_the_day_on_which_it_may_go(edges: Shop, tmp_path: Path) -> None:
    """At nine in the evening a message has to wait for the next morning: today is then one of the six days before."""
    before, _ = delivered_at(edges, tmp_path / "before", "20:59")
    after, _ = delivered_at(edges, tmp_path / "after", "21:00")
    assert after - before == {
        "no and yes again",
        "twice on the day",
        "twice on the day, known",
        "on three days, the last from its first moment",
        "three of three of all channels",
        "three of three of all channels, known",
        "second account that is written to",
    }
    assert before - after == {"on two days before and on the day", "on two days before and on the day, known"}


def test_whoever_is_held_out_holds_back_the_other_readers_of_the_mail(tmp_path: Path) -> None:
    held_out = next(name for name in CUSTOMERS if is_held_out("ambassadors", name))
    reached = next(name for name in CUSTOMERS if not is_held_out("ambassadors", name))
    alone = next(name for name in reversed(CUSTOMERS) if not is_held_out("ambassadors", name))
    shop = Shop(tmp_path / "home")
    shop.raw = Raw({name: (f"{reached if name == held_out else name}@example.com", None) for name in (held_out, reached, alone)})
    shop.raw.consents = [(name, "marketing", "email", True, LONG_AGO) for name in shop.raw.customers]
    assert all(may_be_written_to(shop.raw, name, "email", DAY) for name in shop.raw.customers)
    shop.night(DAY, {"ambassadors": list(shop.raw.customers)})
    assert delivered_at(shop, tmp_path / "to", "10:00", "ambassadors") == ({alone}, {})


def test_without_a_working_database_the_build_alone_decides(edges: Shop, tmp_path: Path) -> None:
    """A home that only serves: nothing later is known there."""
    aside = edges.database.rename(edges.database.with_name("aside"))
    try:
        reached, held_back = delivered_at(edges, tmp_path, "10:00")
    finally:
        aside.rename(edges.database)
    assert held_back == {}
    assert {"erased", "unsubscribed", "no to any channel"} <= reached
    assert "not yet" not in reached
