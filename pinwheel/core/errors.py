"""The one error tree. Each message names the problem, the value and the remedy."""


class PinwheelError(Exception):
    """Base of all errors that Pinwheel raises on purpose."""


class AskedError(PinwheelError):
    """The request itself is invalid, so a retry fails in the same way."""


class SettingError(PinwheelError):
    """A setting is missing or has an invalid value."""


class MissingPartError(PinwheelError):
    """A required file, table, topic or program does not exist."""


class LakeError(PinwheelError):
    """The lake is not in the state that a writer or reader expects."""


class LogCutError(LakeError):
    """The lake's log no longer has the versions that a reader has not read yet."""


class BrokenLogError(LakeError):
    """The lake's log lacks a version between others, or has one that can't be read: nothing may read past it."""


class SourceLogError(LakeError):
    """The topic is not the log that the lake is landed from, or not the part of it that comes next."""


class FencedError(LakeError):
    """Another driver has landed these offsets; this one must stop."""


class MemsqlError(PinwheelError):
    """The reporting database refused a statement or could not be reached."""


class MergeError(PinwheelError):
    """A slice could not be prepared, judged or merged; none of its rows is in the reporting table."""


class QualityError(PinwheelError):
    """Data failed a quality check; the details are in ``dq_results``."""


class ReportError(PinwheelError):
    """Brand reports could not be written or mailed."""


class StoppedError(PinwheelError):
    """A session was asked to stop before its time was over."""


class LocalError(PinwheelError):
    """A command of the embedded stack failed."""


class EraseError(PinwheelError):
    """A person can't be erased, or not yet; what is done stays done, and another run goes on."""
