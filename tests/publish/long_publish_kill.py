"""Publishers to Redis, to memcached and to Qdrant, 30 each or with AKIN_FULL=1 200, killed at random moments while a reader watches;
prints what was seen."""

import test_memcached
import test_qdrant
import test_redis
from servers import memcached_server, redis_server
from support import FULL, SEED
from tables import names, other_table

KILLS = 200 if FULL else 30

if __name__ == "__main__":
    print(f"AKIN_SEED={SEED}", flush=True)
    ids = names(range(8000))
    tables = [other_table("kill-a.nc", 8000, 10, 4, ids), other_table("kill-b.nc", 8000, 10, 5, ids)]
    midway, watcher = test_redis.kill_publishers(KILLS, SEED, redis_server(), tables)
    print(f"redis: {KILLS} kills, {midway} of them while :next was being written; {watcher.looks} looks at 50 lists, all of one whole table")
    assert midway >= KILLS // 10
    midway = test_memcached.kill_publishers(KILLS, SEED, memcached_server("-m", 256), tables)
    print(f"memcached: {KILLS} kills, {midway} of them while a generation was being written; every poll of 50 ids was of one whole table")
    assert midway >= KILLS // 10
    test_qdrant.kill_publishers(KILLS)
