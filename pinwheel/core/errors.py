"""The one error tree: each message says what was wrong, with which value, and what to do."""


class PinwheelError(Exception):
    """Anything that Pinwheel raises on purpose."""


class SettingError(PinwheelError):
    """A setting is missing or has a value that is not allowed."""


class MissingPartError(PinwheelError):
    """A file, table or program that has to be there is not."""


class LakeError(PinwheelError):
    """The lake does not agree with what a writer or reader expects."""


class FencedError(LakeError):
    """Another driver has landed these offsets; this one must not go on."""


class MemsqlError(PinwheelError):
    """The reporting database refused or could not be reached."""


class MergeError(PinwheelError):
    """A slice could not be merged; nothing of it was kept."""


class QualityError(PinwheelError):
    """Data is not what it must be; what exactly is in ``dq_results``."""


class ReportError(PinwheelError):
    """Brand reports could not be made or mailed."""


class AskedError(ReportError):
    """Somebody asked for what can't be: the same again says the same."""


class LocalError(PinwheelError):
    """The embedded stack could not do what was asked."""
