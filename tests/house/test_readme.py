"""Runs the README's commands as written and in order, except those that install, build or test: other jobs run them."""

import os
import re
import subprocess

from support import SOURCE, fresh

# These are run by .ci/run and jobs/demo.sh.
ELSEWHERE = ["sh jobs/demo.sh", "sh jobs/packages.sh", "cmake --preset release", "cmake --build --preset release -j 2", "sh tests/run.sh"]


def test_every_command():
    with open(os.path.join(SOURCE, "README.md")) as f:
        text = f.read()
    folder = fresh("readme")
    os.symlink(os.environ["AKIN_BUILD"], os.path.join(folder, "build"))
    os.symlink(os.path.join(os.path.abspath(SOURCE), "jobs"), os.path.join(folder, "jobs"))
    for name, job in re.findall(r"```ini\n; (\S+)\n(.*?)```", text, re.S):
        with open(os.path.join(folder, name), "w") as f:
            f.write(job)
    commands = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    left = [c for c in commands if c not in ELSEWHERE]
    assert len(left) >= 5 and set(ELSEWHERE) <= set(commands), commands
    for command in left:
        done = subprocess.run(command.replace("/tmp/akin", os.path.join(folder, "prefix")), shell=True, cwd=folder, capture_output=True,
                              text=True, timeout=200)
        assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"
    for made in ["bin/akin", "share/man/man1/akin.1", "share/bash-completion/completions/akin"]:
        assert os.path.exists(os.path.join(folder, "prefix", made)), made
    for verb in "ingest train embed neighbors evaluate publish query gallery run inspect".split():
        assert re.search(rf"`(akin )?{verb}\b", text), f"the README does not show {verb}"


if __name__ == "__main__":
    test_every_command()
