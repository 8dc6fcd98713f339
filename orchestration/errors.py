"""Errors a person is meant to read: one sentence that says what is wrong, where, and what to do."""


class SegmentsError(Exception):
    """Base of every error this project raises on purpose."""


class UnusableInput(SegmentsError):
    """Wrong usage or input that cannot be used; nothing was written. The command line exits with 2."""


class GateClosed(SegmentsError):
    """A build may not be published: no verdict, a failed one, or one about other rows. The command line exits with 1."""


class HomeInUse(UnusableInput):
    """Another process is already writing below the same home folder."""


class PublishingFailed(SegmentsError):
    """A build could not be written, verified or swapped in; what was served before is still served."""


class DeliveryFailed(SegmentsError):
    """An audience could not be brought to its destination, though nothing is wrong with either: the same command again takes it up."""
