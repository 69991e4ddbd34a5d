/* sink: a kind of place where a table can be published. A new one is a module sink_<scheme>.c and a line in the table
 * of publish.c.
 *
 * Floor 3 (stages); looks down to error, comm, labels, table.
 *
 * Publishing goes in steps, each for all targets before the next: open (nothing is written), stage (written where no
 * reader sees it), commit (readers see it, at once and whole). So a target that cannot be had stops the others too.
 */
#ifndef AKIN_SINK_H
#define AKIN_SINK_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <akin/labels.h>
#include <akin/table.h>
#include <stddef.h>
#include <stdint.h>

/* What is published; borrowed until the target is closed. */
typedef struct {
    const akin_table *table;
    const akin_labels *labels; /* of all items on every rank: a neighbour may be any of them */
} akin_sink_source;

/* What has been published where. */
typedef struct {
    const char *url; /* borrowed from the caller */
    uint64_t bytes;
    char digest[AKIN_HASH_TEXT_SIZE]; /* XXH3-128 of those bytes */
} akin_published;

typedef struct akin_target akin_target; /* each sink has its own body */

typedef struct {
    const char *scheme; /* "file" of file:PATH */
    const char *forms;  /* "file:PATH.jsonl, file:PATH.csv": for messages */

    /* Words only: AKIN_USAGE where the sink has no such URL. Not collective. */
    akin_status (*check_url)(const char *url);

    /* Text that is the same for two URLs of one target. Owned; NULL: no memory. Not collective. */
    char *(*identity)(const char *url);

    /* The rest is Collective and agreed, with the same arguments on all ranks. */
    akin_status (*open)(akin_comm *comm, const char *url, const akin_sink_source *source, akin_target **out);
    akin_status (*stage)(akin_comm *comm, akin_target *target, akin_published *published);
    akin_status (*commit)(akin_comm *comm, akin_target *target);
    void (*close)(akin_comm *comm,
                  akin_target *target); /* takes back what was staged and not committed; NULL is fine */

    /* AKIN_FAILED where there is nothing to go back to; rollback swaps what is published and what was before. */
    akin_status (*check_rollback)(akin_comm *comm, const char *url);
    akin_status (*rollback)(akin_comm *comm, const char *url);
} akin_sink;

extern const akin_sink akin_sink_file;

#endif
