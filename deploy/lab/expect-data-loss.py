#!/usr/bin/env python3
"""Succeeds when a verdict is fail, data loss is all that failed, its count is the truth, and an alert told of it.

usage: expect-data-loss.py RUN_FOLDER (while the lab is still up)

The truth does not come from the exporter's audit: it is the acknowledged ids of the ledger's file that are in
the dead primary's copied data directory and absent from the survivor.
"""

import json
import subprocess
import sys
from pathlib import Path

SURVIVOR = "postgres://ordeal@198.18.79.1:5432/shop"


def acknowledged(ledger: Path) -> set:
    """Ids (worker, seq) whose end is `a` (acked): lines `e WORKER SEQ TIME OUTCOME CRC`."""
    ends = (line.split() for line in ledger.read_text().splitlines() if line.startswith("e "))
    return {(int(end[1]), int(end[2])) for end in ends if end[4] == "a"}


def rows(run: str, lines: str) -> set:
    """Ids of one run in lines `RUN WORKER SEQ`."""
    fields = (line.split() for line in lines.splitlines())
    return {(int(worker), int(seq)) for of, worker, seq in fields if of == run}


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    folder = Path(sys.argv[1]).resolve()
    run = folder.name
    report = json.loads((folder / "report.json").read_text())

    query = "SELECT run || ' ' || worker || ' ' || seq FROM ordeal_ledger"
    survived = rows(run, output("psql", "-XAt", SURVIVOR, "-c", query))
    dead = rows(run, output("lab", "dead-ids"))
    truth = len((acknowledged(folder / "ledger-postgres.log") & dead) - survived)

    failed = [finding for finding in report["findings"] if finding["verdict"] == "fail"]
    loss = [f for f in failed if f["kind"] == "data_loss" and f["name"] == "nothing lost in PostgreSQL"]
    told = loss[0]["observed"]["value"] if loss and loss[0]["observed"] else None

    paged = [alert for alert in report["alerts"] if alert["alert"] == "OrdealDataLost"]

    print(f"verdict {report['verdict']}; failed: {', '.join(f['name'] for f in failed) or 'nothing'}")
    print(f"lost by the verdict: {told}; lost in truth: {truth}")
    print(f"alerts of it: {len(paged)}")
    as_expected = report["verdict"] == "fail" and len(failed) == 1 and told == truth and truth > 0 and paged
    due = "data loss alone had to fail, with the true count, and OrdealDataLost to fire"
    print("as expected" if as_expected else f"NOT as expected: {due}")
    return 0 if as_expected else 1


if __name__ == "__main__":
    sys.exit(main())
