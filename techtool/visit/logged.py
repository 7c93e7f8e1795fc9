"""The events of a visit as lines of the log: which station, which code, how it ended; no name, nobody's text."""

from __future__ import annotations

from techtool.events import (
    Answered,
    Asked,
    Event,
    Finished,
    LaneFinished,
    LaneIdentified,
    Notice,
    StepDone,
    StepFailed,
    StepStarted,
    StillWaiting,
    VisitStarted,
)


def line_of(event: Event) -> str:
    """The line; empty: the event is none worth one (progress, plans)."""
    match event:
        case VisitStarted():
            return f"visit {event.visit} {'resumed' if event.resumed else 'started'}"
        case LaneIdentified():
            return f"lane {event.lane} identified"
        case StepStarted():
            return f"lane {event.lane} {event.step.value} begun"
        case StepDone():
            return f"lane {event.lane} {event.step.value} done"
        case StepFailed():
            return f"lane {event.lane} {event.step.value} failed {event.error.code}"
        case Asked():
            return f"lane {event.lane} {event.step.value} asks"
        case Answered():
            return f"lane {event.lane} {event.step.value} answered"
        case StillWaiting():
            return f"lane {event.lane} {event.step.value} waits {event.waited_s} s of {event.bound_s} s"
        case Notice():
            # The message id is ours; its values, and a text that is only values, are somebody else's.
            return f"lane {event.lane or '-'} notice: {event.text.msgid}"
        case LaneFinished():
            code = f" {event.error.code}" if event.error is not None else ""
            return f"lane {event.lane} finished {event.outcome.value} exit {event.exit_code}{code}"
        case Finished():
            sealed = "sealed" if event.sealed else "open"
            return f"visit {event.visit} {sealed} {event.outcome.value} exit {event.exit_code}"
        case _:
            return ""
