"""Runs whose process is gone are told as crashed: `python -m flows.watch`, once for each Prefect server.

A process that is killed can say nothing, so its run would be "running" for ever. Runs send a sign of life where
PREFECT_FLOWS_HEARTBEAT_FREQUENCY says so; one that stops without an end is marked by an automation of the server.
"""

from .environment import prepare

prepare(program=False)

import sys
from datetime import timedelta
from typing import cast

from prefect.automations import Automation
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.settings import get_current_settings

from pfocr_rdf.errors import UsageError

from .config import need_server

NAME = "pfocr-rdf: runs whose process is gone"
SILENCE = timedelta(seconds=100)
"""So long after its last sign of life a run is given up; three signs are missing then."""

MESSAGE = "The process of this run is gone: killed, or its machine stopped. What is published and served is whole."
_ENDS = ("Completed", "Failed", "Crashed", "Cancelled", "Cancelling", "Paused", "Suspended", "AwaitingRetry")


def watch() -> None:
    """Make the automation, or bring the one of this name to what it should be."""
    sign = "prefect.flow-run.heartbeat"
    wanted = Automation(
        name=NAME,
        description="Marks runs as crashed that send no sign of life any more.",
        trigger=EventTrigger(
            after={sign},
            expect={sign, *(f"prefect.flow-run.{state}" for state in _ENDS)},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=MESSAGE)],
    )
    try:
        earlier = cast(Automation, Automation.read(name=NAME))
    except ValueError:
        wanted.create()
        return
    wanted.id = earlier.id
    wanted.update()


def main() -> int:
    """Do it on the server that `PREFECT_API_URL` names; return the exit code."""
    if not get_current_settings().api.url:
        print("pfocr-rdf: set PREFECT_API_URL to your server, such as http://127.0.0.1:4200/api", file=sys.stderr)
        return 2
    try:
        need_server()
    except UsageError as error:
        print(f"pfocr-rdf: {error}", file=sys.stderr)
        return error.exit_code
    watch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
