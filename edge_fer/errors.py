"""One family of errors; each is also a builtin and knows its exit status.

EdgeFerError
├── Refused            1   a gate or check said no
├── BadData           65   a file's content cannot be used        (ValueError)
│   └── CheckpointError
├── NotFound          66   a named file or folder is not there    (FileNotFoundError)
│   └── NoSplit                a collection has no such split
├── HostUnreachable   68   a board or broker cannot be reached     (OSError)
├── MissingExtra      69   an optional package is not installed   (ImportError)
├── EngineError       70   a runtime failed while inferring       (RuntimeError)
│   └── NotFinite          its scores were no numbers             (ArithmeticError)
├── StorageError      74   writing failed, nothing was left behind (OSError)
├── CameraError       75   a camera gives no frames now           (OSError)
├── NoFrames          75   no camera for as long as was asked     (OSError)
├── InUse             75   another `edge-fer run` is here already  (OSError)
├── NotPermitted      77   a host key, a login or root is refused  (PermissionError)
├── ConfigError       78   a wrong option, spec or setting        (ValueError)
│   └── SettingError           one of RunConfig's, known by name
└── BundleError       78   a bundle is refused                    (ValueError)

The numbers are those of sysexits.h; 2 is the command line parser's own.
"""


class EdgeFerError(Exception):
    """Anything a user can mend: `str()` is the one line to show."""

    exit_code = 70


class Refused(EdgeFerError, RuntimeError):
    """A gate or check said no."""

    exit_code = 1


class BadData(EdgeFerError, ValueError):
    """A file was read, but its content cannot be used."""

    exit_code = 65


class CheckpointError(BadData):
    """A checkpoint is incomplete, altered or of another shape."""


class NotFound(EdgeFerError, FileNotFoundError):
    """A named file or folder is not there."""

    exit_code = 66


class NoSplit(NotFound):
    """A collection is there, but has no split of this name; it may do without."""


class HostUnreachable(EdgeFerError, OSError):
    """A board or a broker cannot be reached, or the connection was lost."""

    exit_code = 68


class MissingExtra(EdgeFerError, ImportError):
    """An optional package is not installed."""

    exit_code = 69


class EngineError(EdgeFerError, RuntimeError):
    """A runtime failed while inferring."""


class NotFinite(EngineError, ArithmeticError):
    """An engine gave scores that are no numbers."""


class StorageError(EdgeFerError, OSError):
    """Writing failed; nothing half-written was left behind."""

    exit_code = 74


class CameraError(EdgeFerError, OSError):
    """A camera gives no frames now: absent, busy, forbidden or broken."""

    exit_code = 75


class NoFrames(EdgeFerError, OSError):
    """A camera was waited for as long as was asked."""

    exit_code = 75


class InUse(EdgeFerError, OSError):
    """Another daemon of the same name runs."""

    exit_code = 75


class NotPermitted(EdgeFerError, PermissionError):
    """A host key is unknown, or a login is refused."""

    exit_code = 77


class ConfigError(EdgeFerError, ValueError):
    """A wrong option, spec or setting."""

    exit_code = 78


class SettingError(ConfigError):
    """A wrong setting of `run`; its name leads to the line of a file that set it."""

    def __init__(self, setting: str, text: str) -> None:
        super().__init__(text)
        self.setting = setting
        """Field of RunConfig; `sinks.1` is the second of the sinks."""


class BundleError(EdgeFerError, ValueError):
    """A bundle is refused."""

    exit_code = 78

    def __init__(self, text: str = "", reason: str = "load") -> None:
        super().__init__(text)
        self.reason = reason
        """As metrics name it: `hash`, `signature`, `labels`, `shape` or `load`."""
