"""TT-3xx: the way to the terminal."""

from __future__ import annotations

from typing import ClassVar

from techtool.errors.base import Exit, TechtoolError
from techtool.i18n import N_


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
