"""Random faults at random moments of a job; see chaos.sh. Each round is a job from scratch: some faults, one after the other,
each followed by a resubmission, and at last an undisturbed run, whose files must have the bits of a job that saw no fault.
After every fault, too, each file that is there must be whole and right, and every run must end in bounded time.

    missed  a fault that came too late to strike: the run had ended, or did so well; not among the faults
    lost    a run that did not end in time, or a job that could not be finished
    wrong   a file with other bits than that of the undisturbed job, or half a file, or a run that succeeded with one missing
"""

import argparse
import collections
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from support import AKIN, INJECTED, akin, assert_same_variables, command, draw_catalogue, fresh, program_for

FILES = ["catalog.nc", "model.nc", "embeddings.nc", "table.nc"]
BOUND = 120  # seconds that any run may take on a busy machine
STALL = 4  # seconds
# What is not there yet when a stage has begun, in the order of a run.
STAGES = {"ingest": "catalog.nc", "train": "model.nc", "embed": "embeddings.nc", "neighbors": "table.nc", "publish": "published.jsonl",
          "gallery": "gallery/index.html"}
JOB = """[job]
name = chaos
output = {output}
[ingest]
source = {catalogue}
[train]
epochs = 8
features = autoencoder
batch = 32
checkpoint-every = 0.5
[neighbors]
k = 8
[evaluate]
label = category
[publish]
to = file:{output}/published.jsonl
[gallery]
picture-size = 32
"""


class Wrong(Exception):
    pass


class Lost(Exception):
    pass


class Missed(Exception):
    """The run had ended, or ended well."""


def check(condition, what):
    if not condition:
        raise Wrong(what)


def compare(good, folder, all_there):
    """Whatever is there is whole and right."""
    for name in FILES:
        path = os.path.join(folder, name)
        check(not all_there or os.path.exists(path), f"{name} is missing")
        if os.path.exists(path):
            try:
                assert_same_variables(os.path.join(good, name), path)
            except (AssertionError, OSError) as e:
                raise Wrong(str(e)) from None
    path = os.path.join(folder, "published.jsonl")
    check(not all_there or os.path.exists(path), "nothing was published")
    if os.path.exists(path):
        with open(path) as a, open(os.path.join(good, "published.jsonl")) as b:
            check(a.read() == b.read(), "another table was published")
    if all_there:
        check(os.path.exists(os.path.join(folder, "gallery", "index.html")), "the gallery is missing")
        left = [name for _, folders, names in os.walk(folder) for name in folders + names if name.endswith((".part", ".checkpoint"))]
        check(not left, f"leftovers: {left}")


def stage_of(folder):
    return next((stage for stage, name in STAGES.items() if not os.path.exists(os.path.join(folder, name))), "end")


class World:
    """Where runs are started and faults come from. `seconds`: of an undisturbed run; `struck`: the stages that the faults hit."""

    def __init__(self, dice, seconds, output):
        self.dice, self.seconds, self.output, self.said = dice, seconds, output, ""
        self.faults = {name[6:]: getattr(self, name) for name in dir(self) if name.startswith("fault_")}
        self.bag, self.struck = [], collections.Counter()

    def keep_only(self, names):
        self.faults = {name: self.faults[name] for name in names.split(",")} if names else self.faults

    def draw(self):
        """Each kind once before any comes again."""
        if not self.bag:
            self.bag = self.dice.sample(sorted(self.faults), len(self.faults))
        return self.bag.pop()

    def some_time(self, going):
        """A moment of the run, or, as often, one after the beginning of a stage; most stages are short."""
        stage = self.dice.choice(list(STAGES)) if self.dice.random() < 0.6 else None
        end = time.time() + (BOUND if stage else self.dice.uniform(0.02, 1.0) * self.seconds)
        while time.time() < end and going() and (not stage or list(STAGES).index(stage) > [*STAGES, "end"].index(stage_of(self.output))):
            time.sleep(0.005)
        if stage:
            time.sleep(self.dice.uniform(0, 0.03 if stage != "train" else 0.5) * self.seconds)

    def note(self, happened):
        if not happened:
            raise Missed()
        self.struck[stage_of(self.output)] += 1


# --- under mpirun ---

@contextlib.contextmanager
def filled(job):
    """No byte is left on the job's disk."""
    filler = os.path.join(os.path.dirname(job), "disk", "filler")
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], stderr=subprocess.DEVNULL, check=False)
    try:
        yield
    finally:
        os.remove(filler)


def slow_down(pid, going, seconds):
    """By a factor of ten: it is stopped for nine tenths of the time. Returns how often it was stopped."""
    end, stops = time.time() + seconds, 0
    while going() and time.time() < end:
        send(pid, signal.SIGSTOP)
        time.sleep(0.18)
        send(pid, signal.SIGCONT)
        stops += 1
        time.sleep(0.02)
    return stops


def ranks_of(launcher):
    found = subprocess.run(["pgrep", "-P", str(launcher.pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def catches(pid, what):
    """Whether a process has a handler for the signal: not while it is still being loaded."""
    try:
        with open(f"/proc/{pid}/status") as f:
            caught = next(line for line in f if line.startswith("SigCgt:"))
    except (OSError, StopIteration):
        return False
    return int(caught.split()[1], 16) >> (what - 1) & 1 == 1


def send(pid, what):
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass


class Mpirun(World):
    """One disk of its own, so that it can be full."""

    def start(self, job, env=None, stall=600):
        # A stopped single process is noticed only by its time limit on Slurm.
        ranks = self.dice.choice([1, 2, 3, 4] if stall == 600 else [2, 3, 4])
        return subprocess.Popen(command(["run", job, "--quiet", "--stall-limit", stall], ranks, env), stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})

    def end(self, run):
        """Its exit code; what it says on stderr is kept for the report."""
        try:
            _, self.said = run.communicate(timeout=BOUND)
        except subprocess.TimeoutExpired:
            for pid in ranks_of(run):
                send(pid, signal.SIGKILL)
            run.kill()
            raise Lost(f"it hangs\n{run.communicate()[1]}") from None
        return run.returncode

    def signalled(self, job, whom, what, stall=600):
        run = self.start(job, stall=stall)
        self.some_time(lambda: run.poll() is None)
        ranks = ranks_of(run)
        over = run.poll() is not None or not ranks
        stage = stage_of(self.output)
        self.loading = not all(catches(pid, signal.SIGUSR1) for pid in ranks)
        if not over:
            send(run.pid if whom == "launcher" else self.dice.choice(ranks), what)
        code = self.end(run)
        if over or (code == 0 and what in (signal.SIGKILL, signal.SIGSTOP)):
            raise Missed()
        self.struck[stage] += 1
        if whom == "launcher" and what == signal.SIGKILL:  # its ranks see that it is gone
            deadline = time.time() + BOUND
            while any(os.path.exists(f"/proc/{pid}") and open(f"/proc/{pid}/stat").read().split(")")[1].split()[0] != "Z" for pid in ranks):
                if time.time() > deadline:
                    raise Lost("ranks without their mpirun do not end")
                time.sleep(0.1)
        return code

    def fault_kill_rank(self, job):
        return self.signalled(job, "rank", signal.SIGKILL)

    def fault_kill_mpirun(self, job):
        return self.signalled(job, "launcher", signal.SIGKILL)

    def fault_term_mpirun(self, job):
        return self.signalled(job, "launcher", signal.SIGTERM)

    def fault_usr1_mpirun(self, job):
        code = self.signalled(job, "launcher", signal.SIGUSR1)
        early = self.loading and code == 128 + signal.SIGUSR1
        check(early or code in (0, 75) or "killed" in self.said or code == 1 or code < 0, f"SIGUSR1 ended with {code}: {self.said[-500:]}")
        return code

    def fault_term_rank(self, job):
        code = self.signalled(job, "rank", signal.SIGTERM)
        return code

    def fault_stopped_rank(self, job):
        return self.signalled(job, "rank", signal.SIGSTOP, stall=STALL)

    def fault_slow_rank(self, job):
        """One rank ten times slower."""
        run = self.start(job)
        stage = stage_of(self.output)
        while run.poll() is None and not ranks_of(run):
            time.sleep(0.01)
        ranks = ranks_of(run)
        stops = slow_down(ranks[0], lambda: run.poll() is None, 2 * self.seconds) if ranks else 0
        code = self.end(run)
        if stops == 0:
            raise Missed()
        self.struck[stage] += 1
        check(code == 0, f"a slow rank ended the run with {code}: {self.said[-500:]}")
        return code

    def injected(self, job, env):
        """A run that ended well did without, or never came so far."""
        code = self.end(self.start(job, env))
        self.note(code != 0)
        check(code == 1 or code < 0, f"{env} ended with {code}, not 1: {self.said[-500:]}")
        return code

    def fault_memory(self, job):
        return self.injected(job, {"AKIN_MEM_FAIL_AT": str(self.dice.randrange(1, 4000)), "AKIN_MEM_FAIL_RANK": str(self.dice.randrange(2))})

    def fault_read_error(self, job):
        return self.injected(job, {"AKIN_READ_FAIL_AT": str(self.dice.randrange(1, 700)), "AKIN_READ_FAIL_RANK": str(self.dice.randrange(2))})

    def fault_disk_full(self, job):
        run = self.start(job)
        self.some_time(lambda: run.poll() is None)
        stage = stage_of(self.output)
        with filled(job):
            code = self.end(run)
        if code == 0:  # all that it needed was written
            raise Missed()
        self.struck[stage] += 1
        return code

    def finish(self, job):
        code = self.end(self.start(job))
        if code != 0:
            raise Lost(f"the undisturbed run ended with {code}: {self.said[-1000:]}")


# --- on Slurm ---

GOING = {"PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED"}


class Slurm(World):
    def __init__(self, dice, seconds, output, slurm):
        super().__init__(dice, 2 * seconds, output)
        self.slurm = slurm

    def start(self, job, **env):
        from slurm_cluster import NIGHT
        tasks = self.dice.choice([1, 2])
        launcher = self.dice.choice(["srun", "srun", "mpirun"])
        env.setdefault("AKIN", program_for(env))
        job = self.slurm.sbatch("--nodes=2", f"--ntasks-per-node={tasks}", "--time=10", f"{NIGHT}/nightly.sbatch", job,
                                "--stall-limit", str(env.pop("stall", 600)), AKIN_LAUNCHER=env.pop("launcher", launcher), **env)
        self.wait(lambda: self.slurm.state(job) != "PENDING", job)
        return job

    def wait(self, condition, job):
        try:
            self.slurm.wait_for(condition, f"job {job}", 2 * BOUND)
        except AssertionError as e:
            self.slurm.command("scancel", job, expect=None)
            raise Lost(str(e)[:3000]) from None

    def end(self, job):
        """How it ended; one that puts itself back into the queue has not."""
        quiet = 0
        while quiet < 5:
            self.wait(lambda: self.slurm.state(job) not in GOING, job)
            time.sleep(0.5)
            fields = self.slurm.fields(job)
            quiet = 0 if fields["JobState"] in GOING else quiet + 1
        return 0 if fields["JobState"] == "COMPLETED" else fields["JobState"] + " " + fields["ExitCode"]

    def going(self, job):
        return lambda: self.slurm.state(job) in GOING

    def ranks(self):
        """The ranks on the virtual nodes."""
        found = subprocess.run(["pgrep", "-f", f"^({AKIN}|{INJECTED}) run"], capture_output=True, text=True)
        return [int(word) for word in found.stdout.split()]

    def strike(self, job, fault, **env):
        """fault(number): what happens to the job of this number; False: there was nothing to strike."""
        number = self.start(job, **env)
        self.some_time(self.going(number))
        stage = stage_of(self.output)
        struck = self.slurm.state(number) in ("RUNNING", "CONFIGURING") and fault(number) is not False
        code = self.end(number)
        if not struck:
            raise Missed()
        self.struck[stage] += 1
        return code

    def at_rank(self, job, what, **env):
        def fault(number):
            ranks = self.ranks()
            if not ranks:
                return False
            send(self.dice.choice(ranks), what)
            return True
        return self.strike(job, fault, **env)

    def fault_kill_rank(self, job):
        return self.at_rank(job, signal.SIGKILL)

    def fault_stopped_rank(self, job):
        return self.at_rank(job, signal.SIGSTOP, stall=STALL)

    def fault_slow_rank(self, job):
        """One rank ten times slower: the job ends well."""
        def fault(number):
            ranks = self.ranks()
            slow = self.dice.choice(ranks) if ranks else None
            return slow is not None and slow_down(slow, lambda: os.path.exists(f"/proc/{slow}"), self.seconds) > 0
        code = self.strike(job, fault)
        check(code == 0, f"a slow rank ended the job with {code}")
        return code

    def injected(self, job, **env):
        """A job that ended well did without, or never came so far."""
        code = self.end(self.start(job, **env))
        self.note(code != 0)
        check("FAILED" in code, f"{env} ended with {code}")
        return code

    def fault_memory(self, job):
        return self.injected(job, AKIN_MEM_FAIL_AT=str(self.dice.randrange(1, 4000)), AKIN_MEM_FAIL_RANK=str(self.dice.randrange(2)))

    def fault_read_error(self, job):
        return self.injected(job, AKIN_READ_FAIL_AT=str(self.dice.randrange(1, 400)), AKIN_READ_FAIL_RANK=str(self.dice.randrange(2)))

    def fault_disk_full(self, job):
        number = self.start(job)
        self.some_time(self.going(number))
        stage = stage_of(self.output)
        with filled(job):
            code = self.end(number)
        if code == 0:  # all that it needed was written
            raise Missed()
        self.struck[stage] += 1
        check("FAILED" in code, f"a full disk ended with {code}")
        return code

    def command(self, job, *words):
        return self.strike(job, lambda number: self.slurm.command(*words, number, expect=None).returncode == 0)

    def fault_scancel(self, job):
        return self.command(job, "scancel")

    def fault_warning(self, job):
        """What --signal=B:USR1@120 does two minutes before the time limit: the job requeues itself and resumes."""
        return self.command(job, "scancel", "-b", "-s", "USR1")

    def fault_requeue(self, job):
        return self.command(job, "scontrol", "requeue")

    def fault_node_crash(self, job):
        """All of a node, its slurmd too, as if its power had failed."""
        def fault(_):
            self.slurm.script("node.sh", "crash", "node2")
            self.slurm.command("scontrol", "update", "NodeName=node2", "State=DOWN", "Reason=crash", expect=None)
            time.sleep(1)
            self.slurm.script("node.sh", "start", "node2")
        return self.strike(job, fault, launcher="srun")

    def fault_slurmd_killed(self, job):
        """slurmd alone; its step runs on."""
        def fault(_):
            with open(f"{self.slurm.folder}/run/node2.pid") as f:
                send(int(f.read()), signal.SIGKILL)
            time.sleep(2)
            self.slurm.script("node.sh", "start", "node2")
        return self.strike(job, fault)

    def fault_time_limit(self, job):
        """All its ranks stand still until the time limit, a minute, is over; slurmctld looks twice a minute."""
        def fault(number):
            ranks = self.ranks()
            for pid in ranks:
                send(pid, signal.SIGSTOP)
            return bool(ranks) and self.slurm.command("scontrol", "update", f"JobId={number}", "TimeLimit=1", expect=None).returncode == 0
        return self.strike(job, fault)

    def finish(self, job):
        for _ in range(3):
            code = self.end(self.start(job))
            if code == 0:
                return
        raise Lost(f"the undisturbed job ended with {code}: {self.slurm.log()[-1500:]}")


# --- the campaign ---

class Disk:
    """A small disk of memory, so that it can be full without harm to others; a folder where it cannot be mounted."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path)
        self.mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", path], stderr=subprocess.DEVNULL).returncode == 0

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=False)


def campaign(world, total, good, folder, job, dice):
    """Counts of what happened."""
    counts, kinds = collections.Counter(runs=0, faults=0, missed=0, resumed=0, lost=0, wrong=0), collections.Counter()
    output = os.path.join(folder, "disk", "out")
    while counts["faults"] < total:
        shutil.rmtree(output, ignore_errors=True)
        history = []
        try:
            for _ in range(min(dice.choice([1, 1, 2, 3]), total - counts["faults"])):
                kind = world.draw()
                counts["runs"] += 1
                history.append(kind)
                try:
                    history.append(world.faults[kind](job))
                    counts["faults"] += 1
                    kinds[kind] += 1
                except Missed:
                    history.append("missed")
                    counts["missed"] += 1
                except (Lost, Wrong):
                    counts["faults"] += 1
                    kinds[kind] += 1
                    raise
                compare(good, output, history[-1] == 0)
                if history[-1] in (0, "missed"):  # all is there
                    break
            counts["runs"] += 1
            world.finish(job)
            compare(good, output, True)
            counts["resumed"] += "missed" != history[-1] or len(history) > 2
        except (Lost, Wrong) as e:
            counts["lost" if isinstance(e, Lost) else "wrong"] += 1
            print(f"{type(e).__name__} after {history}: {e}", flush=True)
        if len(history) and os.environ.get("AKIN_CHAOS_TELL"):
            print(counts["faults"], history, flush=True)
    return counts, kinds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("faults", type=int)
    parser.add_argument("--slurm", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="these kinds of faults, separated by commas")
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    folder = fresh("chaos")
    os.chdir(folder)
    disk = Disk(os.path.join(folder, "disk"))
    catalogue = draw_catalogue(os.path.join(folder, "pictures"), 90)
    good, output = os.path.join(folder, "good"), os.path.join(folder, "disk", "out")
    for name, place in (("good", good), ("job", output)):
        with open(f"{name}.ini", "w") as f:
            f.write(JOB.format(output=place, catalogue=catalogue))
    begin = time.monotonic()
    akin("run", "good.ini", "--quiet", ranks=2, timeout=300)
    seconds = time.monotonic() - begin
    job = os.path.join(folder, "job.ini")
    try:
        if arguments.slurm:
            from slurm_cluster import cluster
            with cluster() as slurm:
                world = Slurm(dice, seconds, output, slurm)
                world.keep_only(arguments.only)
                counts, kinds = campaign(world, arguments.faults, good, folder, job, dice)
        else:
            world = Mpirun(dice, seconds, output)
            world.keep_only(arguments.only)
            counts, kinds = campaign(world, arguments.faults, good, folder, job, dice)
    finally:
        disk.close()
    print(", ".join(f"{name} {n}" for name, n in counts.items()) + f"; {time.monotonic() - begin:.0f} s, an undisturbed run {seconds:.1f} s")
    print("faults: " + ", ".join(f"{name} {n}" for name, n in sorted(kinds.items())))
    print("stages: " + ", ".join(f"{name} {world.struck[name]}" for name in [*STAGES, "end"]))
    sys.exit(0 if counts["lost"] == counts["wrong"] == 0 else 1)


main()
