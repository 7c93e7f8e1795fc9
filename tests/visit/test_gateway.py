"""A till gateway that speaks Redfish, from identify to report, over TLS, and with everything that may go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from techtool.domain.outcome import Outcome
from tests.visit.conftest import Shop
from tests.visit.gateways import FIRMWARE, LOGIN, PAY, gateway, make_gateway_stick, pinned, versions
from tests.visit.suite import with_stick


@pytest.fixture(scope="session")
def gateway_stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gateway_stick(tmp_path_factory.mktemp("gateway"))


@pytest.fixture
def till(shop: Shop, gateway_stick: Path) -> Shop:
    with_stick(shop, gateway_stick)
    shop.changed = dict(LOGIN)
    return shop


async def test_a_whole_visit(till: Shop) -> None:
    async with till.terminals("gateway") as simulation:
        await pinned(till, simulation)
        finished = await till.run(*simulation.addresses)
        assert (finished.outcome, finished.exit_code) == (Outcome.SUCCESS, 0)
        assert versions(simulation) == {FIRMWARE: "3.2.0", PAY: "1.5.0", "techtool.gateway.secure": "5.0"}
        assert gateway(simulation).open_sessions == 0
