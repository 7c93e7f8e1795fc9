"""Verify: read again from the terminal; never trust “Success”."""

from __future__ import annotations

from techtool.domain.components import lasting
from techtool.domain.plan import StepKind
from techtool.domain.release import ApkFacts, ReleaseFile
from techtool.domain.terminal import InstalledPackage, TerminalState
from techtool.domain.visit import InstalledFile
from techtool.errors import VerifyFailed
from techtool.i18n import Phrase, phrase
from techtool.visit.by_hand import is_by_hand
from techtool.visit.lane import Lane
from techtool.visit.steps.by_hand import verify_by_hand
from techtool.visit.steps.identify import read_state
from techtool.visit.steps.images import takes_images, verify_images


async def verify(lane: Lane) -> None:
    """Compare versions, signer, digest and the rest of the packages with the plan; raises :class:`VerifyFailed`."""
    if is_by_hand(lane.address):
        await verify_by_hand(lane)
        return
    async with lane.step(StepKind.VERIFY, title=phrase("Read the terminal again")) as step:
        brought = lasting([verified.release for verified in lane.agreed.releases])
        planned = [(release.key, file, apk) for release, file, apk in brought]
        after = await read_state(lane)
        lane.state = after
        lane.log.read_again(lane.id, after)
        if takes_images(lane):
            count = verify_images(lane, after)
            _others_unchanged(lane, after, {verified.release.id for verified in lane.agreed.releases})
            step.result = phrase("{count} packages read back: the versions agree", count=count)
            lane.changing = False
            return
        unread = [apk.id for key, file, apk in planned if not await _verify_package(lane, after, key, file, apk)]
        _others_unchanged(lane, after, {apk.id for _key, _file, apk in planned})
        if unread:
            text = phrase("Digest or signer of {packages} cannot be read on this terminal.", packages=", ".join(unread))
            lane.notice(text, step=StepKind.VERIFY, warning=True)
            step.result = phrase("{count} packages read back: the versions agree", count=len(planned))
        else:
            step.result = phrase("{count} packages read back: version, signer and digest agree", count=len(planned))
    lane.changing = False


async def _verify_package(lane: Lane, after: TerminalState, key: str, file: ReleaseFile, apk: ApkFacts) -> bool:
    """Whether digest and signer could be read as well; a difference is raised."""
    found = await lane.driver.installed_file(apk.id)
    if found is None:
        raise VerifyFailed(package=apk.id, reason=phrase("it is not there"))
    package, sha256 = found
    signer = (after.package(apk.id) or package).signer or package.signer
    package = InstalledPackage(package.id, package.version, package.version_code, signer)
    lane.log.installed(lane.id, InstalledFile(key, package, file.sha256, sha256))
    problem = _difference(package, sha256, file, apk)
    if problem is not None:
        raise VerifyFailed(package=apk.id, reason=problem)
    return bool(sha256 and signer)


def _difference(package: InstalledPackage, sha256: str, file: ReleaseFile, apk: ApkFacts) -> Phrase | None:
    if package.version_code != apk.version_code:
        return phrase(
            "it has version code {found}, {wanted} was installed", found=package.version_code, wanted=apk.version_code
        )
    if package.version.strip() != apk.version.strip() and sha256 != file.sha256:
        return phrase("it says version {found}, {wanted} was installed", found=package.version, wanted=apk.version)
    if sha256 and sha256 != file.sha256:
        return phrase("its digest on the terminal differs from the stick's")
    if package.signer and package.signer != apk.signer:
        return phrase("it is signed by somebody else")
    return None


def _others_unchanged(lane: Lane, after: TerminalState, planned: set[str]) -> None:
    before = lane.before or after
    for package in before.packages:
        if package.id in planned:
            continue
        now = after.package(package.id)
        if now is None or now.mark != package.mark:
            lane.notice(
                phrase("{package} changed although the plan does not name it.", package=package.id),
                step=StepKind.VERIFY,
                warning=True,
            )
