"""How a delivery gets there: whole or not at all, once, with the changes since the last one, through real folders and a real server."""

import copy
import dataclasses
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
from click.testing import CliRunner
from fsspec.implementations.memory import MemoryFileSystem

from orchestration.cli import main
from orchestration.delivery import destinations, export, members
from orchestration.delivery.export import export_audience
from orchestration.delivery.records import DELIVERED, Delivery, list_deliveries, write_delivery
from orchestration.errors import DeliveryFailed, HomeInUse, UnusableInput
from orchestration.ingest.landing import MANIFEST_FILE, Batch
from orchestration.publishing.builds import rollback
from orchestration.publishing.lock import home_lock
from orchestration.quality.operations import record_deliveries
from orchestration.settings import PROJECT_DIR, Settings
from tests.python.deliveries.world import Shop, at, key, local, read_folder

DAY = date(2025, 10, 27)
AUDIENCE = "full_price_loyal_customers"
FIRST = [f"customer_{number}" for number in range(12)]
NAMES = [f"customer_{number}" for number in range(15)]


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop with twelve members, after one night."""
    shop = Shop(tmp_path_factory.mktemp("shop") / "home")
    shop.raw.customers = {name: (f"{name}@example.com", None) for name in NAMES}
    shop.raw.consents = [(name, "marketing", "email", True, local(date(2025, 1, 1))) for name in NAMES]
    shop.night(DAY, {AUDIENCE: FIRST})
    return shop


@dataclasses.dataclass
class Home:
    """A home of its own for one test, as the first night left it."""

    shop: Shop
    folder: Path

    def export(self, to: str, days: int = 0, clock: str = "10:00", **options: Any) -> Any:
        return export_audience(self.folder, AUDIENCE, to, now=at(DAY + timedelta(days=days), clock), **options)

    def second_night(self) -> None:
        """One leaves, one withdraws, three come."""
        self.shop.raw.consents.append(("customer_1", "marketing", "email", False, local(DAY)))
        self.shop.night(DAY + timedelta(days=1), {AUDIENCE: NAMES[1:]})

    def withdraw(self, *names: str) -> None:
        """These say no, in rows that land; all others' later words are corrected away."""
        self.shop.raw.consents = [row for row in self.shop.raw.consents if row[3]]
        self.shop.raw.consents += [(name, "marketing", "email", False, local(DAY, "08:00")) for name in names]
        self.shop.land()

    def keys(self, names: list[str], channel: str = "email") -> set[str]:
        return {str(key(self.shop.raw, name, channel)) for name in names}

    def reached_by(self, channel: str, days: int) -> None:
        """A night after which the audience has another channel; everybody has allowed it."""
        raw = self.shop.raw
        raw.customers = {name: (f"{name}@example.com", f"+49170{number:07}") for number, name in enumerate(NAMES)}
        raw.consents += [(name, "marketing", channel, True, local(date(2025, 1, 1))) for name in NAMES]
        self.shop.reach(AUDIENCE, channel)
        self.shop.night(DAY + timedelta(days=days), {AUDIENCE: FIRST})


@pytest.fixture
def home(two_days: Shop, tmp_path: Path) -> Iterator[Home]:
    folder = tmp_path / "home"
    shutil.copytree(two_days.home, folder, symlinks=True)
    shop = copy.copy(two_days)
    shop.home, shop.database, shop.raw = folder, folder / two_days.database.relative_to(two_days.home), copy.deepcopy(two_days.raw)
    yield Home(shop, folder)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once."""
    monkeypatch.setattr(destinations, "RETRY_PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr(destinations, "WEBHOOK_PAUSE_FACTOR", 0.0)


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- folders ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_the_second_delivery_says_who_came_and_who_is_to_be_forgotten(home: Home, tmp_path: Path, file_format: str) -> None:
    to = tmp_path / "to"
    first = home.export(str(to), file_format=file_format)
    received = read_folder(to / AUDIENCE)
    assert received.members == received.added == home.keys(FIRST)
    assert received.removed == set()
    assert received.manifest["since_delivery_id"] is None
    home.second_night()
    home.export(str(to), days=1, file_format=file_format)
    received = read_folder(to / AUDIENCE)
    assert received.members == home.keys(NAMES[2:])
    assert received.added == home.keys(["customer_12", "customer_13", "customer_14"])
    assert received.removed == home.keys(["customer_0", "customer_1"])
    assert received.manifest["since_delivery_id"] == first.delivery.id
    assert received.manifest["as_of_date"] == "2025-10-28"
    assert received.manifest["definition_hash"] == first.delivery.definition_hash


def test_the_same_again_changes_nothing_unless_asked(home: Home, tmp_path: Path) -> None:
    to = tmp_path / "to"
    first = home.export(str(to))
    before = everything_below(to)
    again = home.export(f"file://{to}", clock="18:00")
    assert again.was_delivered
    assert again.summary.startswith("Already delivered")
    assert again.delivery == first.delivery
    assert everything_below(to) == before
    assert len(list_deliveries(home.folder, AUDIENCE)) == 1
    asked = home.export(str(to), again=True)
    assert not asked.was_delivered
    assert asked.delivery.id != first.delivery.id
    received = read_folder(to / AUDIENCE)
    assert (received.members, received.added, received.removed) == (home.keys(FIRST), set(), set())
    assert home.export(str(tmp_path / "elsewhere")).was_delivered is False


def test_no_address_and_no_customer_is_in_a_delivery(home: Home, tmp_path: Path) -> None:
    home.export(str(tmp_path / "to"), file_format="csv")
    told = b"".join(everything_below(tmp_path / "to").values()).decode()
    assert "example.com" not in told
    assert "customer_" not in told.replace(AUDIENCE, "")


def test_a_kill_before_the_manifest_leaves_nothing_that_counts(home: Home, tmp_path: Path) -> None:
    """The process is really killed; the same command takes the delivery up and ends it, and the next says the right changes."""
    to = tmp_path / "to"
    home.export(str(to))
    before = read_folder(to / AUDIENCE)
    home.second_night()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_THE_MANIFEST, "export", AUDIENCE, "--to", str(to), "--home", str(home.folder)],
        cwd=PROJECT_DIR,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    files = everything_below(to / AUDIENCE)
    assert sum(name.endswith("members.parquet") for name in files) == 2, "it was killed between the files and their manifest"
    assert sum(name.endswith("manifest.json") for name in files) == 1
    assert read_folder(to / AUDIENCE) == before
    assert [each.status for each in list_deliveries(home.folder, AUDIENCE)] == ["delivered", "attempted"]
    done = CliRunner().invoke(main, ["export", AUDIENCE, "--to", str(to), "--home", str(home.folder)])
    assert done.exit_code == 0
    after = read_folder(to / AUDIENCE)
    assert after.members == home.keys(NAMES[2:])
    assert after.removed == home.keys(["customer_0", "customer_1"])
    assert [each.status for each in list_deliveries(home.folder, AUDIENCE)] == ["delivered", "delivered"], "taken up, not begun anew"


KILLED_BEFORE_THE_MANIFEST = """
import os, signal
from orchestration.cli import main
from orchestration.delivery.destinations import FileDestination

write = FileDestination._put

def put(self, path, target):
    if target.name == "manifest.json":
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, path, target)

FileDestination._put = put
main()
"""


class Moody(MemoryFileSystem):
    """A store in memory whose first writes fail as a network does."""

    protocol = "moody"
    failures = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("moody:/")))

    def put_file(self, *arguments: Any, **options: Any) -> Any:
        if Moody.failures:
            Moody.failures -= 1
            raise TimeoutError("the store did not answer")
        return super().put_file(*arguments, **options)


fsspec.register_implementation("moody", Moody, clobber=True)


def test_a_store_is_written_through_fsspec_and_tried_again(home: Home) -> None:
    Moody.failures = 2
    exported = home.export("moody://bucket/audiences")
    assert exported.delivery.status == "delivered"
    files = Moody()
    latest = json.loads(files.cat(f"/bucket/audiences/{AUDIENCE}/latest.json"))
    manifest = json.loads(files.cat(f"/bucket/audiences/{AUDIENCE}/{latest['manifest']}"))
    for file in manifest["files"]:
        content = files.cat(f"/bucket/audiences/{AUDIENCE}/{exported.delivery.id}/{file['name']}")
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_what_an_unfinished_attempt_may_have_brought_is_taken_back(home: Home) -> None:
    """The attempt failed after its files had arrived. Before the next one a member withdraws: the destination is told to forget."""
    Moody.failures = 0
    home.export("moody://other/place")
    home.second_night()
    Moody.failures = 100
    with pytest.raises(DeliveryFailed):
        home.export("moody://other/place", days=1)
    Moody.failures = 0
    home.shop.raw.erasures.append(("customer_14", local(DAY + timedelta(days=1))))
    home.shop.land()
    exported = home.export("moody://other/place", days=1, clock="15:00")
    assert exported.delivery.held_back == {"erased": 1}
    assert (exported.delivery.previous, exported.delivery.added, exported.delivery.removed) == (12, 2, 3)
    assert exported.delivery.removed_of_unfinished == 1
    assert [each.status for each in list_deliveries(home.folder, AUDIENCE)] == ["delivered", "failed", "delivered"]


@pytest.mark.parametrize("is_named", [True, False])
def test_by_another_key_a_delivery_is_a_first_one(home: Home, tmp_path: Path, is_named: bool) -> None:
    """Whether the record names the key, or is of before it did. The way back is a first one as well."""
    to = tmp_path / "to"
    first = home.export(str(to)).delivery
    if not is_named:
        record = home.folder / "deliveries" / AUDIENCE / first.id / "delivery.json"
        record.write_text(record.read_text(encoding="utf-8").replace('"key": "email_sha256"', '"key": ""'), encoding="utf-8")
    for days, channel, column, old in ((1, "sms", "phone_sha256", "email_sha256"), (2, "email", "email_sha256", "phone_sha256")):
        home.reached_by(channel, days)
        exported = home.export(str(to), days=days)
        received = read_folder(to / AUDIENCE)
        assert received.members == received.added == home.keys(FIRST, channel)
        assert received.removed == set()
        manifest = received.manifest
        assert (manifest["key"]["column"], manifest["since_delivery_id"], manifest["counts"]["previous"]) == (column, None, 0)
        assert f"brought by {old}, this delivery by {column} does not take back" in exported.summary
        assert home.export(str(to), days=days, clock="11:00").was_delivered
    home.second_night()
    assert home.export(str(to), days=3).delivery.previous == 12


def test_an_attempt_by_another_key_takes_nobody_back_but_all_have_to_be_added_again(
    home: Home, tmp_path: Path, dies_at_its_end: Callable[..., None]
) -> None:
    """Its receiver has forgotten whom it had by the key of before."""
    to = tmp_path / "to"
    first = home.export(str(to)).delivery
    home.reached_by("sms", 1)
    dies_at_its_end(home, str(to), days=1)
    rollback(home.folder, first.build_id)
    home.withdraw("customer_3")
    home.export(str(to), days=1, clock="10:01")
    received = read_folder(to / AUDIENCE)
    assert received.members == received.added == home.keys(FIRST) - home.keys(["customer_3"])
    assert received.removed == home.keys(["customer_3"])
    assert received.manifest["since_delivery_id"] == first.id


class Died(BaseException):
    """The process is gone."""


@pytest.fixture
def dies_at_its_end(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Deliver, and die when all of it is there, before that is recorded."""

    def deliver(home: Home, to: str, **options: Any) -> None:
        def write(folder: Path, delivery: Delivery) -> None:
            if delivery.status == DELIVERED:
                raise Died
            write_delivery(folder, delivery)

        with monkeypatch.context() as patched:
            patched.setattr(export, "write_delivery", write)
            with pytest.raises(Died):
                home.export(to, **options)

    return deliver


def test_who_came_with_an_attempt_that_was_never_recorded_as_delivered_and_withdraws_is_taken_back(
    home: Home, tmp_path: Path, dies_at_its_end: Callable[..., None]
) -> None:
    """The keys are those of the last delivery once more. But the destination stands at the attempt since."""
    to = tmp_path / "to"
    home.withdraw("customer_3")
    home.export(str(to))
    home.withdraw()
    dies_at_its_end(home, str(to), clock="10:01")
    assert read_folder(to / AUDIENCE).members == home.keys(FIRST)
    home.withdraw("customer_3")
    exported = home.export(str(to), clock="10:02")
    received = read_folder(to / AUDIENCE)
    assert (exported.was_delivered, exported.delivery.removed_of_unfinished) == (False, 1)
    assert (received.added, received.removed) == (set(), home.keys(["customer_3"]))
    assert received.members == home.keys(FIRST) - received.removed
    assert home.export(str(to), clock="10:03").was_delivered


@pytest.mark.parametrize("also_withdraws", [[], ["customer_5"]])
def test_whom_an_attempt_that_was_never_recorded_as_delivered_took_back_is_added_again(
    home: Home, tmp_path: Path, dies_at_its_end: Callable[..., None], also_withdraws: list[str]
) -> None:
    to = tmp_path / "to"
    home.export(str(to))
    home.withdraw("customer_3")
    dies_at_its_end(home, str(to), clock="10:01")
    assert read_folder(to / AUDIENCE).removed == home.keys(["customer_3"])
    home.withdraw(*also_withdraws)
    exported = home.export(str(to), clock="10:02")
    received = read_folder(to / AUDIENCE)
    assert (exported.was_delivered, exported.delivery.added_of_unfinished) == (False, 1)
    assert (received.added, received.removed) == (home.keys(["customer_3"]), home.keys(also_withdraws))
    assert received.members == home.keys(FIRST) - received.removed
    assert home.export(str(to), clock="10:03").was_delivered


def test_a_retirement_that_was_never_recorded_as_delivered_is_delivered_again(
    home: Home, tmp_path: Path, dies_at_its_end: Callable[..., None]
) -> None:
    """And whoever comes back with the audience is added, though the last recorded delivery had them."""
    to = tmp_path / "to"
    home.export(str(to))
    kept = copy.copy(home.shop)
    home.shop.retire(AUDIENCE)
    home.shop.night(DAY + timedelta(days=1), {})
    dies_at_its_end(home, str(to), days=1)
    kept.night(DAY + timedelta(days=2), {AUDIENCE: FIRST})
    home.export(str(to), days=2)
    received = read_folder(to / AUDIENCE)
    assert received.members == received.added == home.keys(FIRST)
    assert received.manifest["counts"]["added_of_unfinished"] == 12


def test_when_a_delivery_may_be_used_stands_in_its_manifest(home: Home, tmp_path: Path) -> None:
    def hours(clock: str) -> dict[str, Any]:
        home.export(str(tmp_path / clock), clock=clock)
        return read_folder(tmp_path / clock / AUDIENCE).manifest

    assert hours("22:00")["not_before"] == "2025-10-28T07:00:00Z"
    inside = hours("10:00")
    assert (inside["not_before"], inside["not_after"]) == ("2025-10-27T09:00:00Z", "2025-10-27T20:00:00Z")
    assert inside["quiet_hours"] == {"from": "21:00", "until": "08:00", "timezone": "Europe/Berlin"}


# --- a webhook -------------------------------------------------------------------------------------------------------------------


class Tool(ThreadingHTTPServer):
    """A sending tool on this machine: it keeps batches, and believes them when the manifest has come."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.answers: list[int] = []
        """What the next requests are answered instead of 200."""
        self.loses_answers = False
        """Whether whoever sends the manifest never learns that it has been believed."""
        self.requests: list[tuple[str, str | None, bytes]] = []
        self.kept: dict[str, bytes] = {}
        self.contacts: set[str] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/audiences?tenant=7"

    def believe(self, manifest: dict[str, Any]) -> None:
        batches = {each["batch"]: each for each in map(json.loads, self.kept.values()) if each["delivery_id"] == manifest["delivery_id"]}
        assert sorted(batches) == [each["batch"] for each in manifest["batches"]]
        for told in manifest["batches"]:
            content = self.kept[f"{manifest['delivery_id']}:{told['batch']}"]
            assert hashlib.sha256(content).hexdigest() == told["sha256"]
        for number in sorted(batches):
            batch = batches[number]
            assert batch["batches"] == len(batches)
            self.contacts = self.contacts - set(batch["keys"]) if batch["kind"] == "removed" else self.contacts | set(batch["keys"])


class Request(BaseHTTPRequestHandler):
    """One request."""

    server: Tool

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        name = self.headers["Idempotency-Key"]
        self.server.requests.append((name, self.headers["Authorization"], content))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200 and name not in self.server.kept:
            document = json.loads(content)
            if document["kind"] == "manifest":
                self.server.believe(document)
            self.server.kept[name] = content
        if self.server.loses_answers and name.endswith(":manifest"):
            status = 500
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def tool() -> Iterator[Tool]:
    with Tool() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_webhook_is_sent_batches_with_their_own_keys_and_the_manifest_last(
    home: Home, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "BATCH_SIZE", 5)
    monkeypatch.setenv("SEGMENTS_WEBHOOK_TOKEN", "a secret")
    tool.answers = [500, 503]  # and then it works
    exported = home.export(tool.address)
    assert tool.contacts == home.keys(FIRST)
    names = [name for name, _, _ in tool.requests]
    own = exported.delivery.id
    assert names == [f"{own}:1", f"{own}:1", f"{own}:1", f"{own}:2", f"{own}:3", f"{own}:manifest"]
    assert {token for _, token, _ in tool.requests} == {"Bearer a secret"}
    documents = [json.loads(content) for _, _, content in tool.requests]
    assert {document["not_before"] for document in documents} == {"2025-10-27T09:00:00Z"}
    assert home.export(tool.address).was_delivered
    assert len(tool.requests) == 6
    home.second_night()
    home.export(tool.address, days=1, clock="22:00")
    assert [json.loads(content)["kind"] for _, _, content in tool.requests[6:]] == ["removed", "added", "manifest"]
    assert tool.contacts == home.keys(NAMES[2:])
    assert json.loads(tool.requests[-1][2])["not_before"] == "2025-10-29T07:00:00Z"
    tool.contacts = set()
    home.export(tool.address, days=1, clock="22:00", again=True)
    assert tool.contacts == home.keys(NAMES[2:])
    recorded = b"".join(path.read_bytes() for path in (home.folder / "deliveries").rglob("*.json"))
    assert b"a secret" not in recorded
    assert b"tenant" not in recorded


def test_a_webhook_that_fails_in_the_middle_believes_nothing_and_is_taken_up(
    home: Home, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "BATCH_SIZE", 5)
    tool.answers = [200] + [500] * 100
    with pytest.raises(DeliveryFailed, match=r"answered 500 6 times"):
        home.export(tool.address)
    assert len(tool.kept) == 1
    assert tool.contacts == set()
    tool.answers = []
    home.export(tool.address, clock="11:00")
    assert tool.contacts == home.keys(FIRST)
    first, second = (content for name, _, content in (tool.requests[0], tool.requests[7]))
    assert first == second, "the same key never says two things"
    assert [each.status for each in list_deliveries(home.folder, AUDIENCE)] == ["delivered"]


def test_an_attempt_whose_hours_are_over_is_begun_anew(home: Home, tool: Tool) -> None:
    tool.answers = [500] * 6
    with pytest.raises(DeliveryFailed):
        home.export(tool.address, clock="20:00")
    home.export(tool.address, clock="21:30")
    assert json.loads(tool.requests[-1][2])["not_before"] == "2025-10-28T07:00:00Z"
    assert tool.contacts == home.keys(FIRST)
    attempted, delivered = sorted({name.partition(":")[0] for name, _, _ in tool.requests})
    assert delivered == f"{attempted}-2"


@pytest.mark.parametrize("seed", [2, 3])
def test_whatever_broke_off_the_tool_has_exactly_the_members_after_the_next_delivery(home: Home, tool: Tool, seed: int) -> None:
    """Members come and go between attempts that do not arrive, arrive without an answer, or arrive."""
    chance = random.Random(seed)  # noqa: S311
    outcomes = []
    for minute in range(20):
        names = chance.sample(FIRST[:3], chance.randint(0, 2))
        home.withdraw(*names)
        ends = chance.choice(["unanswered", "unanswered", "unreachable", "delivered"])
        tool.answers = [500] * 6 if ends == "unreachable" else []
        tool.loses_answers = ends == "unanswered"
        try:
            exported = home.export(tool.address, clock=f"10:{minute:02}")
        except DeliveryFailed:
            outcomes.append(ends)
            continue
        outcomes.append("already" if exported.was_delivered else "delivered")
        assert tool.contacts == home.keys(FIRST) - home.keys(names), (minute, outcomes)
    assert {"unanswered", "unreachable", "delivered"} <= set(outcomes)


def test_an_attempt_is_not_taken_up_after_another_one(home: Home, tool: Tool) -> None:
    """What the tool believed of the first, it would not believe again: that delivery needs an id of its own."""
    home.export(tool.address)
    tool.loses_answers = True
    for minute, names in ((1, ["customer_3"]), (2, [])):
        home.withdraw(*names)
        with pytest.raises(DeliveryFailed):
            home.export(tool.address, clock=f"10:0{minute}")
    tool.loses_answers = False
    assert tool.contacts == home.keys(FIRST)
    home.withdraw("customer_3")
    home.export(tool.address, clock="10:03")
    assert tool.contacts == home.keys(FIRST) - home.keys(["customer_3"])


@pytest.mark.parametrize(("status", "says"), [(401, "refused the delivery with 401"), (302, "refused the delivery with 302")])
def test_a_refusal_is_not_tried_again(home: Home, tool: Tool, status: int, says: str) -> None:
    tool.answers = [status]
    with pytest.raises(UnusableInput, match=says):
        home.export(tool.address)
    assert len(tool.requests) == 1
    (failed,) = list_deliveries(home.folder, AUDIENCE)
    assert (failed.status, failed.finished_at is not None) == ("failed", True)


# --- an audience that is no longer built -----------------------------------------------------------------------------------------


def retired_night(home: Home, days: int = 1) -> None:
    """The audience is removed; on the day before one of its members is erased and one withdraws."""
    home.shop.retire(AUDIENCE)
    home.shop.raw.erasures.append(("customer_1", local(DAY)))
    home.shop.raw.consents.append(("customer_2", "marketing", "email", False, local(DAY)))
    home.shop.night(DAY + timedelta(days=days), {})


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_a_retired_audience_is_delivered_a_last_time_with_nobody_in_it(home: Home, tmp_path: Path, file_format: str) -> None:
    to = tmp_path / "to"
    first = home.export(str(to), file_format=file_format)
    before = read_folder(to / AUDIENCE).manifest
    retired_night(home)
    last = home.export(str(to), days=1, clock="22:00", file_format=file_format)
    received = read_folder(to / AUDIENCE)
    assert (received.members, received.added, received.removed) == (set(), set(), home.keys(FIRST))
    manifest = received.manifest
    assert (before["is_retired"], manifest["is_retired"]) == (False, True)
    of_unfinished = {"removed_of_unfinished": 0, "added_of_unfinished": 0}
    assert manifest["counts"] == {"members": 0, "previous": 12, "added": 0, "removed": 12, **of_unfinished}
    assert (manifest["since_delivery_id"], manifest["as_of_date"]) == (first.delivery.id, "2025-10-28")
    assert manifest["build_id"] != before["build_id"]
    for same in ("name", "purpose", "channel", "key", "definition_hash"):
        assert manifest[same] == before[same]
    assert (manifest["not_before"], manifest["not_after"], manifest["quiet_hours"]) == ("2025-10-28T21:00:00Z", None, None), "nobody waits"
    assert f"{AUDIENCE}, which build {last.delivery.build_id} (as of 2025-10-28) no longer has" in last.summary
    assert "members 0: 0 added, 12 removed" in last.summary
    recorded = [(each.status, each.is_retired, each.members, each.removed) for each in list_deliveries(home.folder, AUDIENCE)]
    assert recorded == [("delivered", False, 12, 0), ("delivered", True, 0, 12)]
    record_deliveries(home.shop.database, list_deliveries(home.folder))
    with duckdb.connect(str(home.shop.database), read_only=True) as connection:
        assert connection.execute("select members, removed from operations.audience_deliveries order by members").fetchone() == (0, 12)


def test_a_retirement_is_delivered_once_whatever_builds_follow(home: Home, tmp_path: Path) -> None:
    to = tmp_path / "to"
    home.export(str(to))
    retired_night(home)
    last = home.export(str(to), days=1)
    before = everything_below(to)
    assert home.export(f"file://{to}", days=1, clock="18:00").was_delivered
    home.shop.night(DAY + timedelta(days=2), {})
    again = home.export(str(to), days=2)
    assert (again.was_delivered, again.delivery) == (True, last.delivery)
    assert again.summary.startswith("Already delivered") and "no longer has" in again.summary
    assert everything_below(to) == before
    asked = home.export(str(to), days=2, again=True)
    assert (asked.was_delivered, asked.delivery.members, asked.delivery.removed) == (False, 0, 0)
    assert read_folder(to / AUDIENCE).manifest["is_retired"]
    assert home.export(str(to), days=2).was_delivered


def test_a_retirement_asks_nothing_of_what_a_night_is_landing(home: Home, tmp_path: Path) -> None:
    home.export(str(tmp_path / "to"))
    retired_night(home)
    with home_lock(home.folder):
        home.export(str(tmp_path / "to"), days=1)
    assert read_folder(tmp_path / "to" / AUDIENCE).removed == home.keys(FIRST)


def test_a_retirement_by_url_takes_back_what_an_unfinished_attempt_may_have_brought(home: Home) -> None:
    Moody.failures = 0
    home.export("moody://retired/place")
    home.second_night()
    Moody.failures = 100
    with pytest.raises(DeliveryFailed):
        home.export("moody://retired/place", days=1)
    retired_night(home, days=2)
    with pytest.raises(DeliveryFailed):
        home.export("moody://retired/place", days=2)
    Moody.failures = 0
    last = home.export("moody://retired/place", days=2, clock="11:00").delivery
    assert (last.members, last.previous, last.removed, last.removed_of_unfinished) == (0, 12, 15, 3)
    files = Moody()
    latest = json.loads(files.cat(f"/retired/place/{AUDIENCE}/latest.json"))
    assert json.loads(files.cat(f"/retired/place/{AUDIENCE}/{latest['manifest']}"))["is_retired"]
    statuses = [(each.status, each.is_retired) for each in list_deliveries(home.folder, AUDIENCE)]
    assert statuses == [("delivered", False), ("failed", False), ("delivered", True)], "the retirement is taken up, not begun anew"
    assert home.export("moody://retired/place", days=2, clock="12:00").was_delivered


def test_a_webhook_forgets_a_retired_audience(home: Home, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "BATCH_SIZE", 5)
    home.export(tool.address)
    assert tool.contacts == home.keys(FIRST)
    retired_night(home)
    tool.answers = [200] + [500] * 6
    with pytest.raises(DeliveryFailed):
        home.export(tool.address, days=1)
    assert tool.contacts == home.keys(FIRST), "nothing counts before the manifest"
    home.export(tool.address, days=1, clock="21:30")
    assert tool.contacts == set()
    manifest = json.loads(tool.requests[-1][2])
    assert manifest["is_retired"]
    assert [each["kind"] for each in manifest["batches"]] == ["removed"] * 3
    sent = len(tool.requests)
    assert home.export(tool.address, days=1, clock="22:00").was_delivered
    assert len(tool.requests) == sent


def test_a_retired_audience_is_taken_back_by_the_key_that_was_delivered(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its channel is addressed by another column since. A record of before columns were entered has it from the keys beside it."""
    for to in ("to", "earlier"):
        home.export(str(tmp_path / to))
    for record in (home.folder / "deliveries" / AUDIENCE).glob("*/delivery.json"):
        document = json.loads(record.read_text(encoding="utf-8"))
        if document["destination"] == str(tmp_path / "earlier"):
            kept = {name: value for name, value in document.items() if name not in ("name", "purpose", "channel", "key", "is_retired")}
            record.write_text(json.dumps(kept), encoding="utf-8")
    retired_night(home)
    monkeypatch.setattr(members, "KEY_COLUMNS", {"email": "email_hash"})
    for to in ("to", "earlier"):
        home.export(str(tmp_path / to), days=1)
        received = read_folder(tmp_path / to / AUDIENCE)
        assert received.removed == home.keys(FIRST)
        assert received.manifest["key"]["column"] == "email_sha256"
    assert (received.manifest["name"], received.manifest["channel"]) == (AUDIENCE, None)


def test_only_where_it_was_delivered_can_a_retired_audience_be_named(home: Home, tmp_path: Path) -> None:
    """Not elsewhere, and not where the only delivery broke off: the destination has never been told anything that counts."""
    home.export(str(tmp_path / "to"))
    Moody.failures = 100
    with pytest.raises(DeliveryFailed):
        home.export("moody://broken/off")
    Moody.failures = 0
    retired_night(home)
    recorded = everything_below(home.folder / "deliveries")
    for to in (str(tmp_path / "elsewhere"), "moody://broken/off"):
        done = CliRunner().invoke(main, ["export", AUDIENCE, "--to", to, "--home", str(home.folder)])
        assert done.exit_code == 2
        assert f"there is no audience '{AUDIENCE}' in the build" in done.stderr
        assert "there are ambassadors, birthdays_next_7_days, " in done.stderr
        assert AUDIENCE not in done.stderr.partition("there are ")[2]
    for name in ("*", "", "..", f"../deliveries/{AUDIENCE}", f"{AUDIENCE[:-1]}?"):
        with pytest.raises(UnusableInput, match="there is no audience"):
            export_audience(home.folder, name, str(tmp_path / "to"))
    assert everything_below(home.folder / "deliveries") == recorded
    assert not (tmp_path / "elsewhere").exists()


def test_a_build_that_does_not_know_the_audience_yet_takes_nobody_back(home: Home, tmp_path: Path) -> None:
    """Of two builds without it, only the one that was begun after the delivered one says that it is gone, whatever days they describe."""
    to = tmp_path / "to"
    without = copy.copy(home.shop)
    without.retire(AUDIENCE)
    before = without.night(DAY + timedelta(days=7), {})
    home.shop.night(DAY, {AUDIENCE: FIRST})
    home.export(str(to))
    delivered = everything_below(to)
    after = without.night(DAY - timedelta(days=7), {})
    rollback(home.folder, before.id)
    with pytest.raises(UnusableInput, match=r"it is no later one than .* serve a later one with `segments rollback BUILD`"):
        home.export(str(to))
    assert everything_below(to) == delivered
    rollback(home.folder, after.id)
    home.export(str(to))
    assert read_folder(to / AUDIENCE).removed == home.keys(FIRST)


def test_an_audience_that_comes_back_is_delivered_whole_and_may_be_retired_again(home: Home, tmp_path: Path) -> None:
    to = tmp_path / "to"
    home.export(str(to))
    kept = copy.copy(home.shop)
    retired_night(home)
    home.export(str(to), days=1)
    kept.night(DAY + timedelta(days=2), {AUDIENCE: FIRST})
    home.export(str(to), days=2)
    received = read_folder(to / AUDIENCE)
    assert received.members == received.added == home.keys([*FIRST[:1], *FIRST[3:]])
    assert not received.manifest["is_retired"]
    home.shop.night(DAY + timedelta(days=3), {})
    home.export(str(to), days=3)
    assert read_folder(to / AUDIENCE).removed == received.members


def test_what_broke_off_after_a_retirement_is_taken_back_by_another_one(home: Home) -> None:
    """It comes back, its delivery fails with its files there, and it is removed again: the retirement of before knows nothing of them."""
    Moody.failures = 0
    home.export("moody://back/again")
    kept = copy.copy(home.shop)
    retired_night(home)
    home.export("moody://back/again", days=1)
    kept.night(DAY + timedelta(days=2), {AUDIENCE: FIRST})
    Moody.failures = 100
    with pytest.raises(DeliveryFailed):
        home.export("moody://back/again", days=2)
    Moody.failures = 0
    home.shop.night(DAY + timedelta(days=3), {})
    last = home.export("moody://back/again", days=3)
    assert (last.was_delivered, last.delivery.previous, last.delivery.removed, last.delivery.removed_of_unfinished) == (False, 0, 10, 10)
    assert home.export("moody://back/again", days=3, clock="11:00").was_delivered


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("drop table published.audiences", "has no audiences that can be delivered"),
        ("delete from published.audiences", "has no audiences that can be delivered"),
        (None, "cannot be read"),
    ],
)
def test_an_unreadable_build_takes_nobody_back(home: Home, tmp_path: Path, fault: str | None, says: str) -> None:
    to = tmp_path / "to"
    home.export(str(to))
    retired_night(home)
    delivered = everything_below(to)
    database = home.folder / "serving" / "segments.duckdb"
    if fault is None:
        database.write_bytes(database.read_bytes()[:5000])
    else:
        with duckdb.connect(str(database)) as connection:
            connection.execute(fault)
    done = CliRunner().invoke(main, ["export", AUDIENCE, "--to", str(to), "--home", str(home.folder)])
    assert done.exit_code == 2
    assert says in done.stderr
    assert everything_below(to) == delivered
    assert len(list_deliveries(home.folder, AUDIENCE)) == 1


def test_a_retirement_does_not_guess_whom_to_take_back(home: Home, tmp_path: Path) -> None:
    to = tmp_path / "to"
    exported = home.export(str(to))
    keys = home.folder / "deliveries" / AUDIENCE / exported.delivery.id / "keys.parquet"
    keys.unlink()
    retired_night(home)
    with pytest.raises(UnusableInput, match="deliver with --again"):
        home.export(str(to), days=1)
    home.export(str(to), days=1, again=True)
    received = read_folder(to / AUDIENCE)
    assert (received.members, received.removed, received.manifest["since_delivery_id"]) == (set(), set(), None)
    record = keys.with_name("delivery.json")
    record.write_text(record.read_text(encoding="utf-8").replace('"email_sha256"', '""'), encoding="utf-8")
    shutil.rmtree(home.folder / "deliveries" / AUDIENCE / received.manifest["delivery_id"])
    with pytest.raises(UnusableInput, match=r"is gone, so nobody knows whom .* must forget: restore it"):
        home.export(str(to), days=1, again=True)


# --- what cannot be done ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["full_price_loyal_customer", "--to", "TO"], "did you mean 'full_price_loyal_customers'?"),
        ([AUDIENCE, "--to", "TO/file"], "cannot be written"),
        ([AUDIENCE, "--to", "s3://bucket/folder"], "Install s3fs"),
        ([AUDIENCE, "--to", "carrier://pigeon"], "Protocol not known: carrier"),
        ([AUDIENCE, "--to", "ftp://user:secret@host/folder"], "ftp://host/folder has a password in it"),
        ([AUDIENCE, "--to", "https://host/hook", "--format", "csv"], "--format is for files"),
        ([AUDIENCE, "--to", "http://host.example/hook"], "use https"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.setenv("SEGMENTS_WEBHOOK_TOKEN", "a secret")
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = CliRunner().invoke(main, ["export", *(each.replace("TO", str(tmp_path)) for each in arguments), "--home", str(home.folder)])
    assert done.exit_code == 2
    assert says in done.stderr
    assert "secret" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_is_delivered_before_anything_is_published_or_while_a_night_is_at_work(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="nothing is published"):
        export_audience(tmp_path / "new", AUDIENCE, str(tmp_path / "to"))
    with home_lock(home.folder), pytest.raises(HomeInUse):
        home.export(str(tmp_path / "to"))
    assert not (tmp_path / "to").exists()
    home.export(str(tmp_path / "to"))


def consents_land(home: Home, rows: int = 1) -> Batch:
    """A batch of consents without what is in it."""
    landed = Batch("consents", "20251027T050000000000Z-b", "shop", "b.csv", "b", rows, 0, datetime(2025, 10, 27, 5), "UTC", (), (), {})
    folder = Settings(home=home.folder).landing("shop") / "consents" / f"batch={landed.batch}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST_FILE).write_text(json.dumps(landed.to_document()), encoding="utf-8")
    return landed


def test_without_the_working_database_nothing_is_delivered_where_rows_have_landed(home: Home, tmp_path: Path) -> None:
    """It would have said who has withdrawn since the build. Where nobody is left, nothing is asked of it."""
    to = tmp_path / "to"
    (Settings(home=home.folder).landing("shop") / "customers" / "batch=contract").mkdir(parents=True)
    consents_land(home, rows=0)
    aside = home.shop.database.rename(tmp_path / "aside")
    home.export(str(to))
    consents_land(home)
    for options in ({}, {"again": True}):
        with pytest.raises(UnusableInput, match=r"warehouse\.duckdb is missing, though rows have landed .* run `segments nightly`"):
            home.export(str(to), **options)
    assert len(list_deliveries(home.folder, AUDIENCE)) == 1
    aside.rename(home.shop.database)
    retired_night(home)
    home.shop.database.unlink()
    home.export(str(to), days=1)
    assert read_folder(to / AUDIENCE).removed == home.keys(FIRST)


def test_nothing_is_delivered_while_a_no_may_have_landed_that_is_not_staged(home: Home, tmp_path: Path) -> None:
    """A night broke off between landing and staging: what it landed may take a permission back, and nobody has read it yet."""
    landed = consents_land(home)
    for staged in ("20251026T050000000000Z-a", landed.batch):
        with duckdb.connect(str(home.shop.database)) as connection:
            connection.execute("create or replace table staging.base_consents as select ?::varchar as batch", [staged])
        if staged < landed.batch:
            with pytest.raises(UnusableInput, match="consents at 2025-10-27 05:00:00 UTC is not staged"):
                home.export(str(tmp_path / "to"))
            assert not (tmp_path / "to").exists()
    home.export(str(tmp_path / "to"))


def test_keys_that_are_gone_from_the_home_are_not_guessed(home: Home, tmp_path: Path) -> None:
    exported = home.export(str(tmp_path / "to"))
    (home.folder / "deliveries" / AUDIENCE / exported.delivery.id / "keys.parquet").unlink()
    home.second_night()
    with pytest.raises(UnusableInput, match="deliver with --again"):
        home.export(str(tmp_path / "to"), days=1)
    home.export(str(tmp_path / "to"), days=1, again=True)
    assert read_folder(tmp_path / "to" / AUDIENCE).members == home.keys(NAMES[2:])


def test_a_folder_that_may_not_be_written_is_named(home: Home, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    if os.geteuid() == 0:
        # Nothing is closed to root: the kernel's own folder is.
        closed = Path("/proc/1/closed")
    with pytest.raises(UnusableInput, match="cannot be written"):
        home.export(str(closed))


def test_deliveries_become_a_table_of_the_working_database(home: Home, tmp_path: Path) -> None:
    home.export(str(tmp_path / "to"))
    with pytest.raises(UnusableInput):
        home.export(str(home.folder / "serving" / "segments.duckdb"))
    for _ in range(2):
        record_deliveries(home.shop.database, list_deliveries(home.folder))
    with duckdb.connect(str(home.shop.database), read_only=True) as connection:
        rows = connection.execute(
            "select audience_id, status, members, added from operations.audience_deliveries order by status"
        ).fetchall()
    assert rows == [(AUDIENCE, "delivered", 12, 12), (AUDIENCE, "failed", 12, 12)]
