"""Which functional tests a visit to one terminal calls for, each with its reason. Pure.

Field practice (required for firmware, payment application, configuration, installation, inspection) stands in the
catalogue; here it meets what is known of the terminal, of the merchant's consent, and what a release adds itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from techtool.domain.functional import OCCASION_OF, Capability, FunctionalTest, Mode, Occasion
from techtool.domain.probe import Finding
from techtool.domain.question import CheckResult
from techtool.domain.release import Release
from techtool.domain.work_order import VisitType
from techtool.i18n import LANGUAGES, N_, Phrase, bilingual, phrase

INSTALLING = frozenset({VisitType.INSTALL, VisitType.SWAP})
OCCASION_LABEL = {
    Occasion.FIRMWARE: N_("firmware was installed"),
    Occasion.PAYMENT_APP: N_("the payment application was changed"),
    Occasion.CONFIGURATION: N_("kernels, parameters or certificates were changed"),
    Occasion.INSTALLATION: N_("the terminal is newly placed or swapped"),
    Occasion.INSPECTION: N_("this is an inspection"),
}
_CAPABILITY_LABEL = {
    Capability.PRINTER: N_("printer"),
    Capability.MAGSTRIPE: N_("magnetic stripe reader"),
    Capability.CHIP: N_("chip reader"),
    Capability.CONTACTLESS: N_("contactless reader"),
    Capability.SCANNER: N_("scanner or camera"),
    Capability.ETHERNET: N_("Ethernet"),
    Capability.WIFI: N_("Wi-Fi"),
    Capability.CELLULAR: N_("cellular modem"),
    Capability.PIN_PAD: N_("PIN pad"),
    Capability.BATTERY: N_("battery"),
    Capability.TOUCHSCREEN: N_("touch screen"),
    Capability.KEYPAD: N_("keypad"),
    Capability.CASH_REGISTER: N_("cash-register link"),
}


class Consent(StrEnum):
    """Whether the merchant agreed to test sales."""

    GIVEN = "given"
    REFUSED = "refused"
    NOT_ASKED = "not-asked"
    """Nobody said yes, which is as good as a no."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides which tests are required on one terminal."""

    occasions: frozenset[Occasion]
    capabilities: Mapping[Capability, bool] = field(default_factory=dict)
    """What it has (True) and has not (False); what is not in it is not known, and a person is asked."""
    added: Mapping[str, str] = field(default_factory=dict)
    """Test id → release that adds it (``after.checks``)."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Test id → language → what the release says of it."""

    @classmethod
    def of(
        cls, releases: Iterable[Release], visit: VisitType, capabilities: Mapping[Capability, bool] | None = None
    ) -> Situation:
        """Of a visit of this type that installs these releases."""
        found = tuple(releases)
        occasions = {OCCASION_OF[release.kind] for release in found}
        if visit in INSTALLING:
            occasions.add(Occasion.INSTALLATION)
        if visit is VisitType.INSPECTION:
            occasions.add(Occasion.INSPECTION)
        added = {test: release.key for release in found for test in release.after.checks}
        texts = {test: words for release in found for test, words in release.after.texts.items()}
        return cls(frozenset(occasions), capabilities or {}, added, texts)


@dataclass(frozen=True, slots=True)
class ChosenTest:
    """One test of a terminal's list."""

    id: str
    title: Phrase
    required: bool
    """Without it the visit is not complete."""
    because: Phrase
    """Why it is on the list, or why it need not be done."""
    follows: tuple[str, ...] = ()
    """It counts only after one of these was run."""
    absent: Phrase | None = None
    """The terminal has not what it tests: it is “not applicable” without anybody being asked."""


def choose_tests(tests: Sequence[FunctionalTest], situation: Situation) -> tuple[ChosenTest, ...]:
    """The terminal's list, in the order of work: what a person does at one place of the terminal stands together."""
    chosen: dict[str, ChosenTest] = {}
    for test in sorted(tests, key=lambda test: test.turn):
        found = _chosen(test, situation, chosen)
        if found is not None:
            chosen[test.id] = found
    for test_id in sorted(situation.added.keys() - {test.id for test in tests}):
        chosen[test_id] = _unknown(test_id, situation)
    return tuple(chosen.values())


def _unknown(test_id: str, situation: Situation) -> ChosenTest:
    """A test that only the release knows: it was signed with the release, so no visit is complete without it."""
    release = situation.added[test_id]
    texts = situation.texts.get(test_id)
    title = bilingual(texts) if texts else phrase("The test {id} of {release}", id=test_id, release=release)
    return ChosenTest(test_id, title, True, phrase("{release} asks for it", release=release))


def by_hand(chosen: ChosenTest) -> FunctionalTest:
    """How a test is done that the catalogue does not describe: by a person, from its title alone."""
    criteria = phrase(
        "The release asks for this test, and this techtool does not describe it: do it as the release's notes say. "
        "Where you do not know how, answer “not done” and why."
    )
    return FunctionalTest(
        chosen.id,
        {language: chosen.title.text(language) for language in LANGUAGES},
        (Mode.HUMAN,),
        {language: criteria.text(language) for language in LANGUAGES},
    )


def _chosen(test: FunctionalTest, situation: Situation, before: Mapping[str, ChosenTest]) -> ChosenTest | None:
    occasions = [occasion for occasion in Occasion if occasion in situation.occasions & set(test.required_for)]
    if test.id in situation.added:
        because = phrase("{release} asks for it", release=situation.added[test.id])
    elif occasions:
        because = Phrase(OCCASION_LABEL[occasions[0]])
    elif test.follows and any(other in before and before[other].absent is None for other in test.follows):
        because = phrase("it belongs after {tests}", tests=", ".join(test.follows))
    elif Occasion.PAYMENT_APP in situation.occasions and not (test.required_for or test.follows):
        return ChosenTest(test.id, test.title_phrase, required=False, because=phrase("nothing calls for it here"))
    else:
        return None
    follows = () if occasions or test.id in situation.added else test.follows
    return ChosenTest(test.id, test.title_phrase, True, because, follows, _absent(test, situation.capabilities))


def _absent(test: FunctionalTest, capabilities: Mapping[Capability, bool]) -> Phrase | None:
    """Only where it is known of everything that would do."""
    if test.needs and all(capabilities.get(need) is False for need in test.needs):
        return phrase("this terminal has none: {what}", what=Phrase(_CAPABILITY_LABEL[test.needs[0]]))
    return None


def is_due(test: ChosenTest, results: Mapping[str, str]) -> bool:
    """Whether it has to be done, by what was done so far: a void only after a sale that was run."""
    run = (CheckResult.PASS.value, CheckResult.FAIL.value)
    return not test.follows or any(results.get(other) in run for other in test.follows)


def without_consent(test: FunctionalTest, consent: Consent) -> Finding | None:
    """A test sale that nobody agreed to is not done, and that is said; None: it may be done."""
    if not test.consent or consent is Consent.GIVEN:
        return None
    if consent is Consent.REFUSED:
        said = phrase("the merchant did not agree to a test sale")
    else:
        said = phrase("the merchant's consent to a test sale was not recorded")
    return Finding(CheckResult.NOT_DONE, said=said)
