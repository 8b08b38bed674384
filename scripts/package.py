"""Build what AWS Glue and Databricks run: `dist/<wheel>`, and `dist/<wheel name>.gluewheels.zip` for Glue.

The bundle holds Headrace and every package its jobs need beside those Glue brings (`glue_6_0.txt`), each as a wheel for
Python 3.13 on x86_64 Linux: a job without internet installs it with `--no-index`. Versions are pinned in
`requirements-glue.lock`; `--lock` resolves them again.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
LOCK = ROOT / "requirements-glue.lock"
SHIPPED = ROOT / "scripts" / "glue_6_0.txt"
PYTHON = "3.13"
PLATFORMS = [
    "manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64",
    "manylinux_2_12_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "any",
]  # fmt: skip
TARGET = [
    "--python-version", PYTHON, "--implementation", "cp", "--abi", "cp313", "--abi", "abi3", "--abi", "none",
    *[part for platform in PLATFORMS for part in ("--platform", platform)], "--only-binary=:all:",
]  # fmt: skip
LARGEST = 250_000_000
"""Bytes of a bundle: each worker of Glue fetches and unpacks it at every start."""


def main() -> int:
    shutil.rmtree(DIST, ignore_errors=True)
    wheel = build()
    if "--lock" in sys.argv[1:]:
        LOCK.write_text(locked(wheel))
        print(f"package: {LOCK.name} written")
    bundle = bundled(wheel)
    for file in (wheel, bundle):
        print(f"package: dist/{file.name} {file.stat().st_size / 1e6:.1f} MB")
    return 0


def build() -> Path:
    """Headrace's own wheel. Its bytes depend on the sources alone, as its place in S3 is named by its hash."""
    with tempfile.TemporaryDirectory() as folder:
        # A copy: setuptools writes lib/headrace.egg-info and build/, and takes up what lies in an old build/.
        sources = Path(folder) / "sources"
        sources.mkdir()
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, sources)
        shutil.copytree(ROOT / "lib", sources / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(DIST), str(sources), epoch=True)
    (wheel,) = DIST.glob("headrace-*.whl")
    return wheel


def bundled(wheel: Path) -> Path:
    """The zip of wheels."""
    with tempfile.TemporaryDirectory() as folder:
        pip("download", "--no-deps", *TARGET, "--dest", folder, "-r", str(LOCK))
        bundle = wheel.with_name(f"{wheel.stem.split('-py3')[0]}.gluewheels.zip")
        with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as file:
            for one in sorted([wheel, *Path(folder).glob("*.whl")], key=lambda path: path.name):
                # The same wheels must make the same bytes.
                file.writestr(zipfile.ZipInfo(one.name, (1980, 1, 1, 0, 0, 0)), one.read_bytes())
    if bundle.stat().st_size > LARGEST:
        raise SystemExit(f"package: expected a bundle below {LARGEST:,} bytes; found {bundle.stat().st_size:,}.")
    return bundle


def locked(wheel: Path) -> str:
    """What the extra `glue` needs beside what Glue brings, pinned."""
    shipped = pins(SHIPPED.read_text())
    with tempfile.TemporaryDirectory() as folder:
        report, constraints = Path(folder) / "report.json", Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in shipped.items()))
        pip(
            "install", "--dry-run", "--quiet", "--ignore-installed", "--report", str(report), *TARGET,
            "--target", folder, "-c", str(constraints), f"{wheel}[glue]",
        )  # fmt: skip
        found = {
            plain(item["metadata"]["name"]): item["metadata"]["version"]
            for item in json.loads(report.read_text())["install"]
        }
    rest = sorted((name, version) for name, version in found.items() if name not in {"headrace", *shipped})
    head = "# Written by `python scripts/package.py --lock`: what the bundle for AWS Glue holds beside Headrace.\n"
    return head + "".join(f"{name}=={version}\n" for name, version in rest)


def pins(text: str) -> dict[str, str]:
    """`name==version` lines, by plain name."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return {plain(name): version for name, _, version in (line.partition("==") for line in lines if line)}


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pip(*arguments: str, epoch: bool = False) -> None:
    """Run pip; what it says is shown only where it fails."""
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | (
        {"SOURCE_DATE_EPOCH": "315532800"} if epoch else {}
    )
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"package: `pip {arguments[0]}` failed: {(done.stdout + done.stderr)[-1500:]}")


if __name__ == "__main__":
    sys.exit(main())
