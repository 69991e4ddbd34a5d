/* source_list: the rows of a source while they are listed, in two flat blocks that travel well.
 *
 * Floor 2 (data); looks down to error, mem, text, comm. Not collective but for share.
 */
#ifndef AKIN_SOURCE_LIST_H
#define AKIN_SOURCE_LIST_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a lister knows of a row. Texts are copied; id and labels may hold any bytes, their faults become the reason. */
typedef struct {
    const char *id, *path, *category, *group; /* "" = none */
    size_t id_length, category_length, group_length;
    bool available;
    const char *reason; /* NULL = none known */
    int64_t member;     /* number of the archive's entry that holds the bytes; -1: the file `path` does */
} akin_source_entry;

/* A listed row: texts as offsets, see akin_source_list_text. */
typedef struct {
    uint64_t id, path, category, group, reason; /* reason 0 = none */
    int64_t member;
    uint32_t source; /* which of the names */
    uint32_t available;
} akin_source_record;

typedef struct akin_source_list akin_source_list;

AKIN_MUST_CHECK akin_status akin_source_list_create(akin_source_list **out);
void akin_source_list_free(akin_source_list *list);                   /* NULL is fine */
void akin_source_list_begin(akin_source_list *list, uint32_t source); /* rows added from now are of that name */
/* Appends the row, refused if its id or labels are not fit. */
AKIN_MUST_CHECK akin_status akin_source_list_add(akin_source_list *list, const akin_source_entry *entry);
AKIN_MUST_CHECK akin_status akin_source_list_refuse(akin_source_list *list, size_t row, const char *reason);

/* Rank root's list comes to all others. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_source_list_share(akin_source_list *list, akin_comm *comm, int root);

size_t akin_source_list_count(const akin_source_list *list);
akin_source_record *akin_source_list_records(akin_source_list *list); /* [count], borrowed until the next add */
const char *akin_source_list_text(const akin_source_list *list, uint64_t offset); /* borrowed until the next add */

#endif
