"""ReFrame's check of an installed akin: the lists of 20,000 random vectors, at several task counts, have to be those that one
process computes, and the rate of pairs is recorded (and compared where the system has a reference).

reframe -C settings.py -c akin_check.py --system=local -r      AKIN names the program, if it is not on the PATH"""

import json
import os

import reframe as rfm
import reframe.utility.sanity as sn

# ReFrame copies this folder; Python's own modules are enough for the input.
MAKE_VECTORS = """import array, random, struct
random.seed(1)
n, dim = {items}, {dim}
head = "{{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }}" % (n, dim)
head += " " * (-(len(head) + 11) % 64) + "\\n"
with open("vectors.npy", "wb") as f:
    f.write(b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", len(head)) + head.encode())
    array.array("f", (random.gauss(0, 1) for _ in range(n * dim))).tofile(f)
"""


@rfm.simple_test
class AkinNeighbors(rfm.RunOnlyRegressionTest):
    descr = "akin neighbors: the same lists at any task count, and the rate of pairs"
    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    tasks = parameter([1, 2, 4])
    items = variable(int, value=20000)
    dim = variable(int, value=64)
    time_limit = "10m"
    # A fifth of it is still good: any processor with AVX2 reaches that. Give what your nodes reach: -S AkinNeighbors.expected_rate=...
    expected_rate = variable(float, value=1e8)

    @run_before("run")
    def what_to_run(self):
        akin = os.environ.get("AKIN", "akin")
        self.num_tasks = self.tasks
        self.reference = {"*": {"rate": (self.expected_rate, -0.8, None, "pairs/s")}}
        with open(os.path.join(self.stagedir, "make_vectors.py"), "w") as f:
            f.write(MAKE_VECTORS.format(items=self.items, dim=self.dim))
        self.prerun_cmds = ["python3 make_vectors.py", f"{akin} neighbors vectors.npy -o alone.nc -k 20 --quiet"]
        self.executable = akin
        self.executable_opts = ["neighbors", "vectors.npy", "-o", "together.nc", "-k", "20", "--json"]
        self.postrun_cmds = [f"{akin} inspect {name}.nc --json" for name in ("alone", "together")]
        if self.current_partition.launcher_type.registered_name == "srun":
            self.job.launcher.options = ["--mpi=pmix"]

    @deferrable
    def answers(self):
        with open(os.path.join(self.stagedir, self.stdout.evaluate())) as f:
            return [json.loads(line) for line in f if line.startswith("{")]

    @sanity_function
    def lists_are_those_of_one_process(self):
        answers = self.answers()
        return sn.all([
            sn.assert_eq(sn.len(answers), 3, "three answers expected, {0} found: see rfm_job.err"),
            sn.assert_eq(answers[0]["status"], "ok"),
            sn.assert_eq(answers[0]["ranks"], self.tasks, "{0} ranks, but {1} tasks: launcher and MPI do not fit"),
            sn.assert_eq(answers[0]["items"], self.items),
            sn.assert_eq(answers[0]["unusable"], 0),
            sn.assert_eq(answers[1]["digest"], answers[2]["digest"], "other lists than one process has"),
        ])

    @performance_function("pairs/s")
    def rate(self):
        return self.answers()[0]["pairs_per_second"]
