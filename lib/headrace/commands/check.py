"""`headrace check`.

With `--json` one object: `ok`, and `checks`: a list of {name, ok, said, todo}.
"""

import argparse
from dataclasses import asdict

from headrace.commands.options import config_option, json_option
from headrace.commands.text import to_json
from headrace.config_file import load
from headrace.pipelines.check import check


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Try everything; 1 where something failed."""
    config = load(args.config)
    if not args.json:
        tables, sources = len(config.tables), len(config.sources)
        print(f"ok      settings: {args.config} ({tables} tables, {sources} sources)")
    findings = []
    for finding in check(config):
        findings.append(finding)
        if not args.json:
            print(f"{'ok    ' if finding.ok else 'FAILED'}  {finding.name}: {finding.said}", flush=True)
            if finding.todo:
                print(f"        {finding.todo}")
    failed = sum(1 for finding in findings if not finding.ok)
    if args.json:
        print(to_json({"ok": not failed, "checks": [asdict(finding) for finding in findings]}))
    else:
        print(f"\n{failed} of {len(findings) + 1} checks failed." if failed else "\nAll checks passed.")
    return 1 if failed else 0
