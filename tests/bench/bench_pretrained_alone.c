/* What a trained network does per second of CPU time, without decoding pictures: in batches of
 * ingest's size, including the conversion of their input (resampled and scaled from bytes).
 * bench_pretrained.py compares it with OpenVINO's own loop. Not a test.
 *
 * usage: bench_pretrained_alone MODEL [seconds] [float32|bfloat16]; prints a line of JSON */
#include <akin/comm.h>
#include <akin/mem.h>
#include <akin/pretrained.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others may use the machine, too */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Pictures per second. */
static double rate(akin_pretrained *network, const uint8_t *seen, double seconds) {
    size_t batch = akin_pretrained_batch(network), done = 0;
    const float *vectors;
    double begun = now();
    do {
        for (size_t i = 0; seen && i < batch; i++) akin_pretrained_put(network, i, seen);
        if (akin_pretrained_run(network, batch, &vectors) != AKIN_OK) return 0;
        done += batch;
    } while (now() - begun < seconds);
    return (double)done / (now() - begun);
}

static akin_status measure(akin_comm *comm, const akin_pretrained_params *params, double seconds) {
    akin_status status;
    akin_pretrained *network = NULL;
    uint8_t *seen = NULL;
    AKIN_TRY(akin_pretrained_open(comm, params, &network));
    const akin_image_view *view = akin_pretrained_view(network);
    size_t count = view->width * view->height * 3;
    seen = akin_mem_alloc(count, 1);
    if (!seen) AKIN_TRY(AKIN_FAILED);
    for (size_t i = 0; i < count; i++) seen[i] = (uint8_t)(i * 2654435761U >> 24);
    (void)rate(network, seen, 0.3);
    printf("{\"batch\": %zu, \"input\": \"%zux%zu\", \"network\": %.2f, \"with_pictures_put\": "
           "%.2f}\n",
           akin_pretrained_batch(network), view->width, view->height, rate(network, NULL, seconds),
           rate(network, seen, seconds));
done:
    akin_pretrained_free(network);
    akin_mem_free(seen);
    return status;
}

int main(int argc, char **argv) {
    akin_comm *comm = NULL;
    if (argc < 2 || akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 2;
    const akin_pretrained_params params = {.path = argv[1],
                                           .precision = argc > 3 ? argv[3] : "float32"};
    akin_status status = measure(comm, &params, argc > 2 ? atof(argv[2]) : 5);
    if (status != AKIN_OK) fprintf(stderr, "%s\n", akin_error_message());
    akin_comm_finish(comm);
    return (int)status;
}
