"""Every way techtool can fail, in one tree.

TechtoolError
├── UsageError                 TT-1xx  exit 4   the command or its input is wrong
│   ├── BadAddress
│   ├── BadFile
│   │   └── BadOrder           a work order: names row and column
│   ├── BadSettings
│   ├── NotSetUp
│   ├── AmbiguousChoice
│   ├── BadEvidence            a photo, slip or log that cannot be taken in
│   ├── SupportRefused         a support bundle would hold what may not leave; exit 50
│   ├── SupportDamaged         a support bundle is not as it was made; exit 13
│   ├── BadCaseCode
│   └── PublisherError         the publisher's side: an APK that is no APK, a bundle folder that cannot be signed
├── NotFoundError              TT-11x  exit 3
│   ├── NoStick                no bundle at that path
│   └── NoSuchVisit
│       ├── NothingToResume
│       ├── VisitClosed
│       ├── SignedOff          the merchant confirmed the record: nothing is added to it any more
│       └── NoSuchBackup
├── PersonError                TT-12x
│   ├── AnswerMissing                  exit 5
│   │   ├── OptionMissing      a command would ask, and nobody is there
│   │   ├── PassphraseMissing
│   │   ├── AnswerUnusable
│   │   ├── StoppedHere        where they were asked, the technician stopped the visit; exit 6
│   │   └── ConfirmationMissing
│   ├── RefusedByPerson                exit 6
│   └── WrongPassphrase                exit 6
├── TrustError                 TT-2xx  the stick
│   ├── Untrusted                      exit 10
│   │   ├── UnknownOffice      none of the pinned roots is in its chain
│   │   ├── OtherFingerprint   not the root a person was told of
│   │   ├── RefreshUntrusted   a refresh file, not a stick
│   │   ├── EnrolmentUntrusted an office's enrolment file
│   │   └── FactsUntrusted     a file of facts about makers
│   ├── Expired                        exit 11
│   ├── Recalled                       exit 12
│   ├── Damaged                        exit 13
│   └── Withdrawn                      exit 14
├── LinkError                  TT-3xx  exit 20  the way to the terminal
│   ├── Unreachable
│   │   └── NotReady           the adb server sees it, and says why it cannot be used
│   ├── PairingFailed          adb could not pair this laptop with a terminal
│   ├── WrongProtocol          the port speaks something else, or breaks its own protocol
│   ├── NotAuthorized          the terminal has not accepted this laptop's key
│   │   └── TokenRefused       … or not the maker's handshake token
│   ├── TokenMissing           the terminal wants its maker's handshake token, and the settings have none
│   │   └── TokenWithheld      … or nobody but the network itself has named its address
│   ├── LinkTimeout
│   ├── LinkLost                       exit 24
│   ├── CommandRefused         the terminal answered, and said no
│   ├── CertificateUnknown     nobody compared its fingerprint with the label yet; exit 10
│   ├── CertificateChanged     not the certificate that was compared; exit 10
│   ├── LoginNeeded            it asks for a user and a password; exit 5
│   ├── LoginRefused           it does not take them
│   ├── NotCapable             this link cannot do that
│   ├── MediumUnfit            a stick that cannot be prepared for a terminal's own menu; exit 22
│   └── MediumFailed           the stick was pulled, or gives back something else; exit 24
├── TerminalError              TT-4xx
│   ├── UnknownModel                   exit 21
│   ├── NotCompatible                  exit 22
│   ├── GateClosed                     exit 23
│   ├── RiskTooHigh            critical, and no answer opens the gate; exit 23
│   ├── AnotherTerminal        what answers now is not the terminal the visit began with; exit 23
│   ├── InstallFailed                  exit 1; carries the outcome word
│   └── VerifyFailed                   exit 1; the terminal does not run what was installed
├── StoreError                 TT-5xx
│   ├── StoreLocked                    exit 30
│   ├── StoreDamaged                   exit 31
│   │   └── VisitDamaged       a visit's journal: names the way to what can be saved
│   ├── StoreTooNew                    exit 31; written by a newer techtool: not damaged, not to be touched
│   ├── StoreKeyMissing                exit 31; a visit whose confidential words cannot be opened here
│   ├── StoreKeyUnusable               exit 31; the file with the key is cut short, altered or not to be read
│   ├── DiskFull                       exit 32
│   │   └── NotEnoughRoom      found out beforehand, with the numbers
│   └── DiskError                      exit 31; the disk refuses (read-only, gone)
├── BackupError                TT-6xx
│   ├── ForbiddenContent               exit 50
│   ├── BackupNotVerified              exit 51
│   └── RestoreRefused                 exit 52
├── OfficeError                TT-7xx  exit 7
│   ├── OfficeCertificate      the server does not prove that it is the office's
│   ├── OfficeDenied           the server does not let this laptop in
│   ├── OfficeRefused          the server does not take a visit; the others go on
│   ├── RecordUnproven                 exit 10; a visit on a stick that nobody the office knows stands for
│   └── OfficeConflict                 exit 8; it holds something else under the same name
├── Interrupted                TT-800  exit 130
└── InternalError              TT-900  exit 1   a defect of techtool itself

Each class says, for the person at the counter, *what* happened, the *state now*, and the *next actions*; the texts are
message ids (English sentences) with named placeholders. Exit codes are a contract with scripts.

Each part of the tree stands in a module of this package; whoever raises or catches one imports it from here.
"""

from __future__ import annotations

from techtool.errors.backup import (
    BackupError,
    BackupNotVerified,
    ForbiddenContent,
    RestoreRefused,
)
from techtool.errors.base import (
    Exit,
    TechtoolError,
    gravest,
)
from techtool.errors.link import (
    CertificateChanged,
    CertificateUnknown,
    CommandRefused,
    LinkError,
    LinkLost,
    LinkTimeout,
    LoginNeeded,
    LoginRefused,
    MediumFailed,
    MediumUnfit,
    NotAuthorized,
    NotCapable,
    NotReady,
    PairingFailed,
    TokenMissing,
    TokenRefused,
    TokenWithheld,
    Unreachable,
    WrongProtocol,
)
from techtool.errors.notfound import (
    NoStick,
    NoSuchBackup,
    NoSuchVisit,
    NotFoundError,
    NothingToResume,
    SignedOff,
    VisitClosed,
)
from techtool.errors.office import (
    OfficeCertificate,
    OfficeConflict,
    OfficeDenied,
    OfficeError,
    OfficeRefused,
    RecordUnproven,
)
from techtool.errors.person import (
    AnswerMissing,
    AnswerUnusable,
    ConfirmationMissing,
    OptionMissing,
    PassphraseMissing,
    PersonError,
    RefusedByPerson,
    StoppedHere,
    WrongPassphrase,
)
from techtool.errors.program import (
    InternalError,
    Interrupted,
)
from techtool.errors.store import (
    DiskError,
    DiskFull,
    NotEnoughRoom,
    StoreDamaged,
    StoreError,
    StoreKeyMissing,
    StoreKeyUnusable,
    StoreLocked,
    StoreTooNew,
    VisitDamaged,
)
from techtool.errors.terminal import (
    AnotherTerminal,
    GateClosed,
    InstallFailed,
    NotCompatible,
    RiskTooHigh,
    TerminalError,
    UnknownModel,
    VerifyFailed,
)
from techtool.errors.trust import (
    Damaged,
    EnrolmentUntrusted,
    Expired,
    FactsUntrusted,
    OtherFingerprint,
    Recalled,
    RefreshUntrusted,
    TrustError,
    UnknownOffice,
    Untrusted,
    Withdrawn,
)
from techtool.errors.usage import (
    AmbiguousChoice,
    BadAddress,
    BadCaseCode,
    BadEvidence,
    BadFile,
    BadOrder,
    BadSettings,
    NotSetUp,
    PublisherError,
    SupportDamaged,
    SupportRefused,
    UsageError,
)
