"""What is written down of a gateway, what never is, and a gateway made of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

import pytest

from techtool.domain.terminal import Address
from techtool.errors import CommandRefused, LinkError, LinkLost, NotCapable, WrongProtocol
from techtool.links.open import replayed
from techtool.links.record.recorder import Recorder
from techtool.links.record.recording_link import OUTPUT_BYTES
from techtool.links.record.replay_redfish import ReplayRedfish
from techtool.links.redfish.link import RedfishLink
from techtool.links.redfish.logins import Login
from techtool.paths import Paths
from techtool.terminals.redfish_read import read_components, read_machine
from tests.unit.links.hostile import Page, answer, device
from tests.unit.links.record.making import recorder

SYSTEM = "/redfish/v1/Systems/SN77120034"
SECRET = "Pl4nted-Secret-9"
ROOT = {
    "RedfishVersion": "1.18.0",
    "UUID": "85775665-c110-4b85-8989-e6162170b3ec",
    "Systems": {"@odata.id": "/redfish/v1/Systems"},
    "Links": {"Sessions": {"@odata.id": "/redfish/v1/S"}},
}
MACHINE = {
    "@odata.id": SYSTEM,
    "Manufacturer": "Noname",
    "Model": "G1",
    "SerialNumber": "SN77120034",
    "AssetTag": "Shop 0815 counter",
    "HostName": "till-of-noodle-house",
    "Location": {"PostalAddress": {"Street": "Example Road 1"}},
    "MACAddress": "00:11:22:33:44:55",
    "Password": SECRET,
    "BiosVersion": "2.0",
    "Note": f"card 4111111111111111, serial SN77120034, {SECRET}",
    "Oem": {"Noname": {"Tid": 20019988, "ApiToken": "abc123abc123", "Fans": 3, "Warm": True}},
}
NEVER = (
    "SN77120034", "85775665", "0815", "noodle", "Example Road", "00:11:22", SECRET, "4111111111111111", "20019988",
    "abc123abc123", "tok-7731",
)  # fmt: skip


def pages(**more: Page) -> dict[str, Page]:
    session = answer({"Id": "s"}, "201 Created", "X-Auth-Token: tok-7731\r\nLocation: /redfish/v1/S/1\r\n")
    return {
        "/redfish/v1/": ROOT,
        "/redfish/v1/S": session,
        "/redfish/v1/Systems": {"Members": [{"@odata.id": SYSTEM}]},
        SYSTEM: MACHINE,
        **more,
    }


async def recorded(folder: Path, pages: dict[str, Page], *paths: str) -> Recorder:
    """Identified as far as there is something, and these paths asked besides."""
    made = recorder()
    async with device(folder, pages) as (link, _asked):
        watched = made.wrap(link)
        assert watched is link
        link.sign_in(Login("somebody", SECRET))
        await link.open()
        await read_components(link, await read_machine(link))
        for path in paths:
            try:
                await link.get(path)
            except LinkError:
                continue
    return made


def again(made: Recorder, folder: Path) -> RedfishLink:
    path = folder / "recording.jsonl"
    path.write_bytes(made.pack())
    link = replayed(Address("replay", str(path)), Paths(folder))
    assert isinstance(link, ReplayRedfish)
    return link


async def test_what_may_not_leave_the_shop_is_not_in_it(tmp_path: Path) -> None:
    made = await recorded(tmp_path, pages())
    link = again(made, tmp_path)
    kept = (tmp_path / "recording.jsonl").read_text()
    for word in NEVER:
        assert word not in kept
    assert '"POST ' not in kept, "signing in is no part of it"
    await link.open()
    machine = await read_machine(link)
    assert (machine.properties["redfish.system.Manufacturer"], machine.properties["redfish.system.Model"]) == (
        "Noname",
        "G1",
    )
    serial = machine.properties["redfish.system.SerialNumber"]
    assert len(serial) == len("SN77120034")
    assert machine.system["@odata.id"] == f"/redfish/v1/Systems/{serial}", "the same number, also where it is a path"
    assert machine.properties["redfish.system.Oem.Noname.Fans"] == "3"


async def test_secrets_in_boxes_in_lists_and_beside_their_names(tmp_path: Path) -> None:
    """What a maker adds (Oem) and attribute lists (DSP0268, Bios) do not name a value by its own key."""
    oem = {
        "AdminPassword": {"Current": "hidden-one", "History": [{"Text": "hidden-two"}], "@odata.id": "/redfish/v1/p"},
        "Tokens": ["hidden-three"],
        "SerialNumber": {"Value": "QX55667788"},
        "Attributes": [
            {"AttributeName": "SupervisorPassword", "CurrentValue": "hidden-four", "DefaultValue": 31337002},
            {"Name": "TerminalId", "Value": "30078812"},
            {"Name": "FanMode", "Value": "quiet"},
        ],
        "FQDN": "till.noodle.example",
        "Note": "reach it as till.noodle.example",
        "Payload": {"JsonBody": '{"ImageURI": "http://10.77.1.5:4711/hidden/x.bin"}', "TargetUri": "/redfish/v1/u"},
    }
    made = await recorded(tmp_path, pages(**{"/x/oem": oem}), "/x/oem")
    link = again(made, tmp_path)
    kept = (tmp_path / "recording.jsonl").read_text()
    for word in ("hidden", "31337002", "QX55667788", "30078812", "noodle", "10.77.1.5"):
        assert word not in kept
    await link.open()
    body = await link.get("/x/oem")
    assert body["AdminPassword"]["@odata.id"] == "/redfish/v1/p"  # type: ignore[index]
    assert body["Attributes"][2] == {"Name": "FanMode", "Value": "quiet"}  # type: ignore[index]


async def test_it_answers_what_was_asked_and_takes_nothing(tmp_path: Path) -> None:
    async def hangs_up(writer: object) -> None:
        writer.transport.abort()  # type: ignore[attr-defined]

    no = answer({"error": {"message": "not for you"}}, "403 No")
    made = await recorded(tmp_path, pages(**{"/x/no": no, "/x/gone": hangs_up}), "/x/no", "/x/gone")
    link = again(made, tmp_path)
    with pytest.raises(LinkLost):
        await link.get("/redfish/v1/")
    await link.open()
    with pytest.raises(CommandRefused, match="not for you"):
        await link.get("/x/no")
    with pytest.raises(LinkLost):
        await link.get("/x/gone")
    with pytest.raises(CommandRefused, match="not asked"):
        await link.get("/x/other")
    with pytest.raises(NotCapable):
        await link.ask("POST", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", {})
    assert not link.capabilities


async def test_an_answer_that_is_too_long_is_left_out(tmp_path: Path) -> None:
    long = {"Registry": "x" * OUTPUT_BYTES}
    made = await recorded(tmp_path, pages(**{"/x/long": long}), "/x/long")
    link = again(made, tmp_path)
    assert len((tmp_path / "recording.jsonl").read_bytes()) < OUTPUT_BYTES
    await link.open()
    with pytest.raises(CommandRefused, match="keeps nothing"):
        await link.get("/x/long")


async def test_an_answer_in_a_hundred_boxes(tmp_path: Path) -> None:
    """As deep as the link takes them: the recording is made all the same."""
    deep = {f"/x/{depth}": answer(b'{"a":' * depth + b"1" + b"}" * depth) for depth in range(50, 1000, 50)}
    made = await recorded(tmp_path, pages(**deep), *deep)
    link = again(made, tmp_path)
    await link.open()
    assert (await read_machine(link)).properties["redfish.system.Model"] == "G1"


@pytest.mark.parametrize("body", ["[1]", "7", '"x"', "{", '{"Systems": []}'])
async def test_a_recording_that_somebody_made_up(tmp_path: Path, body: str) -> None:
    """Its hash fits, its answers are no objects: one of our errors, or nothing known."""
    made = recorder()
    async with device(tmp_path, {"/redfish/v1/": {"RedfishVersion": "1", "X": 1}}) as (link, _asked):
        made.wrap(link)
        await link.open()
    path = tmp_path / "recording.jsonl"
    head, entry, end = made.pack().splitlines()
    lines = b"".join(line + b"\n" for line in (head, json.dumps({**json.loads(entry), "stdout": body}).encode()))
    sealed = {**json.loads(end), "sha256": hashlib.sha256(lines).hexdigest()}
    path.write_bytes(lines + json.dumps(sealed).encode() + b"\n")
    replay = replayed(Address("replay", str(path)), Paths(tmp_path))
    assert isinstance(replay, RedfishLink)
    with contextlib.suppress(WrongProtocol):
        await replay.open()
        assert (await read_machine(replay)).properties == {}
