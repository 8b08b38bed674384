"""Make .venv complete: the pinned packages, Headrace itself, a Java that runs Spark, Spark's jars.

`make install` runs it with the standard library only; `--tools NAME...` makes environments that some tests need
instead. A second run, with nothing changed, ends at once. Trouble with the network is told in one sentence; all that
pip said stays in .venv/install.log.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "headrace-installed"
LOG = VENV / "install.log"
LOCK = ROOT / "requirements.lock"
TOOLS = {"emulators": "the emulated AWS", "checkov": "checkov", "notebooks": "what runs notebooks"}
"""What some tests need besides, each with a lock and an environment of its own: .venv/<name>."""
SEES_HEADRACE = ("notebooks",)
"""Environments in which all of .venv can be imported too."""
OLDEST = (3, 11)
UNREACHABLE_SIGNS = (
    "Retrying (",
    "Max retries exceeded",
    "Cannot connect to proxy",
    "NameResolutionError",
    "Connection refused",
    "Network is unreachable",
    "timed out",
    "CERTIFICATE_VERIFY_FAILED",
)


class Trouble(Exception):
    """What the person at the terminal is told, in one sentence."""


def main() -> int:
    began = time.monotonic()
    try:
        if "--tools" in sys.argv[1:]:
            for name in sys.argv[sys.argv.index("--tools") + 1 :]:
                install_tool(name)
            return 0
        wanted = fingerprint()
        archive = "--archive" in sys.argv[1:]
        if STAMP.exists() and STAMP.read_text() == wanted and (VENV / "bin" / "headrace").exists():
            if not archive or any(VENV.glob("headrace-classes-*.jsa")):
                return 0
            prepare_spark(archive=True)
            return 0
        make_venv()
        packages = LOCK.read_text().count("==")
        say(f"installing {packages} pinned packages from PyPI (the first time takes a few minutes)")
        pip("install", "--progress-bar", "off", "-r", str(LOCK))
        pip("install", "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
        prepare_spark(archive=archive)
        STAMP.write_text(wanted)
    except Trouble as trouble:
        print(f"make install: failed. {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmake install: stopped; the next run goes on from here.", file=sys.stderr)
        return 130
    say(f"ready after {time.monotonic() - began:.0f} s: .venv/bin/headrace")
    return 0


def fingerprint() -> str:
    """Return a text that changes whenever the environment must be made again."""
    parts = [LOCK.read_bytes(), (ROOT / "setup.py").read_bytes(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install_tool(name: str) -> None:
    """Apart from .venv itself: what Headrace runs with stays what its own lock says."""
    place, lock = VENV / name, ROOT / f"requirements-{name}.lock"
    stamp = place / "installed"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    say(f"installing {TOOLS[name]} into .venv/{name}")
    subprocess.run([PYTHON, "-m", "venv", "--clear", str(place)], check=True)
    pip("install", "--progress-bar", "off", "-r", str(lock), python=place / "bin" / "python")
    if name in SEES_HEADRACE:
        packages = site_packages(PYTHON)
        # A plain line would not do: the .pth file by which .venv finds Headrace itself must be read as well.
        line = f"import site; site.addsitedir({str(packages)!r})\n"
        (site_packages(place / "bin" / "python") / "headrace.pth").write_text(line)
    stamp.write_bytes(lock.read_bytes())


def site_packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def make_venv() -> None:
    if PYTHON.exists() and venv_version() >= OLDEST:
        return
    if VENV.exists():
        say(".venv is broken or too old: making it again")
    else:
        say(f"making .venv with Python {sys.version.split()[0]}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in made.stdout + made.stderr:
            raise Trouble("This Python has no venv module; on Debian and Ubuntu run `apt install python3-venv`.")
        raise Trouble(f"`python -m venv .venv` said: {' '.join((made.stdout + made.stderr).split())[-300:]}")


def venv_version() -> tuple[int, ...]:
    code = "import sys, pip; print(*sys.version_info[:2])"
    answer = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True)
    return tuple(int(part) for part in answer.stdout.split()) if answer.returncode == 0 else (0,)


def pip(*arguments: str, python: Path = PYTHON) -> None:
    """Run pip in .venv, or where `python` lies: a line of progress for each 15 packages, the whole talk in the log."""
    environ = {"PIP_RETRIES": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **os.environ}
    command = [python, "-m", "pip", *arguments]
    talk, found = [], 0
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as running:
        for line in running.stdout or ():
            talk.append(line)
            if line.startswith("Collecting "):
                found += 1
                if found % 15 == 0:
                    say(f"  {found} packages fetched")
            elif line.startswith("Installing collected packages"):
                say("  unpacking")
    with LOG.open("a") as log:
        log.writelines(talk)
    if running.returncode != 0:
        raise Trouble(reason("".join(talk)))


def reason(talk: str) -> str:
    """Return the sentence for what pip said before it gave up."""
    if any(sign in talk for sign in UNREACHABLE_SIGNS):
        return (
            "PyPI could not be reached: check the network or the proxy (HTTPS_PROXY, PIP_INDEX_URL) and run make "
            "again; details are in .venv/install.log."
        )
    if "No space left on device" in talk:
        return "The disk is full: free about 2 GB and run make again."
    errors = [line.removeprefix("ERROR: ") for line in talk.splitlines() if line.startswith("ERROR: ")]
    return f"pip said: {errors[0] if errors else 'nothing useful'}; details are in .venv/install.log."


def prepare_spark(*, archive: bool) -> None:
    say("looking for Java, fetching Spark's jars" + (", archiving its classes (about a minute)" if archive else ""))
    command = [PYTHON, "-m", "headrace.pipelines.runtime", *(["--archive"] if archive else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise Trouble("Spark is not ready (see the line above); run make again afterwards.")
    say(done.stdout.strip())


def say(line: str) -> None:
    print(f"make install: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
