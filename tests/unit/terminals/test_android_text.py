"""What Android prints, read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from techtool.domain.terminal import Battery
from techtool.terminals.android_text import (
    ListedPackage,
    parse_battery,
    parse_free_bytes,
    parse_number,
    parse_packages,
    parse_paths,
    parse_properties,
    parse_versions,
)
from tests.unit.terminals import recorded


def test_properties_with_several_lines_and_brackets() -> None:
    properties = parse_properties(recorded.GETPROP)
    assert properties["ro.sunmi.serial"] == "P2L4711A00815"
    assert properties["wifi.interface"] == ""
    assert properties["ro.build.display.id"] == "P2_3.0.26_240603 "
    assert properties["ro.vendor.notes"] == "first line\n[second]: [line] of the same\nthird line"
    assert len(properties) == 17


def test_properties_through_a_tty_are_the_same() -> None:
    assert parse_properties(recorded.GETPROP.replace("\n", "\r\n")) == parse_properties(recorded.GETPROP)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_.]{0,20}", fullmatch=True),
        st.text(alphabet=st.characters(codec="utf-8", exclude_characters="[]\r"), max_size=40),
        max_size=8,
    )
)
def test_any_dump_reads_back(properties: dict[str, str]) -> None:
    dump = "".join(f"[{name}]: [{value}]\n" for name, value in properties.items())
    assert parse_properties(dump) == properties


@pytest.mark.parametrize("text", ["", "error: closed\n", "[broken", "[]: []", "[a: [b]", "\x00\xff" * 50])
def test_what_is_no_dump_has_no_properties(text: str) -> None:
    assert parse_properties(text) == {}


def test_packages() -> None:
    android, pay, settings, webview = parse_packages(recorded.PACKAGES)
    assert pay == ListedPackage("com.acme.pay", "/data/app/~~Zm9v==/com.acme.pay-YmFy==/base.apk", 10400)
    assert (webview.id, webview.version_code, webview.installer) == (
        "com.android.webview",
        438910534,
        "a.shop",
    )
    assert [p.in_system_image for p in (android, pay, settings, webview)] == [True, False, True, False]


def test_packages_of_an_old_terminal() -> None:
    pay, settings = parse_packages(recorded.PACKAGES_OLD)
    assert (pay.id, pay.path, pay.version_code) == ("com.acme.pay", "/data/app/com.acme.pay-1.apk", None)
    assert settings.in_system_image
    assert parse_packages("package:com.acme.pay\n") == (ListedPackage("com.acme.pay", "", None),)


@pytest.mark.parametrize(
    "line",
    ["package:/data/app/x.apk=com.a;reboot versionCode:1", "package:", "package:/a=b=", "Error: no", "package:=x y"],
)
def test_a_line_that_names_no_package_is_passed_over(line: str) -> None:
    assert parse_packages(line) == ()


def test_versions_come_from_the_package_that_runs() -> None:
    assert parse_versions(recorded.DUMPSYS_PAY) == {"com.acme.pay": (10400, "1.4.0 beta 2")}
    assert parse_versions(recorded.DUMPSYS_WEBVIEW) == {"com.android.webview": (438910534, "87.0.4280.101")}


def test_a_package_without_a_version_name_goes_by_its_code() -> None:
    assert parse_versions(recorded.DUMPSYS_ALL_OLD) == {
        "com.android.settings": (17, "4.2.2-1234"),
        "com.acme.pay": (10300, "10300"),
    }
    assert parse_versions("Unable to find package: x") == {}


def test_paths_begin_with_the_base() -> None:
    text = "package:/data/app/x/split_config.xhdpi.apk\npackage:/data/app/x/base.apk\n"
    assert parse_paths(text) == ("/data/app/x/base.apk", "/data/app/x/split_config.xhdpi.apk")
    assert parse_paths("") == ()


@pytest.mark.parametrize(
    ("text", "battery"),
    [
        (recorded.BATTERY, Battery(87, True)),
        (recorded.BATTERY.replace("USB powered: true", "USB powered: false"), Battery(87, False)),
        (recorded.BATTERY.replace("AC powered: false", "AC powered: true"), Battery(87, True)),
        (recorded.BATTERY.replace("level: 87", "level: 43").replace("scale: 100", "scale: 50"), Battery(86, True)),
        (recorded.BATTERY.replace("scale: 100", "scale: 0"), Battery(87, True)),
        ("  (UPDATES STOPPED -- use 'reset' to restart)\n  Dock powered: TRUE\n  LEVEL:7\n", Battery(7, True)),
        ("level: 250\nscale: 100", Battery(100, False)),
        (recorded.BATTERY.replace("present: true", "present: false"), None),
        ("Can't find service: battery\n", None),
        ("", None),
    ],
)
def test_battery(text: str, battery: Battery | None) -> None:
    assert parse_battery(text) == battery


@pytest.mark.parametrize(
    ("text", "free"),
    [
        (recorded.DF, 8211336 * 1024),
        (recorded.DF_WRAPPED, 3915036 * 1024),
        (recorded.DF_TOOLBOX, int(4.1 * (1 << 30))),
        ("Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/x 100 100 0 100% /data\n", 0),
        ("Filesystem 1K-blocks Used Available Use% Mounted on\n/dev/x 100 105 -5 105% /data\n", 0),
        ("Filesystem 512-blocks Used Available Use% Mounted on\n/dev/x 100 50 50 50% /data\n", 50 * 512),
        ("Filesystem 1M-blocks Used Available Use% Mounted on\n/dev/x 100 50 50 50% /data\n", 50 << 20),
        ("df: /data: Permission denied\n", None),
        ("", None),
    ],
)
def test_free_storage(text: str, free: int | None) -> None:
    assert parse_free_bytes(text) == free


@pytest.mark.parametrize(
    ("text", "number"),
    [("1700000000\n", 1.7e9), ("350735.47 234388.90\n", 350735.47), (" -5 ", -5.0)],
)
def test_numbers(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "date: bad\n", "%s", "nan", "inf", "1e9", "9" * 400, "12x"])
def test_no_numbers(text: str) -> None:
    assert parse_number(text) is None
