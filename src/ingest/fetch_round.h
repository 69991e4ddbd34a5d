/* fetch_round: one round of a fetch: which address is asked for at which URL, the same list on all
 * ranks; where one leads elsewhere, that URL is of the next round. Not collective where nothing
 * else is said.
 */
#ifndef AKIN_FETCH_ROUND_H
#define AKIN_FETCH_ROUND_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t count;
    size_t *of;       /* [count] the number of the address */
    const char **url; /* [count] where it is asked for */
    uint64_t *host;   /* [count] a number for each host */
    void *block;      /* what they point into */
} akin_fetch_round;

/* A list while it grows: entries of number and URL. */
typedef struct {
    char *bytes;
    size_t used, room;
} akin_fetch_list;

/* What must not stand in an address as it is (blanks, letters beyond ASCII) is written as %XX. */
AKIN_MUST_CHECK akin_status akin_fetch_list_add(akin_fetch_list *list, size_t of, const char *head,
                                                const char *url);
void akin_fetch_list_free(akin_fetch_list *list);

/* The lists of all ranks, or this one alone where all ranks have the same. Empties it. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_fetch_round_make(akin_comm *comm, akin_fetch_list *list,
                                                  bool same_everywhere, akin_fetch_round *out);
void akin_fetch_round_free(akin_fetch_round *round);

#endif
