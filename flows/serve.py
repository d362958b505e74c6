"""All flows from one program, for one machine without a work pool: `python -m flows.serve`.

The server that `PREFECT_API_URL` names starts them, each run in a process of its own; `nightly` at its time.
"""

from .environment import prepare

prepare(program=False)

import sys
from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.settings import get_current_settings
from prefect.types.entrypoint import EntrypointType

from pfocr_rdf.errors import PfocrError, UsageError

from .backfill import backfill
from .config import Configuration, load
from .load import load as loading
from .nightly import nightly
from .release import release
from .watch import watch

ALONE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
"""Of two runs at once the second is cancelled."""


def deployments(values: Configuration) -> list[RunnerDeployment]:
    """Return the deployment of each flow; each is named as its flow is, and `nightly` has a schedule."""
    # named, as in prefect.yaml: a server that knows the deployment already takes no other
    schedule = Cron(values.cron, timezone=values.timezone, slug=nightly.name.removeprefix("pfocr-rdf-"))
    flows: tuple[Any, ...] = (nightly, release, loading, backfill)
    return [
        flow.to_deployment(
            flow.name.removeprefix("pfocr-rdf-"),
            schedule=schedule if flow is nightly else None,
            concurrency_limit=ALONE,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        for flow in flows
    ]


def main() -> int:
    """Serve until the program is stopped; the schedule stays. Return the exit code."""
    try:
        if not get_current_settings().api.url:
            raise UsageError("set PREFECT_API_URL to your server, such as http://127.0.0.1:4200/api")
        values = load().values  # asks the server too
        watch()
        serve(*deployments(values), pause_on_shutdown=False)
    except PfocrError as error:
        print(f"pfocr-rdf: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
