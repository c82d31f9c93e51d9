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

    resolved = {alert["experiment"] for alert in alerts if alert["resolved_by"] is not None}
    wrong = [f"no alert of {it} fired and was resolved" for it in experiments if it not in resolved]
    critical = [alert for alert in alerts if alert["labels"].get("severity") == "critical"]
    wrong += [f"{alert['alert']} fired as critical in a run that keeps its promises" for alert in critical]

    print("\n".join(wrong) or f"alerts told of all {len(experiments)} experiments, and nothing was critical")
    return 1 if wrong or not experiments else 0


if __name__ == "__main__":
    sys.exit(main())
