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
│   │   └── EnrolmentUntrusted an office's enrolment file
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
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import ClassVar

from techtool.i18n import N_, Phrase, PhraseValue


class Exit(IntEnum):
    """Process exit codes: a contract with scripts."""

    DONE = 0
    FAILED = 1
    NOTHING_TO_DO = 2
    NOT_FOUND = 3
    USAGE = 4
    ANSWER_MISSING = 5
    REFUSED_BY_PERSON = 6
    OFFICE_UNREACHABLE = 7
    OFFICE_CONFLICT = 8
    UNTRUSTED = 10
    EXPIRED = 11
    RECALLED = 12
    DAMAGED_BUNDLE = 13
    WITHDRAWN = 14
    UNREACHABLE = 20
    UNKNOWN_MODEL = 21
    NOT_COMPATIBLE = 22
    GATE_CLOSED = 23
    LOST = 24
    LOCKED = 30
    DAMAGED_STORE = 31
    DISK_FULL = 32
    ROLLED_BACK = 40
    NEEDS_FIRMWARE = 41
    UNRECOVERABLE = 42
    INCONSISTENT = 43
    NOT_RESTORED = 44
    FORBIDDEN_CONTENT = 50
    BACKUP_NOT_VERIFIED = 51
    RESTORE_REFUSED = 52
    INTERRUPTED = 130


_GRAVEST_FIRST = (
    Exit.UNRECOVERABLE,
    Exit.NEEDS_FIRMWARE,
    Exit.INCONSISTENT,
    Exit.LOST,
    Exit.ROLLED_BACK,
    Exit.NOT_RESTORED,
)


def gravest(codes: Sequence[Exit]) -> Exit:
    """The exit code of a visit with several terminals: the worst for the merchant first, the rest by number."""
    for code in _GRAVEST_FIRST:
        if code in codes:
            return code
    failed = [c for c in codes if c not in (Exit.DONE, Exit.NOTHING_TO_DO)]
    if failed:
        return min(failed)
    return Exit.NOTHING_TO_DO if codes and all(c is Exit.NOTHING_TO_DO for c in codes) else Exit.DONE


class TechtoolError(Exception):
    """Base of all: ``code``, ``what``, ``state_now``, ``next_actions``, ``exit_code``.

    Keyword arguments fill the placeholders of the class's texts. ``detail`` is raw text of the lower layer for the
    support desk; it is never translated and never needed to understand the error.
    """

    code: ClassVar[str] = "TT-000"
    exit_code: ClassVar[Exit] = Exit.FAILED
    what: ClassVar[str] = N_("techtool could not go on.")
    state_now: ClassVar[str] = N_("Nothing was changed.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Try again; if it fails again, send a support bundle to the office."),
    )

    def __init__(self, *, detail: str = "", state: Phrase | None = None, **params: PhraseValue) -> None:
        self.params = params
        self.detail = detail
        self._state = state
        super().__init__(f"{self.code} {self.what_phrase.text('en')}" + (f" [{detail}]" if detail else ""))

    @property
    def what_phrase(self) -> Phrase:
        """What happened."""
        return Phrase(self.what, self.params)

    @property
    def state_phrase(self) -> Phrase:
        """In what state things are now."""
        return self._state or Phrase(self.state_now, self.params)

    @property
    def action_phrases(self) -> tuple[Phrase, ...]:
        """What to do next, most useful first."""
        return tuple(Phrase(action, self.params) for action in self.next_actions)

    def to_json(self) -> dict[str, object]:
        """The error as recorded in journals and printed under ``--json``."""
        return {
            "code": self.code,
            "exit": int(self.exit_code),
            "what": self.what_phrase.to_json(),
            "state_now": self.state_phrase.to_json(),
            "next_actions": [action.to_json() for action in self.action_phrases],
            "detail": self.detail,
        }


# --- TT-1xx: the command, its input, the person --------------------------------------------------------------------


class UsageError(TechtoolError):
    """The command line or its input cannot be acted on."""

    code = "TT-100"
    exit_code = Exit.USAGE
    what = N_("{problem}")
    state_now = N_("Nothing was started.")
    next_actions: ClassVar[tuple[str, ...]] = (N_("Correct the command; --help shows what it takes."),)


class BadAddress(UsageError):
    """An address that has none of the known forms."""

    code = "TT-101"
    what = N_("“{address}” is not a terminal address.")
    next_actions = (
        N_("Write adb://HOST:PORT for a network terminal, or adb+server:SERIAL for a USB cable."),
        N_("Write medium:FOLDER for a stick that is carried to the terminal's own menu."),
        N_("A gateway that speaks Redfish is redfish+https://HOST or redfish+https://HOST:PORT."),
    )


class BadFile(UsageError):
    """A file given by the person cannot be read as what it should be."""

    code = "TT-102"
    what = N_("The file {path} cannot be used: {problem}")
    next_actions = (N_("Correct the file at the place named, or give another one."),)


class BadSettings(UsageError):
    """``settings.toml`` does not have the shape techtool knows."""

    code = "TT-103"
    what = N_("The settings in {path} cannot be read: {problem}")
    next_actions = (
        N_("Correct the line named; the settings were not overwritten."),
        N_("Or give the file another name and start techtool: it asks for name and language again."),
    )


class NotSetUp(UsageError):
    """The home folder lacks something the first run makes."""

    code = "TT-104"
    what = N_("techtool is not set up on this laptop yet: {missing} is missing.")
    next_actions = (
        N_("Start techtool once without arguments and answer the first-run questions."),
        N_("Or “techtool setup --help”: the same without screens."),
    )


class AmbiguousChoice(UsageError):
    """Two or more things fit what was asked; techtool does not choose at random."""

    code = "TT-105"
    what = N_("{what} fits more than one: {choices}")
    next_actions = (N_("Name exactly one of them."),)


class BadEvidence(UsageError):
    """A file that is to prove something cannot be taken into the visit."""

    code = "TT-130"
    what = N_("The file {path} is not taken into the visit: {problem}")
    state_now = N_("Nothing of it was kept.")
    next_actions = (N_("Give another file, or go on without one."),)


class BadOrder(BadFile):
    """A work order does not say what an order says."""

    code = "TT-131"
    what = N_("The work order {path} cannot be used: {problem}")
    next_actions = (N_("Correct the place named, or ask the office for the order again."),)


class SupportRefused(UsageError):
    """What was to go to the support desk holds something that may not leave this laptop."""

    code = "TT-160"
    exit_code = Exit.FORBIDDEN_CONTENT
    what = N_("The support bundle was not made: {item} would hold {kind}.")
    state_now = N_("Nothing was written.")
    next_actions = (N_("Tell the office by telephone which visit and which part it is; send nothing else instead."),)


class SupportDamaged(UsageError):
    """A support bundle was changed, or cut short."""

    code = "TT-161"
    exit_code = Exit.DAMAGED_BUNDLE
    what = N_("The support bundle {path} is not as it was made: {problem}")
    state_now = N_("Nothing was changed.")
    next_actions = (N_("Copy or send it again; else make it again: “techtool support VISIT --to DIR”."),)


class BadCaseCode(UsageError):
    """What was typed can be no case code: its check character does not fit."""

    code = "TT-162"
    what = N_("“{code}” is no case code.")
    next_actions = (
        N_("Read it out once more: ten letters and digits in groups of 4, 4 and 2, without 0, O, 1 and I."),
    )


class PublisherError(UsageError):
    """The publisher's side of a bundle cannot do what was asked."""

    code = "TT-106"
    what = N_("The bundle cannot be made: {problem}")
    state_now = N_("The bundle folder is as it was before this command.")
    next_actions = (N_("Correct what is named and run the same command again."),)


class NotFoundError(TechtoolError):
    """Something named is not there."""

    code = "TT-110"
    exit_code = Exit.NOT_FOUND
    what = N_("{what} was not found.")
    next_actions = (N_("Check the name, or list what there is."),)


class NoStick(NotFoundError):
    """The path holds no bundle."""

    code = "TT-111"
    what = N_("There is no techtool bundle at {path}.")
    next_actions = (N_("Put in the stick that the office prepared, or name its folder (the one that holds TECHTOOL)."),)


class NoSuchVisit(NotFoundError):
    """No visit has that id, or none is unfinished."""

    code = "TT-112"
    what = N_("There is no such visit: {visit}")
    next_actions = (N_("“techtool visit list” shows the visits on this laptop."),)


class NothingToResume(NoSuchVisit):
    """Every visit is closed."""

    code = "TT-113"
    what = N_("No visit on this laptop is unfinished: there is nothing to resume.")


class VisitClosed(NoSuchVisit):
    """What an unfinished visit is needed for was asked of a closed one."""

    code = "TT-115"
    what = N_("Visit {visit} is closed already: nothing more is done in it.")
    next_actions = (N_("“techtool visit show {visit}” shows it; further work is a new visit."),)


class SignedOff(VisitClosed):
    """Evidence was to be added to what the merchant has confirmed already (PCI DSS 9.5.1: documented results stand)."""

    code = "TT-119"
    what = N_("Visit {visit} is signed off: nothing is added to what the merchant confirmed.")
    next_actions = (
        N_("“techtool visit resume {visit}” closes it. What belongs to it all the same is taken into a new visit."),
    )


class NoSuchBackup(NoSuchVisit):
    """No backup, and no visit with a backup, has that name."""

    code = "TT-114"
    what = N_("No backup on this laptop is called {name}.")
    next_actions = (N_("“techtool backup list” shows the backups on this laptop."),)


class PersonError(TechtoolError):
    """A person did not, or would not, answer."""

    code = "TT-120"
    exit_code = Exit.REFUSED_BY_PERSON


class AnswerMissing(PersonError):
    """A question was asked where nobody can be asked."""

    code = "TT-121"
    exit_code = Exit.ANSWER_MISSING
    what = N_("The question “{question}” has no answer: {text}")
    state_now = N_("The step that asks has not begun; the visit can be resumed.")
    next_actions = (N_("Put “{question}” into the answers file and resume the visit."),)


class OptionMissing(AnswerMissing):
    """A command would ask, and nobody is there to be asked."""

    code = "TT-126"
    what = N_("Nobody can be asked here: {text}")
    state_now = N_("Nothing was done.")
    next_actions = (N_("Run it in a terminal, or give {option}."),)


class PassphraseMissing(AnswerMissing):
    """Nothing is begun before the report key is open."""

    code = "TT-127"
    what = N_("The passphrase of the report key was not given.")
    state_now = N_("Nothing was begun.")
    next_actions = (N_("Give --passphrase-file FILE: its first line is the passphrase."),)


class AnswerUnusable(AnswerMissing):
    """An answers file gives something that is no possible answer."""

    code = "TT-124"
    what = N_("The answer “{answer}” to “{question}” cannot be used; possible: {allowed}")


class ConfirmationMissing(AnswerMissing):
    """No ``--confirm`` fits the terminal."""

    code = "TT-125"
    what = N_("The terminal with serial number {serial} was not confirmed.")
    next_actions = (N_("Read the label, then resume with --confirm and the last four of that serial number."),)


class StoppedHere(AnswerMissing):
    """The technician stopped the visit where they were asked."""

    code = "TT-128"
    exit_code = Exit.REFUSED_BY_PERSON
    what = N_("You stopped here, where this was asked: {text}")
    next_actions = (N_("Resume the visit when you want to go on; until then nothing more is done."),)


class RefusedByPerson(PersonError):
    """A person said no."""

    code = "TT-122"
    what = N_("Stopped by the technician or the merchant: {question}")
    state_now = N_("No further step was begun on this terminal.")
    next_actions = (N_("Resume the visit when the person agrees, or close it as stopped."),)


class WrongPassphrase(PersonError):
    """The passphrase does not open the key file."""

    code = "TT-123"
    what = N_("The passphrase does not open the key {path}.")
    next_actions = (N_("Type the passphrase again; the key file was not changed."),)


# --- TT-2xx: the stick ---------------------------------------------------------------------------------------------


class TrustError(TechtoolError):
    """The stick, or something on it, is not to be believed or not to be used."""

    code = "TT-200"
    exit_code = Exit.UNTRUSTED
    state_now = N_("Nothing was installed. Identify, back up and report still work.")
    next_actions: ClassVar[tuple[str, ...]] = (N_("Use another stick from the office."),)


class Untrusted(TrustError):
    """Signature, role, root chain or layout is not what the trusted root allows."""

    code = "TT-210"
    exit_code = Exit.UNTRUSTED
    what = N_("The stick is not trusted: {problem}")
    next_actions = (
        N_("Do not use this stick; give it to the office."),
        N_("If the office has changed its keys, ask for a stick with the whole chain of roots."),
    )


class UnknownOffice(Untrusted):
    """The stick descends from none of the roots that are pinned here."""

    code = "TT-215"
    what = N_("This laptop does not know who made the stick; the fingerprint of its root: {fingerprint}")
    next_actions = (
        N_("Your office's? Compare the fingerprint with it by telephone, then “techtool trust add PATH”."),
        N_("Else do not use it; give it to the office."),
    )


class OtherFingerprint(Untrusted):
    """A root is not the one whose fingerprint a person was told."""

    code = "TT-216"
    what = N_("The fingerprint of that file is {found}, not the one given.")
    state_now = N_("Nothing was trusted.")
    next_actions = (
        N_("Do not trust it. Read the fingerprint to the office by telephone."),
        N_("If yours was mistyped, give it again as the office says it."),
    )


class RefreshUntrusted(Untrusted):
    """A refresh file is not what the trusted root allows."""

    code = "TT-217"
    what = N_("The refresh file is not trusted: {problem}")
    state_now = N_("Nothing was learned from it; what this laptop knew stands.")
    next_actions = (
        N_("Do not use it; ask the office to send it again."),
        N_("If the office has changed its keys, ask for a stick with the whole chain of roots."),
    )


class EnrolmentUntrusted(Untrusted):
    """An enrolment file is not what this laptop's office signed."""

    code = "TT-218"
    what = N_("The enrolment file is not trusted: {problem}")
    state_now = N_("Nothing was changed; what this laptop trusted and was set to stands.")
    next_actions = (
        N_("Do not use it; ask the office by telephone whether it sent this file."),
        N_("If the office has changed its key, ask for a file that the old key vouches for."),
    )


class Expired(TrustError):
    """Signed metadata is past its use-by date."""

    code = "TT-211"
    exit_code = Exit.EXPIRED
    what = N_("The stick is past its use-by date: {role} was valid until {until}.")
    next_actions = (
        N_("Use a newer stick."),
        N_("Or learn the newest metadata from a refresh file of the office (“techtool trust refresh FILE”)."),
        N_("Or correct this laptop's clock if it is wrong."),
    )


class Recalled(TrustError):
    """The office recalled the release."""

    code = "TT-212"
    exit_code = Exit.RECALLED
    what = N_("The release {release} was recalled: {reason}")
    next_actions = (N_("Do not install it; ask the office which release replaces it."),)


class Damaged(TrustError):
    """A payload's length or digest differs, or the stick cannot be read."""

    code = "TT-213"
    exit_code = Exit.DAMAGED_BUNDLE
    what = N_("A file on the stick is damaged: {path} ({problem})")
    next_actions = (
        N_("Put the stick in again and retry."),
        N_("If it stays damaged, use another stick."),
    )


class Withdrawn(TrustError):
    """A genuine older stick carries a release that newer metadata no longer lists."""

    code = "TT-214"
    exit_code = Exit.WITHDRAWN
    what = N_("The release {release} was withdrawn by its publisher after this stick was made.")
    next_actions = (N_("Choose another release, or ask for a newer stick."),)


# --- TT-3xx: the link ----------------------------------------------------------------------------------------------


class LinkError(TechtoolError):
    """The way to the terminal."""

    code = "TT-300"
    exit_code = Exit.UNREACHABLE
    what = N_("There is no usable connection to {address}.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Check the cable or the network and that debugging is allowed on the terminal, then retry."),
    )


class Unreachable(LinkError):
    """Nothing answers at the address."""

    code = "TT-301"
    what = N_("No answer from {address}.")


class NotReady(Unreachable):
    """An adb server sees the terminal, in a state in which it cannot be used."""

    code = "TT-320"
    what = N_("The terminal at {address} is not ready: {condition}")
    next_actions = (N_("{advice}"), N_("Then try again; “techtool find” shows the state."))


class PairingFailed(LinkError):
    """Google's adb did not pair this laptop with a terminal."""

    code = "TT-321"
    what = N_("Pairing with {address} did not work: {problem}")
    next_actions = (
        N_("Open “Pair device with pairing code” on the terminal again: it shows a new address and a new code."),
        N_("Laptop and terminal must be in the same network; then try again."),
    )


class WrongProtocol(LinkError):
    """What answers does not speak the protocol, or breaks it."""

    code = "TT-302"
    what = N_("What answers at {address} does not speak the expected protocol: {problem}")
    next_actions = (N_("Check the address and port: another service may be listening there."),)


class NotAuthorized(LinkError):
    """The terminal wants a person to accept this laptop's key."""

    code = "TT-303"
    what = N_("The terminal at {address} has not allowed this laptop yet.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Look at the terminal's screen, allow debugging from this computer, then retry."),
    )


class TokenMissing(LinkError):
    """The terminal asks for its maker's handshake, and the settings hold no token to answer with."""

    code = "TT-310"
    what = N_("The terminal at {address} speaks only to laptops that know PAX's handshake token, and none is set here.")
    state_now = N_("Nothing was read from the terminal and nothing on it was changed.")
    next_actions = (
        N_("Ask PAX or your acquirer for the token; techtool comes without it."),
        N_("Write it into settings.toml: handshake_token under [links.pax]. It is never recorded or sent on."),
    )


class TokenWithheld(TokenMissing):
    """There is a token, but anybody in the network may announce an address and ask for it."""

    code = "TT-312"
    what = N_("The terminal at {address} asks for PAX's handshake token. It only announced itself: nobody named it.")
    state_now = N_("The token was not sent. Nothing was read from the terminal and nothing on it was changed.")
    next_actions = (
        N_("Compare the address with the terminal's own screen, then type it instead of picking it."),
        N_("Write the address into settings.toml for good: hosts under [links]."),
    )


class TokenRefused(NotAuthorized):
    """The terminal ended the conversation over the token it was given."""

    code = "TT-311"
    what = N_("The terminal at {address} did not go on after PAX's handshake token.")
    state_now = N_("Nothing was read from the terminal and nothing on it was changed.")
    next_actions = (
        N_("Compare handshake_token under [links.pax] in settings.toml with what PAX or your acquirer gave you."),
        N_("Check the cable or the network, then retry."),
    )


class LinkTimeout(LinkError):
    """A read or a command took longer than its limit."""

    code = "TT-304"
    what = N_("{address} did not answer within {seconds} s.")


class LinkLost(LinkError):
    """The connection ended while work was under way."""

    code = "TT-305"
    exit_code = Exit.LOST
    what = N_("The connection to {address} was lost.")
    state_now = N_("The step under way is unfinished; the terminal is read again before anything else is done.")
    next_actions = (N_("Check the cable, wait until the terminal is on, then resume the visit."),)


class CommandRefused(LinkError):
    """The terminal answered a command or transfer with a refusal."""

    code = "TT-306"
    exit_code = Exit.FAILED
    what = N_("The terminal refused {command}: {answer}")
    next_actions = (N_("Read the terminal's answer; if it is not clear, send a support bundle to the office."),)


class CertificateUnknown(LinkError):
    """A gateway shows a certificate that nobody has compared with its label or screen."""

    code = "TT-340"
    exit_code = Exit.UNTRUSTED
    what = N_("The certificate of {address} was not compared yet. Its fingerprint (SHA-256): {found}")
    state_now = N_("Nothing was sent to it, no password either.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Compare the fingerprint with the one on the device's label or screen, or ask the office for it."),
        N_("If it is the same, say so (techtool trust device {address} --fingerprint FINGERPRINT)."),
    )


class CertificateChanged(LinkError):
    """A gateway shows another certificate than the one that was compared."""

    code = "TT-341"
    exit_code = Exit.UNTRUSTED
    what = N_("{address} shows another certificate than expected: found {found}, expected {expected}.")
    state_now = N_("Nothing was sent to it, no password either.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Somebody may stand between this laptop and the device: check the cable, the network and the address."),
        N_(
            "At another shop, or after a repair, compare the fingerprint with the label or screen, and say so (techtool"
            " trust device {address} --fingerprint FINGERPRINT)."
        ),
    )


class LoginNeeded(LinkError):
    """A gateway asks for a user and a password, and nobody gave them."""

    code = "TT-342"
    exit_code = Exit.ANSWER_MISSING
    what = N_("{address} asks for a user name and a password.")
    next_actions = (
        N_("Run the command at a keyboard, or name a file with them in the settings: [links.redfish] login_file."),
    )


class LoginRefused(LinkError):
    """A gateway does not take the user and the password."""

    code = "TT-343"
    what = N_("{address} does not accept this user name and password.")
    next_actions = (
        N_(
            "Ask the merchant or the office for the right ones. After several wrong ones a device may lock the account."
        ),
    )


class NotCapable(LinkError):
    """The link lacks a capability that the step needs."""

    code = "TT-307"
    exit_code = Exit.NOT_COMPATIBLE
    what = N_("The connection to {address} cannot do this: {capability}")
    next_actions = (N_("Use another kind of connection to this terminal."),)


class MediumUnfit(LinkError):
    """What shall be carried to the terminal's own menu is no stick that it would read, or none that may be written."""

    code = "TT-330"
    exit_code = Exit.NOT_COMPATIBLE
    what = N_("{path} cannot be used as the terminal's stick: {problem}")
    state_now = N_("Nothing was written there.")
    next_actions = (N_("{remedy}"),)


class MediumFailed(LinkError):
    """A file did not get onto the stick whole."""

    code = "TT-331"
    exit_code = Exit.LOST
    what = N_("The file did not get onto the stick at {path}: {problem}")
    state_now = N_("What lies on the stick is not complete: do not put it into a terminal.")
    next_actions = (
        N_("Plug the stick in again and try again: what lies there whole is not copied twice."),
        N_("If it stays so, take another stick."),
    )


# --- TT-4xx: the terminal ------------------------------------------------------------------------------------------


class TerminalError(TechtoolError):
    """The terminal itself, or what it runs."""

    code = "TT-400"
    exit_code = Exit.FAILED


class UnknownModel(TerminalError):
    """No rule of the model catalogue fits."""

    code = "TT-401"
    exit_code = Exit.UNKNOWN_MODEL
    what = N_("The device at {address} is not in the model catalogue: {description}")
    next_actions = (
        N_("Check that the right device is connected."),
        N_("Send its facts to the office (techtool identify ADDRESS --json) so that the model can be added."),
    )

    def __init__(
        self,
        *,
        facts: Mapping[str, str] = MappingProxyType({}),
        detail: str = "",
        state: Phrase | None = None,
        **params: PhraseValue,
    ) -> None:
        self.facts = dict(facts)
        """What the device says of itself, raw."""
        super().__init__(detail=detail, state=state, **params)

    def to_json(self) -> dict[str, object]:
        """The error and the raw facts."""
        return {**super().to_json(), "facts": self.facts}


class NotCompatible(TerminalError):
    """No release fits this terminal; every failed rule is in the plan."""

    code = "TT-402"
    exit_code = Exit.NOT_COMPATIBLE
    what = N_("{release} does not fit this terminal: {reason}")
    next_actions = (N_("Look at the failed rules in the plan; each says what to do."),)


class GateClosed(TerminalError):
    """A gate (no override) is closed."""

    code = "TT-403"
    exit_code = Exit.GATE_CLOSED
    what = N_("The work may not begin: {reason}")
    next_actions: ClassVar[tuple[str, ...]] = (N_("{remedy}"),)


class RiskTooHigh(GateClosed):
    """The risk of the work is critical: no answer opens this gate."""

    code = "TT-405"
    what = N_("The risk is critical ({score} of 25): this is not done on this visit.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Agree on another day or hour with the merchant, or swap the terminal."),
        N_("What would lower it: {lower}"),
    )


class AnotherTerminal(GateClosed):
    """The serial number read now is not the one the visit began with."""

    code = "TT-404"
    what = N_("Another terminal answers at {address}: serial number {found}, expected {expected}.")
    next_actions = (N_("Connect the terminal with serial number {expected} and resume."),)


class InstallFailed(TerminalError):
    """The terminal did not accept a package."""

    code = "TT-410"
    what = N_("The terminal did not install {package}: {reason}")
    state_now = N_("The terminal still runs what it ran before.")
    next_actions = (N_("{remedy}"),)

    @property
    def word(self) -> str:
        """The terminal's own word for the refusal (``INSTALL_FAILED_…``), given as ``word=``; empty: it gave none."""
        return str(self.params.get("word", ""))


class VerifyFailed(TerminalError):
    """Read again after the installation, the terminal is not as planned."""

    code = "TT-411"
    what = N_("After the installation {package} is not as planned: {reason}")
    state_now = N_("What the terminal says now is in the record; do not hand it over before it was checked.")
    next_actions = (
        N_("Try again, or begin a new visit: what is right already is not sent twice."),
        N_("If it stays so, swap the terminal and report it to the office."),
    )


# --- TT-5xx: the store ---------------------------------------------------------------------------------------------


class StoreError(TechtoolError):
    """The records on this laptop."""

    code = "TT-500"
    exit_code = Exit.DAMAGED_STORE


class StoreLocked(StoreError):
    """Another techtool holds this home folder."""

    code = "TT-501"
    exit_code = Exit.LOCKED
    what = N_("Another techtool is working here: {holder}")
    next_actions = (N_("Finish or close the other one, then start again."),)


class StoreDamaged(StoreError):
    """A record was altered or has rotted."""

    code = "TT-502"
    what = N_("A record on this laptop is damaged: {path} ({problem})")
    state_now = N_("The damaged file was not changed and nothing was overwritten.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("“techtool doctor” shows what can be saved; send the file to the office."),
    )

    @property
    def problem(self) -> Phrase:
        """What is wrong with the file."""
        found = self.params["problem"]
        return found if isinstance(found, Phrase) else Phrase("{text}", {"text": found})


class VisitDamaged(StoreDamaged):
    """A visit's own journal is damaged, or is not the one that was closed."""

    code = "TT-506"
    what = N_("The record of visit {visit} is damaged: {path} ({problem})")
    next_actions = (
        N_("“techtool doctor --salvage {visit}” sets the damaged file aside and saves what can be read of it."),
        N_("Then an unfinished visit can be resumed or closed as stopped; send the damaged file to the office."),
    )


class StoreTooNew(StoreError):
    """A file of this laptop has a format that only a newer techtool knows."""

    code = "TT-505"
    what = N_("A newer techtool wrote {path}: format {found}, this one knows formats up to {known}.")
    state_now = N_("Nothing was changed and nothing was overwritten.")
    next_actions = (N_("Update techtool on this laptop, then do the same again."),)


class DiskFull(StoreError):
    """No room left on the laptop's disk or the stick."""

    code = "TT-503"
    exit_code = Exit.DISK_FULL
    what = N_("The disk is full: {path}")
    state_now = N_("Everything recorded before is safe; the last entry was not written.")
    next_actions = (N_("Free some space on that disk, then resume."),)


class NotEnoughRoom(DiskFull):
    """What is to be written would not fit; found out before anything is written."""

    code = "TT-507"
    what = N_("Not enough room in {path}: {needed} needed, {free} free.")
    state_now = N_("Nothing was begun, and nothing was changed.")


class DiskError(StoreError):
    """The disk refuses: read-only, no permission, gone."""

    code = "TT-504"
    what = N_("{path} cannot be used: {problem}")
    state_now = N_("Everything recorded before is safe; nothing more was written.")
    next_actions = (N_("Check that it exists and that you may read and write it, then start again."),)


# --- TT-6xx: backups -----------------------------------------------------------------------------------------------


class BackupError(TechtoolError):
    """Backups."""

    code = "TT-600"


class ForbiddenContent(BackupError):
    """Card data or a key was met where none may be."""

    code = "TT-601"
    exit_code = Exit.FORBIDDEN_CONTENT
    what = N_("{item} holds what may never be stored ({kind}, at byte {offset}).")
    state_now = N_("No backup was kept and nothing of it is on this laptop. The terminal was not changed.")
    next_actions = (N_("Report it to the office without copying the content; do not go on with this terminal."),)


class BackupNotVerified(BackupError):
    """What was written does not read back as it was read from the terminal."""

    code = "TT-602"
    exit_code = Exit.BACKUP_NOT_VERIFIED
    what = N_("The backup could not be verified: {problem}")
    state_now = N_("The terminal was not changed.")
    next_actions = (N_("Back up again; if it fails again, check this laptop's disk."),)


class RestoreRefused(BackupError):
    """A restore that could harm."""

    code = "TT-603"
    exit_code = Exit.RESTORE_REFUSED
    what = N_("The backup may not be restored here: {reason}")
    next_actions = (
        N_("Leave the terminal as it is: a second try gets the same answer."),
        N_("“techtool backup list” shows the other backups; where nothing may come back, ask for a newer release."),
    )


# --- TT-7xx and the rest -------------------------------------------------------------------------------------------


class OfficeError(TechtoolError):
    """The office's server."""

    code = "TT-700"
    exit_code = Exit.OFFICE_UNREACHABLE
    what = N_("The office cannot be reached: {problem}")
    state_now = N_("Nothing is lost: what did not get home waits on this laptop.")
    next_actions: ClassVar[tuple[str, ...]] = (
        N_("Try again when there is a network: “techtool sync” goes on where it was."),
        N_("Or take the visits home on a stick: “techtool sync --to FOLDER”."),
    )


class OfficeCertificate(OfficeError):
    """The server's certificate is not one that this laptop was told to believe."""

    code = "TT-701"
    what = N_("{host} does not prove that it is the office: {problem}")
    state_now = N_("Nothing was sent to it.")
    next_actions = (
        N_("On a guest network? Sign in to it first, or use another network."),
        N_("Check this laptop's date and time."),
        N_("Else tell the office: its certificate may have changed."),
    )


class OfficeDenied(OfficeError):
    """The server answers, and does not take what is sent."""

    code = "TT-702"
    what = N_("The office's server does not let this laptop in: {problem}")
    next_actions = (
        N_("Check the address, and enter the name and password that the office gave you: “techtool office login”."),
        N_("If all of that is right, tell the office."),
    )


class OfficeRefused(OfficeError):
    """The server does not take one of the visits."""

    code = "TT-704"
    what = N_("The office's server does not take {visit}: {problem}")
    state_now = N_("It stays on this laptop, whole; the others went on.")
    next_actions = (N_("Tell the office; take this visit home on a stick meanwhile: “techtool sync --to FOLDER”."),)


class RecordUnproven(OfficeError):
    """The record of a visit reached the office, and nobody whom it knows stands for it."""

    code = "TT-705"
    exit_code = Exit.UNTRUSTED
    what = N_("The record of visit {visit} is not taken: {problem}")
    state_now = N_("It was left where it is; the others went on.")
    next_actions = (
        N_("Ask the technician for the line of the report key (“techtool enrol --key-line”) and add it to the list."),
        N_("A record that was sealed without a key can be taken with --unsigned."),
    )


class OfficeConflict(OfficeError):
    """Under the same name the office holds something else than this laptop: a fault or a forgery, never silent."""

    code = "TT-703"
    exit_code = Exit.OFFICE_CONFLICT
    what = N_("The office holds something else under the same name: {visits}")
    state_now = N_("Both are kept; nothing was written over. The other visits are home.")
    next_actions = (N_("Tell the office which visits these are; it compares both with their seals."),)


class Interrupted(TechtoolError):
    """^C, SIGTERM, a closed window."""

    code = "TT-800"
    exit_code = Exit.INTERRUPTED
    what = N_("Stopped before the end.")
    state_now = N_("Every step so far is recorded; an unfinished step is read again on resume.")
    next_actions = (N_("“techtool visit resume” goes on from here."),)


class InternalError(TechtoolError):
    """A defect of techtool: the net under everything, so that no traceback reaches a technician."""

    code = "TT-900"
    what = N_("techtool itself failed ({kind}).")
    state_now = N_(
        "What was recorded so far is safe; an unfinished step counts as inconsistent until it is read again."
    )
    next_actions = (N_("Resume the visit; send a support bundle to the office."),)
