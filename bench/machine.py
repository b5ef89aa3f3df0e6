"""What the machine is, who used its cores, and when a measurement is void.

The share of a core that *foreign* processes took during a window of time is

    (time that tasks ran on the cores under test - our own CPU time + steal) / wall time

where our own CPU time is that of the client, the server and this harness, each read in
nanoseconds. The first term has two sources:

 1. cgroup v1 `cpuacct.usage_percpu` of the root group, where it is mounted: exact, in
    nanoseconds, every task counted (kernel threads too).
 2. else `/proc/stat`: wall time less idle and iowait, which are exact on kernels with
    NO_HZ. This also counts interrupts and the idle task's own way in and out: 2 % to 4 % of a
    core on a quiet machine, so it errs towards void.

The busy columns of /proc/stat are not used: they are sampled by the timer tick, and a task that
sleeps and wakes between ticks is missed (at one connection they saw a third too little).
Softirq work of loopback runs in the context of the task that sends, so it is in the CPU time of
client and server; what ksoftirqd does instead is foreign, and seen to be under 0.1 %.
Steal is added even where the kernel already leaves it out of task time: it errs towards void.
"""

import os
import platform
import re
import subprocess
import time

FOREIGN_MAX = 0.06  # Of one core.

_CPUACCT = "/sys/fs/cgroup/cpuacct/cpuacct.usage_percpu"
_HZ = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something could not be run: a missing tool, a dead server, an answer not understood."""


class TooNoisy(Exception):
    """Foreign processes voided more attempts than are allowed."""


def process_cpu_s(pids):
    """CPU seconds, user and system, of these processes with all their threads, dead ones too."""
    # The kernel's CPU-time clock of a process: clock_getcpuclockid(3) without the call.
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def process_tree(pid):
    """`pid` and its children (one level is all that a server with workers has)."""
    pids = [pid]
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                # The command name is in brackets and may hold anything.
                parent = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            pids.append(int(entry))
    return pids


def _stat_columns(cpus):
    """Idle (with iowait) and steal of the given cores, in seconds."""
    idle = steal = 0
    with open("/proc/stat") as file:
        for line in file:
            match = re.match(r"cpu(\d+) ", line)
            if match and int(match[1]) in cpus:
                columns = [int(word) for word in line.split()[1:]]
                idle += columns[3] + columns[4]
                steal += columns[7]
    return idle / _HZ, steal / _HZ


def _cpuacct_s(cpus):
    """Seconds that tasks ran on the given cores, or None where nothing tells it exactly."""
    try:
        with open(_CPUACCT) as file:
            per_cpu = [int(word) for word in file.read().split()]
        return sum(per_cpu[cpu] for cpu in cpus) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def foreign_source():
    """Which of the two sources this machine has, for the report."""
    return "cpuacct" if _cpuacct_s([0]) is not None else "/proc/stat idle"


class Window:
    """A span of time over some cores, from construction to close()."""

    def __init__(self, cpus, server_pids):
        self._cpus = sorted(set(cpus))
        self._server_pids = server_pids
        self._begin = self._read()

    def _read(self):
        idle, steal = _stat_columns(self._cpus)
        return {
            "wall": time.monotonic(),
            "ran": _cpuacct_s(self._cpus),
            "idle": idle,
            "steal": steal,
            "server": process_cpu_s(self._server_pids),
            "self": time.process_time(),
        }

    def close(self, client_cpu_s):
        """Ends the window; `client_cpu_s` is the CPU time of clients that ran inside it.
        Returns wall and server CPU in seconds, foreign share and steal share of one core."""
        end, begin = self._read(), self._begin
        spent = {key: end[key] - begin[key] for key in end if end[key] is not None}
        wall = spent["wall"]
        ran = spent.get("ran", len(self._cpus) * wall - spent["idle"])
        foreign = ran - spent["server"] - spent["self"] - client_cpu_s
        return {
            "wall_s": wall,
            "server_cpu_s": spent["server"],
            "foreign": (max(foreign, 0.0) + spent["steal"]) / wall,
            "steal": spent["steal"] / wall,
        }


def attempts(wanted, measure, say):
    """Calls `measure()` until it gave `wanted` valid results, and returns them. A result is a
    dict whose "foreign" decides; at most 3 x wanted calls, then TooNoisy."""
    valid, void = [], 0
    while len(valid) < wanted:
        if void + len(valid) >= 3 * wanted:
            raise TooNoisy(f"machine too noisy: {void} of {void + len(valid)} rounds were void "
                           f"(foreign processes took more than {FOREIGN_MAX:.0%} of a core)")
        result = measure()
        if result["foreign"] > FOREIGN_MAX:
            void += 1
            say(f"  void: foreign {result['foreign']:.1%} of a core")
            time.sleep(1)
        else:
            valid.append(result)
    return valid, void


def output_of(command):
    """What a command prints, both streams, stripped; "" when it cannot be run."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip()


def _first(path, pattern, otherwise):
    try:
        with open(path) as file:
            match = re.search(pattern, file.read(), re.M)
    except OSError:
        match = None
    return match[1] if match else otherwise


def facts():
    """What a reader needs in order to judge the figures."""
    governor = _first("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", r"(\S+)",
                      "none seen")
    # Haltpoll decides what a wake-up costs in a guest, and so all figures at one connection.
    idle = _first("/sys/devices/system/cpu/cpuidle/current_driver", r"(\S+)", "none seen")
    poll_ns = _first("/sys/module/haltpoll/parameters/guest_halt_poll_ns", r"(\d+)", "")
    idle += f", guest_halt_poll_ns {poll_ns}" if poll_ns else ""
    guest = _first("/proc/cpuinfo", r"^flags.*\b(hypervisor)\b", "")
    kib = int(_first("/proc/meminfo", r"^MemTotal:\s+(\d+)", "0"))
    return {
        "CPU": _first("/proc/cpuinfo", r"^model name\s*: (.*)$", platform.machine())
               + (" (virtual machine)" if guest else ""),
        "cores": f"{os.cpu_count()} online, {len(os.sched_getaffinity(0))} allowed",
        "memory": f"{kib / 2**20:.1f} GiB",
        "governor": governor,
        "idle": idle,
        "kernel": f"{platform.release()} {platform.version()}",
        "system": _first("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)', "unknown"),
        "congestion control": _first("/proc/sys/net/ipv4/tcp_congestion_control", r"(\S+)", "?"),
        "foreign CPU from": foreign_source(),
    }


def versions(pelt):
    """Versions of what takes part; what is not installed is left out."""
    found = {
        "pelt": output_of([pelt, "--version"]).partition("\n")[0],
        "wrk": re.search(r"wrk (\S+)", output_of(["wrk", "-v"])),
        "wrk2": re.search(r"wrk (\S+)", output_of(["wrk2", "-v"])),
        "h2load": output_of(["h2load", "--version"]).partition("\n")[0],
        "nginx": output_of(["nginx", "-v"]).partition(": ")[2],
        "liburing": output_of(["pkg-config", "--modversion", "liburing"]),
        "openssl": output_of(["openssl", "version"]).partition(" (")[0],
        "compiler": output_of([os.environ.get("CC", "cc"), "--version"]).partition("\n")[0],
    }
    if found["openssl"] and "libssl" not in output_of(["ldd", pelt]):
        found["openssl"] += ", linked into pelt"
    texts = {name: value[1] if isinstance(value, re.Match) else value
             for name, value in found.items()}
    return {name: text for name, text in texts.items() if text}
