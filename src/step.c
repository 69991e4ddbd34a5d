/* step: one optimiser step over all ranks. Floor 3; looks down to error, mem, comm, fixed, adam, network, sampler,
 * catalog, model. */
#include <akin/adam.h>
#include <akin/fixed.h>
#include <akin/mem.h>
#include <akin/step.h>
#include <math.h>

#define MICRO ((size_t)AKIN_NETWORK_MICRO_BATCH)
#define WEIGHTS ((size_t)AKIN_NETWORK_WEIGHTS)
#define VALUES ((double)AKIN_IMAGE_BYTES) /* of an image, the loss is their mean */

/* Gradients count in units of 2^-48: finer than what Adam's epsilon lets through, and a batch of 256 still has room for
 * gradients of 2^10. Squared errors, at most 3072 an image, count in units of 2^-24. */
#define GRADIENT_BITS 48
#define ERROR_BITS 24
#define ROOM_BITS 62

#define MAX_TENSORS 32

/* As in the paper, and as everybody has them. */
#define ADAM_BETA1 0.9
#define ADAM_BETA2 0.999
#define ADAM_EPS 1e-8

/* What travels behind the gradient in the one sum. */
enum {
    SLOT_ERROR,     /* squared error, fixed point */
    SLOT_FAILED,    /* ranks that could not read their images */
    SLOT_SIGNALLED, /* ranks that have had a signal */
    SLOT_WISH,
    SLOT_LOST,                           /* micro-batches whose loss is not finite */
    SLOT_NAN,                            /* per tensor: micro-batches with a gradient that is not finite */
    SLOT_LARGE = SLOT_NAN + MAX_TENSORS, /* per tensor: ... with one that is too large */
    SLOT_COUNT = SLOT_LARGE + MAX_TENSORS
};

struct akin_step {
    akin_comm *comm;
    const akin_catalog *catalog;
    const akin_sampler *sampler;
    akin_network *network;
    akin_model *model;
    float *gradient; /* [WEIGHTS], of a micro-batch, then of the batch; reconstructions of the holdout */
    int64_t *sums;   /* [WEIGHTS + SLOT_COUNT] */
    uint8_t images[AKIN_NETWORK_MICRO_BATCH * AKIN_IMAGE_BYTES];
};

akin_status akin_step_create(akin_comm *comm, const akin_catalog *catalog, const akin_sampler *sampler,
                             akin_network *network, akin_model *model, akin_step **out) {
    *out = NULL;
    akin_step *step = akin_mem_zalloc(1, sizeof *step);
    if (!step) return AKIN_FAILED;
    step->comm = comm;
    step->catalog = catalog;
    step->sampler = sampler;
    step->network = network;
    step->model = model;
    step->gradient = akin_mem_alloc(WEIGHTS, sizeof *step->gradient);
    step->sums = akin_mem_alloc(WEIGHTS + SLOT_COUNT, sizeof *step->sums);
    if (!step->gradient || !step->sums) {
        akin_step_free(step);
        return AKIN_FAILED;
    }
    *out = step;
    return AKIN_OK;
}

void akin_step_free(akin_step *step) {
    if (!step) return;
    akin_mem_free(step->gradient);
    akin_mem_free(step->sums);
    akin_mem_free(step);
}

static size_t micro_count(size_t images) {
    return (images + MICRO - 1) / MICRO;
}

static size_t micro_images(size_t images, size_t micro) {
    return images - micro * MICRO < MICRO ? images - micro * MICRO : MICRO;
}

/* --- a batch --- */

typedef struct {
    size_t epoch, first; /* place in the epoch's order */
    size_t images;
    float limit; /* gradients of a micro-batch stay below, so that the sum has room */
} batch_place;

static batch_place place_of(const akin_step *step) {
    size_t number = (size_t)*akin_model_step(step->model), steps = akin_sampler_steps(step->sampler);
    batch_place batch = {.epoch = number / steps, .first = number % steps * step->sampler->batch};
    batch.images = akin_sampler_batch_items(step->sampler, number % steps);
    batch.limit = (float)(ldexp(1, ROOM_BITS - GRADIENT_BITS) / (double)micro_count(batch.images));
    return batch;
}

/* The gradient of one micro-batch into the sums; a tensor that cannot be summed counts in its slot instead. */
static void add_gradient(akin_step *step, const batch_place *batch, double squared_error) {
    size_t tensor_count;
    const akin_network_tensor *tensors = akin_network_tensors(&tensor_count);
    int64_t *slots = step->sums + WEIGHTS;
    AKIN_ASSERT(tensor_count <= MAX_TENSORS);
    for (size_t t = 0; t < tensor_count; t++) {
        float peak = akin_fixed_add(step->gradient + tensors[t].offset, tensors[t].count, GRADIENT_BITS, batch->limit,
                                    step->sums + tensors[t].offset);
        if (!isfinite(peak))
            slots[SLOT_NAN + t]++;
        else if (!(peak < batch->limit))
            slots[SLOT_LARGE + t]++;
    }
    if (isfinite(squared_error))
        slots[SLOT_ERROR] += akin_fixed_from(squared_error, ERROR_BITS);
    else
        slots[SLOT_LOST]++;
}

/* This rank's micro-batches. Not collective. */
static akin_status compute(akin_step *step, const batch_place *batch) {
    akin_status status = AKIN_OK;
    const float *weights = akin_model_weights(step->model);
    float scale = (float)(1 / (VALUES * (double)batch->images));
    size_t items[AKIN_NETWORK_MICRO_BATCH];
    size_t size = (size_t)akin_comm_size(step->comm), micros = micro_count(batch->images);
    for (size_t m = (size_t)akin_comm_rank(step->comm); m < micros; m += size) {
        size_t count = micro_images(batch->images, m);
        for (size_t i = 0; i < count; i++)
            items[i] = akin_sampler_train(step->sampler, batch->epoch, batch->first + m * MICRO + i);
        AKIN_TRY(akin_catalog_images_at(step->catalog, items, count, step->images));
        double error = akin_network_gradient(step->network, weights, step->images, count, scale, step->gradient);
        add_gradient(step, batch, error);
        akin_comm_poll(step->comm); /* a large batch on few ranks takes long, and holds nobody up */
    }
done:
    return status;
}

/* After the sum, the same on every rank: the first thing that went wrong in a gradient, by name. */
static akin_status check_gradient(const akin_step *step) {
    size_t tensor_count;
    const akin_network_tensor *tensors = akin_network_tensors(&tensor_count);
    const int64_t *slots = step->sums + WEIGHTS;
    long long number = (long long)*akin_model_step(step->model) + 1;
    for (size_t t = 0; t < tensor_count; t++) {
        if (slots[SLOT_NAN + t] > 0)
            return akin_error_set(AKIN_FAILED,
                                  "step %lld: the gradient of %s is not a number; try a smaller --learning-rate",
                                  number, tensors[t].name);
        if (slots[SLOT_LARGE + t] > 0)
            return akin_error_set(AKIN_FAILED, "step %lld: the gradient of %s overflows; try a smaller --learning-rate",
                                  number, tensors[t].name);
    }
    if (slots[SLOT_LOST] > 0)
        return akin_error_set(AKIN_FAILED, "step %lld: the loss is not a number; try a smaller --learning-rate",
                              number);
    return AKIN_OK;
}

static akin_status check_weights(const akin_step *step) {
    size_t tensor_count;
    const akin_network_tensor *tensors = akin_network_tensors(&tensor_count);
    if (isfinite(akin_fixed_peak(akin_model_weights(step->model), WEIGHTS))) return AKIN_OK;
    size_t t = 0;
    while (isfinite(akin_fixed_peak(akin_model_weights(step->model) + tensors[t].offset, tensors[t].count))) t++;
    return akin_error_set(AKIN_FAILED, "step %lld: the update of %s is not a number; try a smaller --learning-rate",
                          (long long)*akin_model_step(step->model), tensors[t].name);
}

akin_status akin_step_take(akin_step *step, double learning_rate, bool wish, akin_step_outcome *outcome) {
    akin_status status;
    batch_place batch = place_of(step);
    int64_t *slots = step->sums + WEIGHTS, *number = akin_model_step(step->model);
    for (size_t i = 0; i < WEIGHTS + SLOT_COUNT; i++) step->sums[i] = 0;
    akin_status local = compute(step, &batch);
    slots[SLOT_FAILED] = local != AKIN_OK;
    slots[SLOT_SIGNALLED] = akin_comm_signalled();
    slots[SLOT_WISH] = wish;
    akin_comm_sum_i64(step->comm, step->sums, WEIGHTS + SLOT_COUNT);
    if (slots[SLOT_FAILED] > 0) AKIN_TRY(akin_agree(step->comm, local));
    AKIN_TRY(check_gradient(step)); /* the same everywhere */
    akin_fixed_get(step->sums, WEIGHTS, GRADIENT_BITS, step->gradient);
    *number += 1;
    akin_adam_step(akin_model_weights(step->model), step->gradient, akin_model_adam_mean(step->model),
                   akin_model_adam_variance(step->model), WEIGHTS, (uint64_t)*number, learning_rate, ADAM_BETA1,
                   ADAM_BETA2, ADAM_EPS);
    AKIN_TRY(check_weights(step));
    *outcome = (akin_step_outcome){.squared_error = akin_fixed_to(slots[SLOT_ERROR], ERROR_BITS),
                                   .images = batch.images,
                                   .signalled = slots[SLOT_SIGNALLED] > 0,
                                   .wish = slots[SLOT_WISH] > 0};
done:
    return status;
}

/* --- the holdout --- */

/* This rank's micro-batches of it, in fixed point. Not collective. */
static akin_status reconstruct(akin_step *step, int64_t *sum) {
    akin_status status = AKIN_OK;
    size_t items[AKIN_NETWORK_MICRO_BATCH], total = step->sampler->holdout;
    size_t size = (size_t)akin_comm_size(step->comm);
    *sum = 0;
    for (size_t m = (size_t)akin_comm_rank(step->comm); m < micro_count(total); m += size) {
        size_t count = micro_images(total, m);
        for (size_t i = 0; i < count; i++) items[i] = akin_sampler_holdout(step->sampler, m * MICRO + i);
        AKIN_TRY(akin_catalog_images_at(step->catalog, items, count, step->images));
        double error = akin_network_reconstruct(step->network, akin_model_weights(step->model), step->images, count,
                                                step->gradient);
        if (!isfinite(error)) return akin_error_set(AKIN_FAILED, "the loss of the holdout is not a number");
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
