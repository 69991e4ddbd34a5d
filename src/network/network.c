/* network: the autoencoder, forward and backward. Convolutions work image by image, so that what
 * a layer wrote is still in the cache when the next one reads it; an image's decoder goes
 * forward and immediately backward. Dense layers work on the micro-batch. Arrays have a border
 * of zeros on those sides where a neighbourhood extends over the edge; nothing ever writes
 * there. */
#include "conv.h"
#include "dense.h"
#include "layers.h"
#include "pooled.h"
#include "tensors.h"
#include "winograd.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <string.h>

/* --- shapes --- */

enum {
    BATCH = AKIN_NETWORK_MICRO_BATCH,
    SIDE = 32, /* of an image */
    IMAGE = SIDE * SIDE * 3,
    FRAMED = (SIDE + 2) * 3, /* a row of an image with its border on both sides */
    POOL1 =
        AKIN_NETWORK_MAPS1_ROW, /* a row of the first pooled layer, 16 pixels with a border on both sides */
    FLAT = 4096,
    HIDDEN = 128,
    LATENT = AKIN_NETWORK_LATENT,
    SEED = 64,
    SEED_ROW = 9,  /* 8 values and a border at the right */
    UP1 = 17 * 64, /* 16 pixels and a border: at the right and bottom forward, at the left and top
                      backward */
    UP2 = 33 * 32, /* likewise */
};

/* Two rows at a time, which are pooled at once. */
static const akin_conv_map conv1 = {2,      SIDE, 3,  9,         {0, FRAMED, 2 * FRAMED},
                                    FRAMED, 3,    32, SIDE * 32, 32};
static const akin_pooled_shape conv2 = {8, 8, 32, 64};

/* A transposed convolution of stride 2 puts input pixel (y, x) times kernel (i, j) at (2 y + i -
 * 1, 2 x + j - 1). So a result of even row or column involves one kernel row or column, the
 * middle one; of odd row or column two: the last one with the pixel before it and the first one
 * with the pixel after. */
static const struct {
    size_t row, column; /* parity */
    size_t runs, taps;  /* kernel rows, kernel columns */
    size_t kernel_row[2], kernel_column[2];
    size_t first; /* of the taps, in the phases' weights */
} phases[4] = {{0, 0, 1, 1, {1}, {1}, 0},
               {0, 1, 1, 2, {1}, {2, 0}, 1},
               {1, 0, 2, 1, {2, 0}, {1}, 3},
               {1, 1, 2, 2, {2, 0}, {2, 0}, 5}};

/* From a transposed convolution's gradient to its input's and its weights'. */
static const akin_conv_map up1_data = {8, 8, 3, 192, {0, UP1, 2 * UP1}, 2 * UP1, 128, 1, 8, 1};
static const akin_conv_map up2_data = {16, 16, 3, 96, {0, UP2, 2 * UP2}, 2 * UP2, 64, 64, UP1, 64};
static const akin_conv_map up1_weight = {8, 8, 1, 1, {0}, SEED_ROW, 1, 64, 2 * UP1, 128};

/* The last convolution has three result channels, too few for vectors. Forward, each pixel is
 * multiplied for all nine taps at once (27 channels, padded), and these products are added up in
 * their places. Backward it is the map of the first one, from the framed gradient. */
static const akin_conv_map output = {1, SIDE,           1, 32, {0}, 0, 32, AKIN_CONV_LANES,
                                     0, AKIN_CONV_LANES};
static const akin_conv_map output_data = {SIDE,   SIDE, 3,  9,   {0, FRAMED, 2 * FRAMED},
                                          FRAMED, 3,    32, UP2, 32};

#define ALIGNED _Alignas(64) float

/* One block of memory, zeroed, which initialises the borders. */
struct akin_network {
    /* Weights in the order in which the kernels read them. */
    ALIGNED conv1[27 * 32], conv2[AKIN_WINOGRAD_PACKED(32, 64)], up1[9 * 64], up2[9 * 64 * 32],
        output[32 * AKIN_CONV_LANES];
    ALIGNED conv2_turned[576 * 32], up2_data[288 * 64], output_data[27 * 32];
    /* The micro-batch forward. */
    ALIGNED image[BATCH][(SIDE + 2) * FRAMED];
    ALIGNED pool1[BATCH][18 * POOL1];
    ALIGNED flat[BATCH * FLAT], hidden[BATCH * HIDDEN], latent[BATCH * LATENT], seed[BATCH * SEED];
    uint8_t where1[BATCH][16 * 16 * 32], where2[BATCH][FLAT];
    /* One image forward. */
    ALIGNED tiles[AKIN_WINOGRAD_SCRATCH(32)];
    ALIGNED
    rows[2 * SIDE * 32]; /* two rows of a convolution, before pooling; also of its gradient */
    ALIGNED seed_map[9 * SEED_ROW], up1_out[17 * UP1], up2_out[33 * UP2];
    ALIGNED products[3][SIDE * AKIN_CONV_LANES], output_row[SIDE * 3], reconstruction[IMAGE];
    /* One image backward. */
    ALIGNED grad_output[(SIDE + 2) * FRAMED], grad_up2[33 * UP2], grad_up1[17 * UP1];
    ALIGNED grad_pool1[18 * POOL1];
    akin_pooled_entry entries[AKIN_POOLED_SCRATCH(8, 8, 64)];
    /* The micro-batch backward. */
    ALIGNED grad_seed[BATCH * SEED], grad_latent[BATCH * LATENT], grad_hidden[BATCH * HIDDEN],
        grad_flat[BATCH * FLAT];
    ALIGNED conv2_sum[64 * 288], output_turned[27 * 32],
        output_bias[SIDE * 3]; /* sums that are put in place at the end */
    ALIGNED scratch[288 * 64];
};

akin_status akin_network_create(akin_network **out) {
    *out = NULL;
    akin_status status = akin_linalg_start();
    if (status != AKIN_OK) return status;
    *out = akin_mem_zalloc(1, sizeof **out);
    return *out ? AKIN_OK : AKIN_FAILED;
}

void akin_network_free(akin_network *network) {
    akin_mem_free(network);
}

/* --- reordering weights --- */

static void prepare_encoder(akin_network *net, const float *weights) {
    akin_conv()->pack(27, 32, weights + AT_conv1_weight, net->conv1);
    akin_winograd()->pack(32, 64, weights + AT_conv2_weight, net->conv2);
}

/* Weights [3, 3, out, in] of a transposed convolution into those of its four phases, each [taps,
 * in, out] packed. */
static void prepare_phases(akin_network *net, size_t in, size_t out, const float *weights,
                           float *packed) {
    for (size_t p = 0; p < 4; p++) {
        const size_t taps = phases[p].runs * phases[p].taps;
        for (size_t tap = 0; tap < taps; tap++) {
            size_t row = phases[p].kernel_row[tap / phases[p].taps];
            size_t column = phases[p].kernel_column[tap % phases[p].taps];
            akin_conv_transpose(out, in, weights + (row * 3 + column) * in * out,
                                net->scratch + tap * in * out);
        }
        akin_conv()->pack(taps * in, out, net->scratch, packed + phases[p].first * in * out);
    }
}

static void prepare_decoder(akin_network *net, const float *weights) {
    prepare_phases(net, 1, 64, weights + AT_up1_weight, net->up1);
    prepare_phases(net, 64, 32, weights + AT_up2_weight, net->up2);
    for (size_t tap = 0; tap < 9; tap++)
        for (size_t in = 0; in < 32; in++)
            memcpy(net->scratch + in * 27 + tap * 3,
                   weights + AT_output_weight + (tap * 32 + in) * 3, 3 * sizeof(float));
    akin_conv()->pack(32, 27, net->scratch, net->output);
}

static void prepare_backward(akin_network *net, const float *weights) {
    akin_conv_turn(32, 64, weights + AT_conv2_weight, net->conv2_turned);
    akin_conv()->pack(288, 64, weights + AT_up2_weight, net->up2_data);
    akin_conv_turn(32, 3, weights + AT_output_weight, net->scratch);
    akin_conv()->pack(27, 32, net->scratch, net->output_data);
}

/* --- forward --- */

static void load_image(akin_network *net, const uint8_t *images, size_t n) {
    for (size_t r = 0; r < SIDE; r++)
        akin_layers()->from_bytes(SIDE * 3, images + n * IMAGE + r * SIDE * 3,
                                  net->image[n] + (r + 1) * FRAMED + 3);
}

/* `places`: also records the position of each maximum, for the backward pass. */
static void encode_image(akin_network *net, const float *weights, size_t n, bool places) {
    const akin_conv_finish relu1 = {.bias = weights + AT_conv1_bias, .relu = true};
    for (size_t r = 0; r < 16; r++) {
        akin_conv()->multiply(&conv1, net->image[n] + 2 * r * FRAMED, net->conv1, &relu1,
                              net->rows);
        akin_layers()->pool(16, 32, net->rows, net->pool1[n] + (r + 1) * POOL1 + 32,
                            places ? net->where1[n] + r * 16 * 32 : NULL);
    }
    akin_winograd()->forward(&conv2, net->pool1[n], net->conv2, weights + AT_conv2_bias, net->tiles,
                             net->flat + n * FLAT, places ? net->where2[n] : NULL);
}

static void convolve(akin_network *net, const float *weights, const uint8_t *images, size_t count,
                     bool places) {
    AKIN_ASSERT(count <= BATCH);
    prepare_encoder(net, weights);
    for (size_t n = 0; n < count; n++) {
        load_image(net, images, n);
        encode_image(net, weights, n, places);
    }
}

typedef struct {
    akin_conv_dense hidden, latent, seed;
} dense_layers;

static dense_layers layers_of(const float *weights) {
    return (dense_layers){
        {FLAT, HIDDEN, weights + AT_hidden_weight, weights + AT_hidden_bias, true},
        {HIDDEN, LATENT, weights + AT_latent_weight, weights + AT_latent_bias, false},
        {LATENT, SEED, weights + AT_seed_weight, weights + AT_seed_bias, true}};
}

static void encode(akin_network *net, const float *weights, const uint8_t *images, size_t count,
                   bool places, float *latent) {
    convolve(net, weights, images, count, places);
    const dense_layers dense = layers_of(weights);
    akin_conv()->dense(count, &dense.hidden, net->flat, net->hidden);
    akin_conv()->dense(count, &dense.latent, net->hidden, latent);
}

/* A transposed convolution of stride 2 with ReLU: in [rows, rows, in_channels] with in_row floats
 * in a row, and a border at the right and bottom; out [2 * rows, 2 * rows, channels]. */
typedef struct {
    size_t rows, in_channels, in_row, channels, out_row;
} up_layer;

static void up_forward(up_layer layer, const float *in, const float *packed, const float *bias,
                       float *out) {
    const akin_conv_finish finish = {.bias = bias, .relu = true};
    const size_t channels = layer.channels, in_channels = layer.in_channels;
    for (size_t p = 0; p < 4; p++) {
        const akin_conv_map map = {.rows = layer.rows,
                                   .columns = layer.rows,
                                   .runs = phases[p].runs,
                                   .run = phases[p].taps * in_channels,
                                   .offset = {0, (ptrdiff_t)layer.in_row},
                                   .in_row = layer.in_row,
                                   .in_column = in_channels,
                                   .channels = channels,
                                   .out_row = 2 * layer.out_row,
                                   .out_column = 2 * channels};
        akin_conv()->multiply(&map, in, packed + phases[p].first * in_channels * channels, &finish,
                              out + phases[p].row * layer.out_row + phases[p].column * channels);
    }
}

/* The last convolution and the sigmoid, row by row: the products of three rows of pixels are in
 * a ring buffer. */
static void output_forward(akin_network *net, const float *weights, float *out) {
    const akin_conv_finish plain = {0};
    for (size_t r = 0; r <= SIDE; r++) {
        if (r < SIDE)
            akin_conv()->multiply(&output, net->up2_out + r * UP2, net->output, &plain,
                                  net->products[r % 3]);
        if (r == 0) continue;
        const float *const three[3] = {r > 1 ? net->products[(r - 2) % 3] : NULL,
                                       net->products[(r - 1) % 3],
                                       r < SIDE ? net->products[r % 3] : NULL};
        akin_layers()->collect(SIDE, 3, AKIN_CONV_LANES, three, weights + AT_output_bias,
                               net->output_row);
        akin_layers()->sigmoid(SIDE * 3, net->output_row, out + (r - 1) * SIDE * 3);
    }
}

static void decode_image(akin_network *net, const float *weights, size_t n, float *out) {
    for (size_t r = 0; r < 8; r++)
        memcpy(net->seed_map + r * SEED_ROW, net->seed + n * SEED + r * 8, 8 * sizeof(float));
    static const up_layer up1 = {8, 1, SEED_ROW, 64, UP1}, up2 = {16, 64, UP1, 32, UP2};
    up_forward(up1, net->seed_map, net->up1, weights + AT_up1_bias, net->up1_out);
    up_forward(up2, net->up1_out, net->up2, weights + AT_up2_bias, net->up2_out);
    output_forward(net, weights, out);
}

/* The sum of squared errors of an image against its target; its gradient, times scale, if
 * `gradient` is not NULL, framed. */
static double image_loss(const float *out, const uint8_t *target, float scale, float *gradient) {
    ALIGNED row[SIDE * 3];
    double sum = 0;
    for (size_t r = 0; r < SIDE; r++) {
        akin_layers()->from_bytes(SIDE * 3, target + r * SIDE * 3, row);
        sum += akin_layers()->loss(SIDE * 3, out + r * SIDE * 3, row, scale,
                                   gradient ? gradient + (r + 1) * FRAMED + 3 : NULL);
    }
    return sum;
}

/* --- backward --- */

static void output_backward(akin_network *net, float *gradient) {
    const akin_conv_finish finish = {.alive = net->up2_out};
    float *inner = net->grad_up2 + UP2 + 32;
    akin_layers()->bias_gradient(SIDE, 1, SIDE * 3, FRAMED, 0, net->grad_output + FRAMED + 3,
                                 net->output_bias);
    akin_conv()->outer(&output_data, net->grad_output, net->up2_out, net->output_turned);
    akin_conv()->multiply(&output_data, net->grad_output, net->output_data, &finish, inner);
    akin_layers()->bias_gradient(SIDE, SIDE, 32, UP2, 32, inner, gradient + AT_up2_bias);
}

static void up_backward(akin_network *net, const float *weights, size_t n, float *gradient) {
    const akin_conv_finish finish = {.alive = net->up1_out};
    float *inner = net->grad_up1 + UP1 + 64;
    akin_conv()->outer(&up2_data, net->grad_up2, net->up1_out, gradient + AT_up2_weight);
    akin_conv()->multiply(&up2_data, net->grad_up2, net->up2_data, &finish, inner);
    akin_layers()->bias_gradient(16, 16, 64, UP1, 64, inner, gradient + AT_up1_bias);
    for (size_t tap = 0; tap < 9; tap++)
        akin_conv()->outer(&up1_weight, net->seed_map, net->grad_up1 + tap / 3 * UP1 + tap % 3 * 64,
                           gradient + AT_up1_weight + tap * 64);
    akin_conv()->dot(&up1_data, net->grad_up1, weights + AT_up1_weight, net->grad_seed + n * SEED);
}

/* The decoder's first layer, down to the latents; if nothing was reconstructed they have no
 * gradient yet. */
static void seed_backward(akin_network *net, const float *weights, const akin_network_task *task,
                          float *gradient) {
    const size_t count = task->count;
    if (task->targets) {
        akin_layers()->relu_gradient(count * SEED, net->seed, net->grad_seed);
        const dense_layers dense = layers_of(weights);
        akin_dense_backward(count, &dense.seed, net->latent, net->grad_seed,
                            gradient + AT_seed_weight, gradient + AT_seed_bias, net->grad_latent);
    } else {
        memset(net->grad_latent, 0, sizeof net->grad_latent);
    }
    for (size_t i = 0; task->pull && i < count * LATENT; i++) net->grad_latent[i] += task->pull[i];
}

static void denses_backward(akin_network *net, const float *weights, size_t count,
                            float *gradient) {
    const dense_layers dense = layers_of(weights);
    akin_dense_backward(count, &dense.latent, net->hidden, net->grad_latent,
                        gradient + AT_latent_weight, gradient + AT_latent_bias, net->grad_hidden);
    akin_layers()->relu_gradient(count * HIDDEN, net->hidden, net->grad_hidden);
    akin_dense_backward(count, &dense.hidden, net->flat, net->grad_hidden,
                        gradient + AT_hidden_weight, gradient + AT_hidden_bias, net->grad_flat);
    akin_layers()->relu_gradient(count * FLAT, net->flat, net->grad_flat);
}

static void encoder_backward(akin_network *net, size_t n, float *gradient) {
    const float *grad_flat = net->grad_flat + n * FLAT, *inner = net->grad_pool1 + POOL1 + 32;
    akin_layers()->bias_gradient(8, 8, 64, 8 * 64, 64, grad_flat, gradient + AT_conv2_bias);
    akin_pooled()->weights(&conv2, net->pool1[n], grad_flat, net->where2[n], net->entries,
                           net->conv2_sum);
    akin_pooled()->data(&conv2, net->pool1[n], grad_flat, net->where2[n], net->conv2_turned,
                        net->entries, net->grad_pool1);
    akin_layers()->bias_gradient(16, 16, 32, POOL1, 32, inner, gradient + AT_conv1_bias);
    for (size_t r = 0; r < 16; r++) {
        akin_layers()->unpool(16, 32, inner + r * POOL1, net->where1[n] + r * 16 * 32, SIDE * 32,
                              net->rows);
        akin_conv()->outer(&conv1, net->image[n] + 2 * r * FRAMED, net->rows,
                           gradient + AT_conv1_weight);
    }
}

/* --- the network as a whole --- */

void akin_network_encode(akin_network *net, const float *weights, const uint8_t *images,
                         size_t count, float *latent) {
    encode(net, weights, images, count, false, latent);
}

void akin_network_convolve(akin_network *net, const float *weights, const uint8_t *images,
                           size_t count, akin_network_maps *maps) {
    convolve(net, weights, images, count, false);
    for (size_t n = 0; n < count; n++)
        maps[n] = (akin_network_maps){net->pool1[n] + POOL1 + 32, net->flat + n * FLAT};
}

static void start_decoder(akin_network *net, const float *weights, size_t count) {
    const dense_layers dense = layers_of(weights);
    akin_conv()->dense(count, &dense.seed, net->latent, net->seed);
    prepare_decoder(net, weights);
}

double akin_network_reconstruct(akin_network *net, const float *weights, const uint8_t *images,
                                size_t count, float *output) {
    encode(net, weights, images, count, false, net->latent);
    start_decoder(net, weights, count);
    double sum = 0;
    for (size_t n = 0; n < count; n++) {
        decode_image(net, weights, n, output + n * IMAGE);
        sum += image_loss(output + n * IMAGE, images + n * IMAGE, 1, NULL);
    }
    return sum;
}

/* The sums that are kept in another order than the vector's. */
static void clear_sums(akin_network *net) {
    memset(net->conv2_sum, 0, sizeof net->conv2_sum);
    memset(net->output_turned, 0, sizeof net->output_turned);
    memset(net->output_bias, 0, sizeof net->output_bias);
}

static void settle_encoder(const akin_network *net, float *gradient) {
    akin_conv_transpose(64, 288, net->conv2_sum, gradient + AT_conv2_weight);
}

static void settle_decoder(const akin_network *net, float *gradient) {
    akin_conv_turn(3, 32, net->output_turned, gradient + AT_output_weight);
    for (size_t i = 0; i < SIDE * 3; i++) gradient[AT_output_bias + i % 3] += net->output_bias[i];
}

static const size_t part_ends[AKIN_NETWORK_PARTS + 1] = {CORE, AT_up1_weight, AT_hidden_weight, 0};

void akin_network_part(size_t part, size_t *first, size_t *count) {
    *first = part_ends[part + 1];
    *count = part_ends[part] - *first;
}

static void ready_for_nobody(void *context, size_t part) {
    (void)context;
    (void)part;
}

/* Image by image forward and back; returns the sum of squared errors. */
static double redraw(akin_network *net, const float *weights, const akin_network_task *task,
                     float *gradient) {
    double sum = 0;
    start_decoder(net, weights, task->count);
    for (size_t n = 0; n < task->count; n++) {
        decode_image(net, weights, n, net->reconstruction);
        sum += image_loss(net->reconstruction, task->targets + n * IMAGE, task->scale,
                          net->grad_output);
        output_backward(net, gradient);
        up_backward(net, weights, n, gradient);
    }
    settle_decoder(net, gradient);
    return sum;
}

double akin_network_gradient(akin_network *net, const float *weights, const akin_network_task *task,
                             float *gradient, akin_network_ready *ready, void *context) {
    const size_t count = task->count;
    double sum = 0;
    if (!ready) ready = ready_for_nobody;
    encode(net, weights, task->images, count, true, net->latent);
    prepare_backward(net, weights);
    /* Sums start from zero; the largest tensor is overwritten as a whole. */
    memset(gradient, 0, AT_hidden_weight * sizeof *gradient);
    memset(gradient + AT_hidden_bias, 0, (CORE - AT_hidden_bias) * sizeof *gradient);
    clear_sums(net);

    if (task->targets) {
        sum = redraw(net, weights, task, gradient);
        ready(context, 0);
    }
    seed_backward(net, weights, task, gradient);
    denses_backward(net, weights, count, gradient);
    ready(context, 1);
    for (size_t n = 0; n < count; n++) {
        encoder_backward(net, n, gradient);
        ready(context, AKIN_NETWORK_PARTS);
    }
    settle_encoder(net, gradient);
    ready(context, 2);
    return sum;
}
