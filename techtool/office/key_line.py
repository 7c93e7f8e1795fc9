"""The technician's report key as the office lists it."""

from __future__ import annotations

from techtool.errors import BadFile
from techtool.i18n import phrase
from techtool.paths import Paths, os_problem
from techtool.reports.keys import allowed_signers_line, principal_for, public_path
from techtool.reports.seals import SEAL_NAMESPACE
from techtool.reports.sshsig import NAMESPACE
from techtool.settings import read_settings


def key_line(paths: Paths) -> str:
    """A line for ``allowed_signers``, for reports and sealed visits alone; empty while there is no report key.

    Raises :class:`BadFile` where the public half cannot be read.
    """
    path = public_path(paths.report_key)
    try:
        public = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise BadFile(path=str(path), problem=phrase("it is no text file")) from error
    except OSError as error:
        raise BadFile(path=str(path), problem=os_problem(error)) from error
    settings = read_settings(paths.settings)
    principal = principal_for(settings.staff_no or settings.technician or " ".join(public.split()[2:]))
    return allowed_signers_line(public, principal, (NAMESPACE, SEAL_NAMESPACE))
