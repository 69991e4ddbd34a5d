"""What `cmake --install` installs works in its place: the program, its page, its completion, the scripts of Slurm, which
find one another and the program without being told, and the templates of job files."""

import os
import subprocess

from support import SOURCE, fresh, main


def test_the_installed_tree_works():
    prefix = f"{fresh('install')}/opt"
    subprocess.run(["cmake", "--install", os.environ["AKIN_BUILD"], "--prefix", prefix], check=True, capture_output=True)
    program = f"{prefix}/bin/akin"
    assert b"akin " in subprocess.run([program, "--version"], check=True, capture_output=True).stdout
    assert b"akin" in subprocess.run(["man", "-l", f"{prefix}/share/man/man1/akin.1"], capture_output=True).stdout[:2000] \
        or os.path.getsize(f"{prefix}/share/man/man1/akin.1") > 1000
    scripts = f"{prefix}/share/akin/slurm"
    names = [name for name in os.listdir(f"{SOURCE}/slurm") if name.endswith((".sbatch", ".sh"))]
    assert len(names) >= 7
    for name in names:
        assert os.access(f"{scripts}/{name}", os.X_OK), name
        subprocess.run(["bash", "-n", f"{scripts}/{name}"], check=True)
    # A copy somewhere else, as sbatch makes it, begins with this launch.sh and that program.
    copy = f"{prefix}/copy.sbatch"
    with open(f"{scripts}/nightly.sbatch") as f, open(copy, "w") as out:
        out.write(f.read())
    clean = {name: value for name, value in os.environ.items() if name not in ("AKIN", "AKIN_SLURM")}
    done = subprocess.run(["bash", copy, "absent.ini"], env={**clean, "AKIN_LAUNCHER": "mpirun", "SLURM_SUBMIT_DIR": "/nowhere"},
                          capture_output=True, text=True, timeout=60)
    assert "absent.ini" in done.stderr and "FAILED with exit 1" in done.stderr, done.stderr
    for template in ("demo.ini", "nightly.ini", "crontab"):
        assert os.path.exists(f"{prefix}/share/akin/jobs/{template}"), template


if __name__ == "__main__":
    main(globals())
