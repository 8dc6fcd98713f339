"""An audience that is no longer built: those whom its last delivery brought somewhere are taken back from there."""

from pathlib import Path

import duckdb

from orchestration.delivery.members import Audience
from orchestration.delivery.records import Delivery, keys_file
from orchestration.errors import UnusableInput
from orchestration.publishing.builds import Build, start_in
from orchestration.sql import quote_file


def retired_audience(home: Path, build: Build, last: Delivery) -> Audience:
    """The audience of a delivery, as that delivery was, without anybody in it.

    Args:
        home: the home folder.
        build: the served build, which does not have the audience.
        last: its last complete delivery to the destination.

    Raises UnusableInput when the build is no later one than that of the delivery, as after a rollback: it cannot know that the audience
    is retired. And when nobody can tell any more what its members were addressed by.
    """
    if not last.is_retired and start_in(build.id) <= start_in(last.build_id):
        raise UnusableInput(
            f"the build {build.id} has no audience '{last.audience_id}', but it is no later one than {last.build_id}, from which that was "
            f"delivered to {last.destination}: run `segments nightly`, or serve a later one with `segments rollback BUILD`"
        )
    return Audience(
        id=last.audience_id,
        name=last.name or last.audience_id,
        purpose=last.purpose,
        channel=last.channel,
        definition_hash=last.definition_hash,
        # Not what its channel is addressed by today: the destination knows its members by the key that it was brought.
        key=last.key or _delivered_key(home, last),
        is_retired=True,
    )


def _delivered_key(home: Path, last: Delivery) -> str:
    """The column of the keys that were delivered, for records that do not name it."""
    path = keys_file(home, last)
    if not path.is_file():
        raise UnusableInput(
            f"{path} is gone, so nobody knows whom {last.destination} must forget: restore it, or remove '{last.audience_id}' there by hand"
        )
    with duckdb.connect(":memory:") as connection:
        return connection.sql(f"from read_parquet({quote_file(str(path))})").columns[0]
