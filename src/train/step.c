/* step: one optimiser step over all ranks. */
#include "step.h"
#include "adam.h"
#include "contrast_pairs.h"
#include "reader.h"
#include <akin/augment.h>
#include <akin/fixed.h>
#include <akin/mem.h>
#include <math.h>

#define MICRO ((size_t)AKIN_NETWORK_MICRO_BATCH)
#define WEIGHTS ((size_t)AKIN_NETWORK_WEIGHTS)
#define VALUES ((double)AKIN_IMAGE_BYTES) /* of an image, the loss is their mean */

/* Gradients are stored in units of 2^-48: finer than what Adam's epsilon lets through, and a
 * batch of 256 still has room for gradients of 2^10. Squared errors, at most 3072 per image, are
 * in units of 2^-24. */
#define GRADIENT_BITS 48
#define ERROR_BITS 24
#define ROOM_BITS 62

#define MAX_TENSORS 32

/* As in the paper; the usual values. */
#define ADAM_BETA1 0.9
#define ADAM_BETA2 0.999
#define ADAM_EPS 1e-8

/* Slots that are summed along with the gradient. */
enum {
    SLOT_ERROR,     /* squared error, fixed point */
    SLOT_CONTRAST,  /* contrastive loss, likewise */
    SLOT_FAILED,    /* ranks that could not read their images */
    SLOT_SIGNALLED, /* ranks that received a signal */
    SLOT_WISH,
    SLOT_LOST, /* micro-batches whose loss is not finite */
    SLOT_NAN,  /* per tensor: micro-batches with a gradient that is not finite */
    SLOT_LARGE = SLOT_NAN + MAX_TENSORS, /* per tensor: ... with one that is too large */
    SLOT_COUNT = SLOT_LARGE + MAX_TENSORS
};

enum {
    SUMS = AKIN_NETWORK_PARTS + 1
}; /* one per part of the network, and the slots, with the head before them */

#define HEAD ((size_t)AKIN_NETWORK_HEAD)

struct akin_step {
    akin_step_parts parts;
    akin_comm *comm;
    akin_model *model;
    akin_reader *reader;
    akin_contrast_pairs *pairs; /* NULL if the objective has none */
    float *gradient; /* [WEIGHTS], of a micro-batch, then of the batch; reconstructions of the
                      * holdout */
    int64_t *values; /* [WEIGHTS + SLOT_COUNT] */
    akin_comm_sum *sums[SUMS]; /* in progress */
    size_t started;            /* of them, in this step */
    float limit;               /* gradients of a micro-batch must stay below it, so that the sum
                                * has room */
    size_t complete_from,
        complete_to;         /* parts that are complete once the current gradient is computed */
    double reading, waiting; /* seconds, in this step */
    uint8_t images[AKIN_NETWORK_MICRO_BATCH * AKIN_IMAGE_BYTES]; /* damaged, or of the holdout */
};

static bool has_pairs(const akin_step *step) {
    return step->parts.objective.kind == AKIN_OBJECTIVE_CONTRASTIVE;
}

/* Range s of the values, which is summed in one piece. */
static void sum_range(const akin_step *step, size_t s, size_t *first, size_t *count) {
    if (s < AKIN_NETWORK_PARTS) {
        akin_network_part(s, first, count);
    } else {
        *first = has_pairs(step) ? HEAD : WEIGHTS;
        *count = WEIGHTS + SLOT_COUNT - *first;
    }
}

static akin_status create_sums(akin_step *step) {
    akin_status status = AKIN_OK;
    for (size_t s = 0; s < SUMS; s++) {
        size_t first, count;
        sum_range(step, s, &first, &count);
        AKIN_TRY(akin_comm_sum_create(count, &step->sums[s]));
    }
done:
    return status;
}

static size_t holdout_pairs(const akin_sampler *sampler) {
    return sampler->holdout < AKIN_STEP_HOLDOUT_PAIRS ? sampler->holdout : AKIN_STEP_HOLDOUT_PAIRS;
}

static size_t most_pairs(const akin_sampler *sampler) {
    size_t batch = akin_sampler_batch_items(sampler, 0), holdout = holdout_pairs(sampler);
    return batch > holdout ? batch : holdout;
}

static akin_status create(const akin_step_parts *parts, akin_step *step) {
    akin_status status;
    const akin_reader_span span = {.rank = akin_comm_rank(parts->comm),
                                   .size = akin_comm_size(parts->comm),
                                   .first_step = (size_t)*akin_model_step(parts->model),
                                   .steps = parts->steps};
    step->gradient = akin_mem_alloc(WEIGHTS, sizeof *step->gradient);
    step->values = akin_mem_alloc(WEIGHTS + SLOT_COUNT, sizeof *step->values);
    if (!step->gradient || !step->values) return AKIN_FAILED;
    AKIN_TRY(create_sums(step));
    if (has_pairs(step))
        AKIN_TRY(akin_contrast_pairs_create(parts->comm, parts->network, &parts->objective,
                                            most_pairs(parts->sampler), &step->pairs));
    AKIN_TRY(
        akin_reader_create(parts->catalog, parts->sampler, parts->worker, &span, &step->reader));
done:
    return status;
}

akin_status akin_step_create(const akin_step_parts *parts, akin_step **out) {
    akin_status status;
    *out = NULL;
    akin_step *step = akin_mem_zalloc(1, sizeof *step);
    if (!step) return AKIN_FAILED;
    step->parts = *parts;
    step->comm = parts->comm;
    step->model = parts->model;
    AKIN_TRY(create(parts, step));
    *out = step;
    return AKIN_OK;
done:
    akin_step_free(step);
    return status;
}

void akin_step_free(akin_step *step) {
    if (!step) return;
    akin_reader_free(step->reader);
    akin_contrast_pairs_free(step->pairs);
    for (size_t s = 0; s < SUMS; s++) akin_comm_sum_free(step->sums[s]);
    akin_mem_free(step->gradient);
    akin_mem_free(step->values);
    akin_mem_free(step);
}

/* --- a batch --- */

/* Adds the tensors of a part of the gradient to the sums; one that cannot be summed counts in
 * its slot instead. */
static void add_part(akin_step *step, size_t first, size_t count) {
    size_t tensor_count;
    const akin_network_tensor *tensors = akin_network_tensors(&tensor_count);
    int64_t *slots = step->values + WEIGHTS;
    AKIN_ASSERT(tensor_count <= MAX_TENSORS);
    for (size_t t = 0; t < tensor_count; t++) {
        size_t at = tensors[t].offset;
        if (at < first || at >= first + count) continue;
        float peak = akin_fixed_add(step->gradient + at, tensors[t].count, GRADIENT_BITS,
                                    step->limit, step->values + at);
        if (!isfinite(peak))
            slots[SLOT_NAN + t]++;
        else if (!(peak < step->limit))
            slots[SLOT_LARGE + t]++;
    }
}

/* Starts the next of the sums; the same order on every rank. */
static void start_sum(akin_step *step) {
    size_t s = step->started++, first, count;
    sum_range(step, s, &first, &count);
    akin_comm_sum_start(step->comm, step->sums[s], step->values + first, count);
}

static void part_is_ready(void *context, size_t part) {
    akin_step *step = context;
    if (part < AKIN_NETWORK_PARTS) {
        size_t first, count;
        akin_network_part(part, &first, &count);
        add_part(step, first, count);
        if (part >= step->complete_from && part < step->complete_to) start_sum(step);
    }
    akin_comm_poll(step->comm); /* lets sums proceed; a large batch on few ranks takes long and
                                 * must not hold up others */
}

/* The key from which the views of a picture in this step are drawn. */
static akin_augment_key key_of(const akin_step *step, size_t place_of_batch) {
    const akin_sampler *sampler = step->parts.sampler;
    size_t in_epoch = akin_sampler_steps(sampler), number = (size_t)*akin_model_step(step->model);
    size_t epoch = number / in_epoch, place = number % in_epoch * sampler->batch + place_of_batch;
    return (akin_augment_key){.seed = sampler->seed,
                              .epoch = (uint32_t)epoch,
                              .item = akin_sampler_train(sampler, epoch, place)};
}

/* The pictures of micro-batch m of this step as the network's input: unmodified, or damaged. */
static const uint8_t *seen(akin_step *step, size_t m, size_t count, const uint8_t *images) {
    const akin_objective *objective = &step->parts.objective;
    akin_augment how = akin_augment_damage(objective->augment);
    if (objective->kind != AKIN_OBJECTIVE_DENOISING) return images;
    for (size_t i = 0; i < count; i++) {
        const akin_augment_key key = key_of(step, m * MICRO + i);
        akin_augment_view(&how, &key, images + i * AKIN_IMAGE_BYTES,
                          step->images + i * AKIN_IMAGE_BYTES);
    }
    return step->images;
}

/* The next micro-batch of this rank, which is number m of the step. */
static akin_status read_micro(akin_step *step, size_t batch, size_t m, size_t *count,
                              const uint8_t **images) {
    double before = akin_comm_seconds();
    akin_status status = akin_reader_next(step->reader, count, images);
    step->reading += akin_comm_seconds() - before;
    AKIN_ASSERT(status != AKIN_OK || *count == akin_reader_micro_images(batch, m));
    return status;
}

/* Adds a sum of losses to its slot, or counts it as lost. */
static void add_loss(akin_step *step, size_t slot, double loss) {
    int64_t *slots = step->values + WEIGHTS;
    if (isfinite(loss))
        slots[slot] += akin_fixed_from(loss, ERROR_BITS);
    else
        slots[SLOT_LOST]++;
}

/* Adds the gradient of a task to the sums, which completes parts [from, to). */
static void add_gradient(akin_step *step, const akin_network_task *task, size_t from, size_t to) {
    step->complete_from = from;
    step->complete_to = to;
    add_loss(step, SLOT_ERROR,
             akin_network_gradient(step->parts.network, akin_model_weights(step->model), task,
                                   step->gradient, part_is_ready, step));
}

/* This rank's micro-batches of a batch. Not collective. */
static akin_status compute(akin_step *step, size_t batch) {
    akin_status status = AKIN_OK;
    float scale = (float)(1 / (VALUES * (double)batch));
    size_t size = (size_t)akin_comm_size(step->comm), micros = akin_reader_micros(batch);
    for (size_t m = (size_t)akin_comm_rank(step->comm); m < micros; m += size) {
        size_t count;
        const uint8_t *images;
        AKIN_TRY(read_micro(step, batch, m, &count, &images));
        const akin_network_task task = {.images = seen(step, m, count, images),
                                        .targets = images,
                                        .count = count,
                                        .scale = scale};
        add_gradient(step, &task, 0, m + size >= micros ? AKIN_NETWORK_PARTS : 0);
    }
done:
    return status;
}

/* Both views of this rank's micro-batches. Not collective. */
static akin_status encode_pairs(akin_step *step, size_t batch) {
    akin_status status = AKIN_OK;
    size_t size = (size_t)akin_comm_size(step->comm), count;
    const uint8_t *images;
    akin_augment_key keys[AKIN_NETWORK_MICRO_BATCH];
    akin_contrast_pairs_begin(step->pairs, batch);
    for (size_t m = (size_t)akin_comm_rank(step->comm); m < akin_reader_micros(batch); m += size) {
        AKIN_TRY(read_micro(step, batch, m, &count, &images));
        for (size_t i = 0; i < count; i++) keys[i] = key_of(step, m * MICRO + i);
        akin_contrast_pairs_add(step->pairs, akin_model_weights(step->model), m, count, images,
                                keys);
    }
done:
    return status;
}

/* The contrastive losses, and their gradients through the network. Not collective. */
static void compute_pairs(akin_step *step, size_t batch) {
    const akin_objective *objective = &step->parts.objective;
    float scale = (float)(1 / (VALUES * (double)batch)),
          pull = (float)(objective->contrast / (2 * (double)batch));
    size_t size = (size_t)akin_comm_size(step->comm), micros = akin_reader_micros(batch);
    for (size_t g = 0; g < akin_contrast_pairs_groups(step->pairs); g++) {
        if (!akin_contrast_pairs_concerns(step->pairs, g)) continue;
        double loss = akin_contrast_pairs_loss(step->pairs, akin_model_weights(step->model), g,
                                               pull, step->gradient);
        if (!akin_contrast_pairs_answers(step->pairs, g)) continue;
        add_loss(step, SLOT_CONTRAST, loss);
        add_part(step, HEAD, WEIGHTS - HEAD);
    }
    for (size_t m = (size_t)akin_comm_rank(step->comm); m < micros; m += size) {
        const akin_network_task first = akin_contrast_pairs_task(step->pairs, m, 0, scale);
        const akin_network_task second = akin_contrast_pairs_task(step->pairs, m, 1, scale);
        bool last = m + size >= micros;
        add_gradient(step, &first, 0, last ? 1 : 0);
        add_gradient(step, &second, 1, last ? AKIN_NETWORK_PARTS : 1);
    }
}

/* Everything that this rank adds to the sums. Collective if there are pairs. */
static akin_status add_share(akin_step *step, size_t batch) {
    if (!has_pairs(step)) return compute(step, batch);
    akin_status status = encode_pairs(step, batch);
    step->waiting += akin_contrast_pairs_meet(
        step->pairs); /* also if this rank has failed, which the sums report to all */
    if (status == AKIN_OK) compute_pairs(step, batch);
    return status;
}

/* After the sum, the same on every rank: the first error in a gradient, by name. */
static akin_status check_gradient(const akin_step *step) {
    size_t tensor_count;
    const akin_network_tensor *tensors = akin_network_tensors(&tensor_count);
    const int64_t *slots = step->values + WEIGHTS;
    long long number = (long long)*akin_model_step(step->model) + 1;
    for (size_t t = 0; t < tensor_count; t++) {
        if (slots[SLOT_NAN + t] > 0)
            return akin_error_set(
                AKIN_FAILED,
                "step %lld: the gradient of %s is not a number; try a smaller --learning-rate",
                number, tensors[t].name);
        if (slots[SLOT_LARGE + t] > 0)
            return akin_error_set(
                AKIN_FAILED,
                "step %lld: the gradient of %s overflows; try a smaller --learning-rate", number,
                tensors[t].name);
    }
    if (slots[SLOT_LOST] > 0)
        return akin_error_set(AKIN_FAILED,
                              "step %lld: the loss is not a number; try a smaller --learning-rate",
                              number);
    return AKIN_OK;
}

static akin_status check_weights(const akin_step *step) {
    size_t tensor_count;
    const akin_network_tensor *tensors = akin_network_tensors(&tensor_count);
    if (isfinite(akin_fixed_peak(akin_model_weights(step->model), WEIGHTS))) return AKIN_OK;
    size_t t = 0;
    while (isfinite(
        akin_fixed_peak(akin_model_weights(step->model) + tensors[t].offset, tensors[t].count)))
        t++;
    return akin_error_set(
        AKIN_FAILED, "step %lld: the update of %s is not a number; try a smaller --learning-rate",
        (long long)*akin_model_step(step->model), tensors[t].name);
}

/* Sums the remaining slots, and waits for all. Returns the seconds waited. Collective. */
static double finish_sums(akin_step *step) {
    while (step->started < SUMS) start_sum(step);
    double start = akin_comm_seconds();
    for (size_t s = 0; s < SUMS; s++) akin_comm_sum_wait(step->comm, step->sums[s]);
    return akin_comm_seconds() - start;
}

static void update(akin_step *step, double learning_rate) {
    int64_t *number = akin_model_step(step->model);
    akin_fixed_get(step->values, WEIGHTS, GRADIENT_BITS, step->gradient);
    *number += 1;
    akin_adam_step(&(const akin_adam_params){learning_rate, ADAM_BETA1, ADAM_BETA2, ADAM_EPS},
                   (uint64_t)*number, WEIGHTS, akin_model_weights(step->model), step->gradient,
                   akin_model_adam_mean(step->model), akin_model_adam_variance(step->model));
}

akin_status akin_step_take(akin_step *step, double learning_rate, bool wish,
                           akin_step_outcome *outcome) {
    akin_status status;
    const akin_sampler *sampler = step->parts.sampler;
    size_t batch = akin_sampler_batch_items(sampler, (size_t)*akin_model_step(step->model) %
                                                         akin_sampler_steps(sampler));
    int64_t *slots = step->values + WEIGHTS;
    for (size_t i = 0; i < WEIGHTS + SLOT_COUNT; i++) step->values[i] = 0;
    step->limit = (float)(ldexp(1, ROOM_BITS - GRADIENT_BITS) /
                          (double)(akin_reader_micros(batch) * (has_pairs(step) ? 2 : 1)));
    step->started = 0;
    step->reading = step->waiting = 0;
    akin_status local = add_share(step, batch);
    slots[SLOT_FAILED] = local != AKIN_OK;
    slots[SLOT_SIGNALLED] = akin_comm_signalled();
    slots[SLOT_WISH] = wish;
    step->waiting += finish_sums(step);
    if (slots[SLOT_FAILED] > 0) AKIN_TRY(akin_agree(step->comm, local));
    AKIN_TRY(check_gradient(step)); /* the same on every rank */
    update(step, learning_rate);
    AKIN_TRY(check_weights(step));
    *outcome = (akin_step_outcome){.squared_error = akin_fixed_to(slots[SLOT_ERROR], ERROR_BITS),
                                   .contrast = akin_fixed_to(slots[SLOT_CONTRAST], ERROR_BITS),
                                   .images = batch,
                                   .signalled = slots[SLOT_SIGNALLED] > 0,
                                   .wish = slots[SLOT_WISH] > 0,
                                   .waiting = step->waiting,
                                   .reading = step->reading};
done:
    return status;
}

/* --- the holdout --- */

/* This rank's micro-batches of it, in fixed point. Not collective. */
static akin_status reconstruct(akin_step *step, int64_t *sum) {
    akin_status status = AKIN_OK;
    size_t items[AKIN_NETWORK_MICRO_BATCH], total = step->parts.sampler->holdout;
    size_t size = (size_t)akin_comm_size(step->comm);
    *sum = 0;
    akin_worker_idle(step->parts.worker); /* NetCDF supports only one thread at a time */
    for (size_t m = (size_t)akin_comm_rank(step->comm); m < akin_reader_micros(total); m += size) {
        size_t count = akin_reader_micro_images(total, m);
        for (size_t i = 0; i < count; i++)
            items[i] = akin_sampler_holdout(step->parts.sampler, m * MICRO + i);
        AKIN_TRY(akin_catalog_images_at(step->parts.catalog, items, count, step->images));
        double error =
            akin_network_reconstruct(step->parts.network, akin_model_weights(step->model),
                                     step->images, count, step->gradient);
        if (!isfinite(error))
            return akin_error_set(AKIN_FAILED, "the loss of the holdout is not a number");
        *sum += akin_fixed_from(error, ERROR_BITS);
        akin_comm_poll(step->comm);
    }
done:
    return status;
}

akin_status akin_step_holdout(akin_step *step, double *squared_error) {
    akin_status status;
    int64_t sum;
    AKIN_TRY(akin_agree(step->comm, reconstruct(step, &sum)));
    akin_comm_sum_i64(step->comm, &sum, 1);
    *squared_error = akin_fixed_to(sum, ERROR_BITS);
done:
    return status;
}

/* This rank's pairs of it. Not collective. */
static akin_status encode_holdout(akin_step *step, size_t total) {
    akin_status status = AKIN_OK;
    const akin_sampler *sampler = step->parts.sampler;
    size_t items[AKIN_NETWORK_MICRO_BATCH], size = (size_t)akin_comm_size(step->comm);
    akin_augment_key keys[AKIN_NETWORK_MICRO_BATCH];
    akin_worker_idle(step->parts.worker);
    akin_contrast_pairs_begin(step->pairs, total);
    for (size_t m = (size_t)akin_comm_rank(step->comm); m < akin_reader_micros(total); m += size) {
        size_t count = akin_reader_micro_images(total, m);
        for (size_t i = 0; i < count; i++) {
            items[i] = akin_sampler_holdout(sampler, m * MICRO + i);
            keys[i] =
                (akin_augment_key){.seed = sampler->seed, .epoch = UINT32_MAX, .item = items[i]};
        }
        AKIN_TRY(akin_catalog_images_at(step->parts.catalog, items, count, step->images));
        akin_contrast_pairs_add(step->pairs, akin_model_weights(step->model), m, count,
                                step->images, keys);
    }
done:
    return status;
}

akin_status akin_step_holdout_contrast(akin_step *step, double *contrast) {
    akin_status status;
    size_t total = holdout_pairs(step->parts.sampler);
    double sum = 0;
    AKIN_TRY(akin_agree(step->comm, encode_holdout(step, total)));
    akin_contrast_pairs_meet(step->pairs);
    for (size_t g = 0; g < akin_contrast_pairs_groups(step->pairs);
         g++) /* the same numbers on every rank */
        sum += akin_contrast_pairs_loss(step->pairs, akin_model_weights(step->model), g, 0, NULL);
    *contrast = sum / (2 * (double)total);
    status = isfinite(sum) ? AKIN_OK
                           : akin_error_set(AKIN_FAILED,
                                            "the contrastive loss of the holdout is not a number");
done:
    return status;
}
