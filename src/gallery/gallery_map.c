/* gallery_map: a map of the catalogue. */
#include "gallery_map.h"
#include <akin/embeddings.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/projection.h>
#include <akin/text.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { AXES = 2 };

typedef struct {
    size_t row;         /* of the table */
    double along[AXES]; /* the components; later the positions in their order, in [0, 1) */
} place;

typedef struct {
    akin_embeddings *embeddings;
    const akin_gallery_rows *rows;
    const uint8_t *missing; /* [pictures] */
    size_t count, shown, columns, lines;
    double explained[AXES];
    place *places;  /* [count] sampled items; later the [shown] ones */
    uint8_t *taken; /* [lines, columns] */
    akin_text *script;
} map;

static akin_status check_belongs(const akin_table *table, const map *m) {
    const akin_embeddings *embeddings = m->embeddings;
    char *digest = NULL;
    akin_status status =
        akin_ncfile_get_attribute(akin_table_file(table), "input_embeddings_digest", &digest);
    if (status == AKIN_OK &&
        (!digest || strcmp(digest, akin_embeddings_digest(embeddings)) != 0 ||
         akin_embeddings_items(embeddings) != akin_gallery_rows_pictures(m->rows)))
        status = akin_error_set(AKIN_INPUT, "%s is not what %s was made from",
                                akin_ncfile_path(akin_embeddings_file(embeddings)),
                                akin_ncfile_path(akin_table_file(table)));
    akin_mem_free(digest);
    return status;
}

static akin_status open_embeddings(akin_comm *alone, const akin_table *table, const char *path,
                                   map *m) {
    akin_status status = akin_embeddings_open(alone, path, &m->embeddings);
    return status == AKIN_OK ? check_belongs(table, m) : status;
}

/* If a file in a run's folder cannot be used, the gallery has no map. */
static akin_status find_embeddings(akin_comm *alone, const akin_table *table,
                                   const akin_gallery_made_from *from, map *m) {
    const char *path = from->embeddings;
    if (!path) return AKIN_OK;
    if (from->given) return open_embeddings(alone, table, path, m);
    akin_status status = akin_file_exists(path) ? open_embeddings(alone, table, path, m) : AKIN_OK;
    if (status == AKIN_INPUT) {
        akin_log_warning("the gallery has no map: %s", akin_error_message());
        akin_embeddings_close(m->embeddings);
        m->embeddings = NULL;
        status = AKIN_OK;
    }
    return status;
}

static bool is_zero(const float *row, size_t dim) {
    for (size_t t = 0; t < dim; t++)
        if (row[t] != 0) return false;
    return true;
}

/* at [count, AXES]: the coordinates of each row along the two directions of largest variance
 * (principal components; Pearson 1901), relative to their mean. The rows are overwritten. */
static akin_status find_components(map *m, float *rows, size_t dim, double *at) {
    akin_status status;
    akin_projection *plane = NULL;
    double variance = 0;
    const size_t axes = dim < AXES ? dim : AXES;
    AKIN_TRY(akin_projection_create(dim, axes, true, &plane));
    AKIN_TRY(akin_projection_fit_whole(plane, rows, m->count, &variance));
    /* it was already subtracted from the rows */
    memset(akin_projection_mean(plane), 0, dim * sizeof(float));
    for (size_t i = 0; i < m->count; i++)
        akin_projection_apply(plane, rows + i * dim, at + i * AXES);
    for (size_t a = 0; a < axes && variance > 0; a++)
        m->explained[a] = fmax(0, akin_projection_eigenvalues(plane)[a]) / variance;
done:
    akin_projection_free(plane);
    return status;
}

/* The sampled items that have a vector, with their coordinates; for products those of the first
 * picture. */
static akin_status sample(map *m) {
    akin_status status = AKIN_OK;
    size_t n = m->rows->items, dim = akin_embeddings_dim(m->embeddings);
    size_t wanted = n < AKIN_GALLERY_SAMPLE ? n : AKIN_GALLERY_SAMPLE;
    float *rows = akin_mem_alloc(wanted, dim * sizeof *rows);
    double *at = akin_mem_zalloc(wanted, AXES * sizeof *at);
    m->places = akin_mem_zalloc(wanted, sizeof *m->places);
    if (!rows || !at || !m->places) AKIN_TRY(AKIN_FAILED);
    for (size_t s = 0; s < wanted; s++) {
        float *row = rows + m->count * dim;
        m->places[m->count].row = s * n / wanted;
        AKIN_TRY(akin_embeddings_rows(
            m->embeddings, akin_gallery_rows_picture(m->rows, m->places[m->count].row), 1, row));
        m->count += !is_zero(row, dim);
    }
    if (m->count > 0) AKIN_TRY(find_components(m, rows, dim, at));
    for (size_t i = 0; i < m->count; i++)
        memcpy(m->places[i].along, at + AXES * i, sizeof m->places[i].along);
done:
    akin_mem_free(rows);
    akin_mem_free(at);
    return status;
}

size_t akin_gallery_map_places(size_t items) {
    size_t wanted = (size_t)(8 * sqrt((double)items));
    wanted = wanted > AKIN_GALLERY_PLACED ? wanted : AKIN_GALLERY_PLACED;
    wanted = wanted < AKIN_GALLERY_PLACED_MOST ? wanted : AKIN_GALLERY_PLACED_MOST;
    return wanted < items ? wanted : items;
}

/* Keeps evenly spaced items that have a picture. */
static void thin_out(map *m) {
    size_t pictured = 0, most = akin_gallery_map_places(m->rows->items);
    for (size_t i = 0; i < m->count; i++)
        if (!m->missing[akin_gallery_rows_picture(m->rows, m->places[i].row)])
            m->places[pictured++] = m->places[i];
    m->shown = pictured < most ? pictured : most;
    for (size_t s = 0; s < m->shown; s++) m->places[s] = m->places[s * pictured / m->shown];
}

static int by_first(const void *x, const void *y) {
    const place *a = x, *b = y;
    if (a->along[0] != b->along[0]) return a->along[0] < b->along[0] ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static int by_second(const void *x, const void *y) {
    const place *a = x, *b = y;
    if (a->along[1] != b->along[1]) return a->along[1] < b->along[1] ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static int by_row(const void *x, const void *y) {
    const place *a = x, *b = y;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Halfway between their coordinates and their ranks: this spreads crowded areas and keeps the
 * overall shape. */
static void loosen(map *m, int axis) {
    qsort(m->places, m->shown, sizeof *m->places, axis == 0 ? by_first : by_second);
    double low = m->places[0].along[axis], span = m->places[m->shown - 1].along[axis] - low;
    for (size_t i = 0; i < m->shown; i++) {
        double line = span > 0 ? (m->places[i].along[axis] - low) / span : 0.5;
        m->places[i].along[axis] = 0.25 * line + 0.75 * ((double)i + 0.5) / (double)m->shown;
    }
}

/* The free cell nearest to where the item belongs; ties go to the first. */
static size_t nearest_cell(const map *m, const place *item) {
    size_t best = 0;
    double least = INFINITY, x = item->along[0] * (double)m->columns,
           y = (1 - item->along[1]) * (double)m->lines;
    for (size_t cell = 0; cell < m->columns * m->lines; cell++) {
        double dx = (double)(cell % m->columns) + 0.5 - x,
               dy = (double)(cell / m->columns) + 0.5 - y;
        if (m->taken[cell] || dx * dx + dy * dy >= least) continue;
        best = cell;
        least = dx * dx + dy * dy;
    }
    return best;
}

static akin_status lay_out(map *m) {
    akin_status status = AKIN_OK;
    for (int axis = 0; axis < AXES; axis++) loosen(m, axis);
    qsort(m->places, m->shown, sizeof *m->places, by_row);
    m->columns =
        (size_t)ceil(sqrt(1.3 * 1.6 * (double)m->shown)); /* a third of the cells stays free */
    m->lines = (size_t)ceil(1.3 * (double)m->shown / (double)m->columns);
    m->taken = akin_mem_zalloc(m->columns, m->lines);
    if (!m->taken) return AKIN_FAILED;
    AKIN_TRY(akin_text_create(&m->script));
    AKIN_TRY(akin_text_append(m->script, "akin.map({\"columns\":%zu,\"lines\":%zu,\"sampled\":%zu,",
                              m->columns, m->lines, m->count));
    AKIN_TRY(akin_text_append(m->script, "\"explained\":[%.4f,%.4f],\n\"items\":[", m->explained[0],
                              m->explained[1]));
    for (size_t i = 0; i < m->shown; i++) {
        size_t cell = nearest_cell(m, &m->places[i]);
        m->taken[cell] = 1;
        AKIN_TRY(akin_text_append(m->script, "%s[%zu,%zu,%zu]", i > 0 ? "," : "", m->places[i].row,
                                  cell % m->columns, cell / m->columns));
    }
    AKIN_TRY(akin_text_append(m->script, "]});\n"));
done:
    return status;
}

akin_status akin_gallery_map(akin_comm *comm, akin_gallery_folder *folder, const akin_table *table,
                             const akin_gallery_made_from *from, const akin_gallery_rows *rows,
                             const uint8_t *missing, size_t *placed) {
    akin_status status;
    map m = {.rows = rows, .missing = missing};
    *placed = 0;
    AKIN_TRY(find_embeddings(akin_comm_alone(comm), table, from, &m));
    if (!m.embeddings) goto done;
    AKIN_TRY(sample(&m));
    thin_out(&m);
    if (m.shown == 0) goto done;
    AKIN_TRY(lay_out(&m));
    AKIN_TRY(akin_gallery_folder_put(folder, "data/map.js", akin_text_bytes(m.script),
                                     akin_text_length(m.script)));
    *placed = m.shown;
done:
    akin_embeddings_close(m.embeddings);
    akin_mem_free(m.places);
    akin_mem_free(m.taken);
    akin_text_free(m.script);
    return status;
}
