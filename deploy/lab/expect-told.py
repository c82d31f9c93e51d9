#!/usr/bin/env python3
"""Succeeds when somebody was told of every experiment of a run, that it is over, and of nothing as critical.

usage: expect-told.py RUN_FOLDER
"""

import json
import sys
from pathlib import Path


def main() -> int:
    folder = Path(sys.argv[1])
    alerts = json.loads((folder / "report.json").read_text())["alerts"]
    experiments = [it["experiment"] for it in json.loads((folder / "chaos.json").read_text())["experiments"]]

    told = [alert for alert in alerts if alert["alert"] == "OrdealComponentDown"]
    wrong = [f"no alert told of {it}" for it in experiments if it not in {alert["experiment"] for alert in told}]
    open_ends = [alert for alert in told if alert["resolved_by"] is None]
    wrong += [f"an alert of {alert['experiment']} was not resolved: {alert['labels']}" for alert in open_ends]
    critical = [alert for alert in alerts if alert["labels"].get("severity") == "critical"]
    wrong += [f"{alert['alert']} fired as critical in a run that keeps its promises" for alert in critical]

    print("\n".join(wrong) or f"alerts told of all {len(experiments)} experiments, and nothing was critical")
    return 1 if wrong or not experiments else 0


if __name__ == "__main__":
    sys.exit(main())
