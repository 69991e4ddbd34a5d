/* members: the items of a table's products; written here, and found by id (ids.h). */
#include "members.h"
#include <akin/ids.h>
#include <akin/mem.h>

/* --- writing --- */

typedef struct {
    const char *dimension, *length_dimension, *id, *product;
    akin_ncfile_field schema[3];
} form;

/* Of the items of the rows, and of those of the targets. */
static const form forms[2] = {
    {"member",
     "member_id_length",
     "member_id",
     "member_product",
     {{"member_id", AKIN_NC_CHAR, "member,member_id_length", NULL, "identifier of a picture"},
      {"member_product", AKIN_NC_INT, "member", "1", "row of its product"},
      {0}}},
    {"target_member",
     "target_member_id_length",
     "target_member_id",
     "target_member_product",
     {{"target_member_id", AKIN_NC_CHAR, "target_member,target_member_id_length", NULL,
       "identifier of a picture of a target"},
      {"target_member_product", AKIN_NC_INT, "target_member", "1", "row of its target"},
      {0}}}};

void akin_members_define(akin_ncfile *file, bool targets, const akin_table_members *members) {
    const form *f = &forms[targets];
    if (!members->labels) return;
    akin_ncfile_dimension(file, f->dimension, members->items);
    akin_ncfile_dimension(file, f->length_dimension, akin_labels_id_length(members->labels));
    akin_ncfile_define(file, f->schema);
}

akin_status akin_members_put(akin_comm *comm, akin_ncfile *file, bool targets,
                             const akin_table_members *members) {
    akin_status status = AKIN_OK;
    const form *f = &forms[targets];
    if (!members->labels) return AKIN_OK;
    AKIN_TRY(akin_labels_put_ids(members->labels, file, comm, f->id, members->first));
    akin_ncfile_put(file, f->product, members->first, akin_labels_count(members->labels),
                    members->product);
done:
    return status;
}

/* --- finding --- */

struct akin_members {
    const akin_ids *rows;
    akin_ids *items;  /* of the products; NULL: none are known */
    int32_t *product; /* [total of items]: the row of each */
};

/* The products of one side's items, which are rows [first, first + rows). */
static akin_status read_products(const akin_ncfile *file, const form *f, size_t count, size_t first,
                                 size_t rows, int32_t *product) {
    akin_status status = akin_ncfile_expect(file, f->product, AKIN_NC_INT, f->dimension);
    if (status == AKIN_OK) status = akin_ncfile_get(file, f->product, 0, count, product);
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        if (product[i] < 0 || (size_t)product[i] >= rows)
            return akin_error_set(AKIN_INPUT, "%s: %s of row %zu is %d, outside the table",
                                  akin_ncfile_path(file), f->product, i, (int)product[i]);
        product[i] += (int32_t)first;
    }
    return status;
}

static akin_status read_items(const akin_ncfile *file, akin_members *m) {
    akin_status status;
    AKIN_TRY(akin_ids_read_members(file, &m->items));
    const size_t own = akin_ids_count(m->items), others = akin_ids_total(m->items) - own,
                 products = akin_ids_count(m->rows), targets = akin_ids_total(m->rows) - products;
    m->product = akin_mem_alloc(own + others, sizeof *m->product);
    if (!m->product) return AKIN_FAILED;
    AKIN_TRY(read_products(file, &forms[0], own, 0, products, m->product));
    if (others > 0)
        status = read_products(file, &forms[1], others, products, targets, m->product + own);
done:
    return status;
}

akin_status akin_members_read(const akin_ncfile *file, const akin_ids *ids, akin_members **out) {
    akin_members *m = *out = akin_mem_zalloc(1, sizeof *m);
    if (!m) return AKIN_FAILED;
    m->rows = ids;
    akin_status status =
        akin_ncfile_has(file, "member_id") ? read_items(file, m) : AKIN_OK; /* else of items */
    if (status != AKIN_OK) {
        akin_members_free(m);
        *out = NULL;
    }
    return status;
}

void akin_members_free(akin_members *members) {
    if (!members) return;
    akin_ids_free(members->items);
    akin_mem_free(members->product);
    akin_mem_free(members);
}

static int64_t find(const akin_members *m, const char *id,
                    int64_t in(const akin_ids *ids, const char *id)) {
    int64_t row = in(m->rows, id), item = row < 0 && m->items ? in(m->items, id) : -1;
    return item < 0 ? row : m->product[item];
}

int64_t akin_members_find(const akin_members *members, const char *id) {
    return find(members, id, akin_ids_find);
}

int64_t akin_members_find_neighbor(const akin_members *members, const char *id) {
    return find(members, id, akin_ids_find_neighbor);
}
