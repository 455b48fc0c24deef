"""A private Asterisk from Debian's packages in a folder of its own, for development, the demo and the tests.

Needs root: it is a Debian system in a folder (debootstrap), entered with chroot.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from core.errors import CrmError
from telephony.asterisk.plan import PbxPlan
from telephony.asterisk.render import render, write
from telephony.ivr.prompts import provide

#: Asterisk 22 is in this suite.
SUITE = "sid"
_BINARY = "usr/sbin/asterisk"
#: The archive changes four times a day; a try in the middle of a change fails.
_TRIES = 3
_PAUSE_SECONDS = 20


class AsteriskUnavailableError(CrmError):
    """The private Asterisk is not installed, or does not start."""


def is_installed(root: Path) -> bool:
    """Whether the folder holds a whole installation."""
    return (root / _BINARY).exists() and (root / ".complete").exists()


def debian_mirrors(etc_apt: Path = Path("/etc/apt")) -> list[str]:
    """The Debian package mirrors that this machine's apt is set to, not other vendors'."""
    found: list[str] = []
    for path in [*sorted((etc_apt / "sources.list.d").glob("*")), etc_apt / "sources.list"]:
        if path.suffix not in {".list", ".sources"} or not path.is_file():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            address = re.match(r"(?:URIs:|deb(?:-src)?(?:\s+\[[^\]]*\])?)\s+(\S+)", line.strip())
            if address and re.search(r"/debian/?$", address[1]) and address[1] not in found:
                found.append(address[1])
    if not found:
        raise AsteriskUnavailableError(
            f"apt names no mirror of Debian's main archive (in {etc_apt}).", "Set one in /etc/apt/sources.list.d."
        )
    return found


def install(root: Path) -> None:
    """Install Asterisk into `root` (about a minute, 500 MB); repeating it does nothing.

    Raises:
        AsteriskUnavailableError: not root, debootstrap is missing, or it failed.
    """
    if is_installed(root):
        return
    if os.geteuid() != 0:
        raise AsteriskUnavailableError("Installing the private Asterisk needs root.", "Run: sudo make asterisk")
    program = shutil.which("debootstrap")
    if program is None:
        raise AsteriskUnavailableError("debootstrap is missing.", "Install it: apt-get install debootstrap")
    log = root.with_suffix(".log")
    tries = [mirror for mirror in debian_mirrors() for _ in range(_TRIES)]
    for number, mirror in enumerate(tries, start=1):
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run(  # noqa: S603 - fixed program and arguments
                [program, "--variant=minbase", "--include=asterisk,asterisk-modules", SUITE, str(root), mirror],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode == 0:
            break
        if number < len(tries):
            time.sleep(_PAUSE_SECONDS)
    else:
        said = " | ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:])
        raise AsteriskUnavailableError(f"debootstrap failed (status {done.returncode}): {said}", f"See {log}.")
    (root / ".complete").touch()


class PrivateAsterisk:
    """One running Asterisk in the installation at `root`; several may run side by side under different names."""

    def __init__(self, root: Path, name: str, plan: PbxPlan) -> None:
        self.root, self.name, self.plan = root, name, plan
        self.state = root / "srv" / name
        self.etc = self.state / "etc"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def queue_log(self) -> Path:
        """Its queue_log."""
        return self.state / "log" / "queue_log"

    @property
    def recordings(self) -> Path:
        """Where MixMonitor writes."""
        return self.state / "spool" / "monitor"

    def configure(self, plan: PbxPlan | None = None) -> list[str]:
        """Write the configuration; names of the files that changed."""
        self.plan = plan or self.plan
        for folder in ("agi", "lib/moh", "log/cel-custom", "log/cdr-csv", "run", "spool/monitor", "spool/fax"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        inside = f"/srv/{self.name}"
        modules = next((self.root / "usr/lib").glob("*/asterisk/modules"))
        if self.plan.ivr_enabled:
            provide(self.state / "sounds", cache=self.root / "var" / "cache" / "crm-prompts")
        files = render(self.plan, etc=f"{inside}/etc", state=inside, modules="/" + str(modules.relative_to(self.root)))
        return write(files, self.etc)

    def start(self, *, seconds: float = 60) -> None:
        """Start it and wait until it is fully booted.

        Raises:
            AsteriskUnavailableError: it ended, or did not answer in time; names its log.
        """
        self.configure()
        with (self.state / "console.log").open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own files and a fixed program
                self._program("-f", "-n"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Recordings and faxes are for the service only.
                umask=0o077,
            )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            if self.command("core waitfullybooted", check=False).returncode == 0:
                return
            time.sleep(0.2)
        raise AsteriskUnavailableError("Asterisk did not start.", f"See {self.state / 'console.log'}.")

    def _program(self, *arguments: str) -> list[str]:
        chroot = shutil.which("chroot") or "/usr/sbin/chroot"
        return [chroot, str(self.root), "/usr/sbin/asterisk", "-C", f"/srv/{self.name}/etc/asterisk.conf", *arguments]

    def command(self, line: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a console command (`-rx`)."""
        return subprocess.run(  # noqa: S603 - our own files and a fixed program
            self._program("-rx", line), capture_output=True, text=True, timeout=30, check=check
        )

    def reload(self, plan: PbxPlan) -> list[str]:
        """Apply a changed plan without dropping calls; names of the files that changed."""
        changed = self.configure(plan)
        if changed:
            self.command("core reload")
        return changed

    def stop(self) -> None:
        """End it at once."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)
