"""An audience that is no longer built: those whom its last delivery brought somewhere are taken back from there."""

from pathlib import Path

from orchestration.delivery.members import Audience
from orchestration.delivery.records import Delivery, key_column, keys_file
from orchestration.errors import UnusableInput
from orchestration.publishing.builds import Build, start_in


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
    key = key_column(home, last)
    if key is None:
        raise UnusableInput(
            f"{keys_file(home, last)} is gone, so nobody knows whom {last.destination} must forget: restore it, or remove "
            f"'{last.audience_id}' there by hand"
        )
    return Audience(
        id=last.audience_id,
        name=last.name or last.audience_id,
        purpose=last.purpose,
        channel=last.channel,
        definition_hash=last.definition_hash,
        # Not what its channel is addressed by today: the destination knows its members by the key that it was brought.
        key=key,
        is_retired=True,
    )
