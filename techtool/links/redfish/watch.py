"""Who listens to what is asked of a Redfish service, and what it answers."""

from __future__ import annotations

from typing import Protocol

from techtool.errors import LinkError, TechtoolError
from techtool.links.base import Capability
from techtool.links.redfish.http import Answer


class Watcher(Protocol):
    """Who writes down what is asked of a device; signing in and what is sent are not told."""

    def opened(self, capabilities: frozenset[Capability]) -> None:
        """The link is open."""
        ...

    def not_opened(self, error: TechtoolError) -> None:
        """It could not be opened."""
        ...

    def answered(self, method: str, path: str, answer: Answer) -> None:
        """The device's answer, without the login's words."""
        ...

    def failed(self, method: str, path: str, error: LinkError) -> None:
        """No answer came."""
        ...
