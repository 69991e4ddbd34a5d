# Two systems to start from: this machine without a batch system, and a Slurm whose srun speaks PMIx. Give yours its own
# access options and name its partitions.
site_configuration = {
    "systems": [
        {"name": "local", "descr": "this machine", "hostnames": [".*"], "partitions": [
            {"name": "default", "scheduler": "local", "launcher": "mpirun", "environs": ["builtin"], "max_jobs": 1}]},
        {"name": "slurm", "descr": "a Slurm", "hostnames": [".*"], "partitions": [
            {"name": "default", "scheduler": "squeue", "launcher": "srun", "environs": ["builtin"], "max_jobs": 1}]},
    ],
    "environments": [{"name": "builtin", "cc": "cc", "cxx": "", "ftn": ""}],
}
