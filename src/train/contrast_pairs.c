/* contrast_pairs: two views of each picture of a batch, and their contrastive loss. */
#include "contrast_pairs.h"
#include <akin/catalog.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <string.h>

#define MICRO ((size_t)AKIN_NETWORK_MICRO_BATCH)
#define GROUP (AKIN_CONTRAST_GROUP / MICRO) /* micro-batches, at most */
#define LATENT ((size_t)AKIN_NETWORK_LATENT)

/* A micro-batch as the network sees it. */
typedef struct {
    uint8_t views[2][AKIN_NETWORK_MICRO_BATCH * AKIN_IMAGE_BYTES];
    float pull[2][AKIN_NETWORK_MICRO_BATCH * AKIN_NETWORK_LATENT];
} micro;

struct akin_contrast_pairs {
    akin_comm *comm;
    akin_network *network;
    akin_objective objective;
    akin_augment how;
    akin_contrast *contrast;
    size_t images, micros; /* of the step */
    micro *mine;           /* [own micro-batches]: number m is at m / size */
    float *latents; /* of all: group by group, in each all first views, then all second ones */
    float *pull;    /* of one group, in the same layout */
};

akin_status akin_contrast_pairs_create(akin_comm *comm, akin_network *network,
                                       const akin_objective *objective, size_t images,
                                       akin_contrast_pairs **out) {
    akin_status status;
    size_t micros = (images + MICRO - 1) / MICRO, size = (size_t)akin_comm_size(comm);
    *out = NULL;
    akin_contrast_pairs *pairs = akin_mem_zalloc(1, sizeof *pairs);
    if (!pairs) return AKIN_FAILED;
    pairs->comm = comm;
    pairs->network = network;
    pairs->objective = *objective;
    pairs->how = akin_augment_pair(objective->augment);
    AKIN_TRY(akin_contrast_create(&pairs->contrast));
    pairs->mine = akin_mem_alloc((micros + size - 1) / size, sizeof *pairs->mine);
    pairs->latents = akin_mem_alloc(2 * images, LATENT * sizeof *pairs->latents);
    pairs->pull = akin_mem_alloc(2 * (size_t)AKIN_CONTRAST_GROUP, LATENT * sizeof *pairs->pull);
    if (!pairs->mine || !pairs->latents || !pairs->pull) AKIN_TRY(AKIN_FAILED);
    *out = pairs;
    return AKIN_OK;
done:
    akin_contrast_pairs_free(pairs);
    return status;
}

void akin_contrast_pairs_free(akin_contrast_pairs *pairs) {
    if (!pairs) return;
    akin_contrast_free(pairs->contrast);
    akin_mem_free(pairs->mine);
    akin_mem_free(pairs->latents);
    akin_mem_free(pairs->pull);
    akin_mem_free(pairs);
}

/* --- groups --- */

size_t akin_contrast_pairs_groups(const akin_contrast_pairs *pairs) {
    return (pairs->micros + GROUP - 1) / GROUP;
}

/* The first micro-batch of a group; for the group after the last, their number. */
static size_t first_micro(const akin_contrast_pairs *pairs, size_t group) {
    return group * pairs->micros / akin_contrast_pairs_groups(pairs);
}

static size_t first_image(const akin_contrast_pairs *pairs, size_t group) {
    size_t image = first_micro(pairs, group) * MICRO;
    return image < pairs->images ? image : pairs->images;
}

static size_t group_of(const akin_contrast_pairs *pairs, size_t m) {
    size_t group = 0;
    while (first_micro(pairs, group + 1) <= m) group++;
    return group;
}

static size_t count_of(const akin_contrast_pairs *pairs, size_t m) {
    return pairs->images - m * MICRO < MICRO ? pairs->images - m * MICRO : MICRO;
}

bool akin_contrast_pairs_concerns(const akin_contrast_pairs *pairs, size_t group) {
    size_t size = (size_t)akin_comm_size(pairs->comm), rank = (size_t)akin_comm_rank(pairs->comm);
    size_t first = first_micro(pairs, group), end = first_micro(pairs, group + 1);
    return (rank + size - first % size) % size <
           end - first; /* the distance to this rank's next one */
}

bool akin_contrast_pairs_answers(const akin_contrast_pairs *pairs, size_t group) {
    return first_micro(pairs, group) % (size_t)akin_comm_size(pairs->comm) ==
           (size_t)akin_comm_rank(pairs->comm);
}

/* The first row of a micro-batch's view within its group. */
static size_t row_of(const akin_contrast_pairs *pairs, size_t m, int view) {
    size_t group = group_of(pairs, m), first = first_image(pairs, group);
    return m * MICRO - first + (view ? first_image(pairs, group + 1) - first : 0);
}

/* --- a step --- */

void akin_contrast_pairs_begin(akin_contrast_pairs *pairs, size_t images) {
    pairs->images = images;
    pairs->micros = (images + MICRO - 1) / MICRO;
    memset(pairs->latents, 0, 2 * images * LATENT * sizeof *pairs->latents);
}

static micro *micro_of(const akin_contrast_pairs *pairs, size_t m) {
    return &pairs->mine[m / (size_t)akin_comm_size(pairs->comm)];
}

void akin_contrast_pairs_add(akin_contrast_pairs *pairs, const float *weights, size_t m,
                             size_t count, const uint8_t *images, const akin_augment_key *keys) {
    micro *it = micro_of(pairs, m);
    size_t first = first_image(pairs, group_of(pairs, m));
    AKIN_ASSERT(count == count_of(pairs, m));
    for (int v = 0; v < 2; v++) {
        for (size_t i = 0; i < count; i++) {
            akin_augment_key key = keys[i];
            key.view = (uint32_t)v;
            akin_augment_view(&pairs->how, &key, images + i * AKIN_IMAGE_BYTES,
                              it->views[v] + i * AKIN_IMAGE_BYTES);
        }
        akin_network_encode(pairs->network, weights, it->views[v], count,
                            pairs->latents + (2 * first + row_of(pairs, m, v)) * LATENT);
        akin_comm_poll(pairs->comm);
    }
}

/* A latent is non-zero on one rank only: a sum of the ranks' bits gives exactly its bits. */
double akin_contrast_pairs_meet(akin_contrast_pairs *pairs) {
    double start = akin_comm_seconds();
    _Static_assert(2 * sizeof(float) == sizeof(int64_t), "two floats are one word");
    akin_comm_sum_i64(pairs->comm, (int64_t *)(void *)pairs->latents, pairs->images * LATENT);
    return akin_comm_seconds() - start;
}

/* Copies the gradient by the latents of this rank's own views to where it is used. */
static void keep_pull(akin_contrast_pairs *pairs, size_t group) {
    size_t size = (size_t)akin_comm_size(pairs->comm), rank = (size_t)akin_comm_rank(pairs->comm);
    for (size_t m = first_micro(pairs, group); m < first_micro(pairs, group + 1); m++)
        for (int v = 0; v < 2 && m % size == rank; v++)
            memcpy(micro_of(pairs, m)->pull[v], pairs->pull + row_of(pairs, m, v) * LATENT,
                   count_of(pairs, m) * LATENT * sizeof *pairs->pull);
}

double akin_contrast_pairs_loss(akin_contrast_pairs *pairs, const float *weights, size_t group,
                                float scale, float *gradient) {
    size_t first = first_image(pairs, group), count = first_image(pairs, group + 1) - first;
    double sum =
        akin_contrast_loss(pairs->contrast, weights,
                           &(akin_contrast_views){pairs->latents + 2 * first * LATENT, count,
                                                  (float)pairs->objective.temperature},
                           scale, gradient ? pairs->pull : NULL, gradient);
    if (gradient) keep_pull(pairs, group);
    return sum;
}

akin_network_task akin_contrast_pairs_task(const akin_contrast_pairs *pairs, size_t m, int view,
                                           float scale) {
    const micro *it = micro_of(pairs, m);
    return (akin_network_task){.images = it->views[view],
                               .targets = view == 0 ? it->views[0] : NULL,
                               .count = count_of(pairs, m),
                               .scale = scale,
                               .pull = it->pull[view]};
}
