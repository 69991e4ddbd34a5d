/* pretrained_request: everything that determines a network's output, as a text. */
#include "openvino.h"
#include "pretrained_recipe.h"
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/mem.h>
#include <akin/pretrained.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- the user's options --- */

/* The path with another extension, or with one appended; owned. */
static char *beside(const char *path, const char *ending, bool instead) {
    size_t stem = strlen(path) - (instead ? strlen(akin_file_ending(path)) : 0);
    char *out = akin_mem_alloc(stem + strlen(ending) + 1, 1);
    if (out) memcpy(out, path, stem), memcpy(out + stem, ending, strlen(ending) + 1);
    return out;
}

char *akin_pretrained_config(const char *path) {
    char *folder = akin_file_folder(path);
    char *config = folder ? akin_file_join(folder, "preprocessor_config.json") : NULL;
    akin_mem_free(folder);
    return config;
}

static akin_status digest_file(const char *path, akin_hasher *hasher) {
    akin_status status = AKIN_OK;
    enum { PIECE = 1 << 20 };
    unsigned char *piece = akin_mem_alloc(PIECE, 1);
    FILE *file = fopen(path, "rb");
    if (!piece || !file) {
        status = piece ? akin_file_cannot_open(path, errno) : AKIN_FAILED;
        goto done;
    }
    for (size_t count; (count = fread(piece, 1, PIECE, file)) > 0;)
        akin_hasher_add(hasher, piece, count);
    if (ferror(file)) status = akin_error_set(AKIN_FAILED, "%s cannot be read", path);
done:
    if (file) (void)fclose(file);
    akin_mem_free(piece);
    return status;
}

/* Digest of the model and of the file with its weights, if there is one: for an IR that file has
 * the same name, for ONNX it is in the same folder. */
static akin_status digest_model(const char *path, char out[AKIN_HASH_TEXT_SIZE]) {
    akin_status status = AKIN_OK;
    akin_hasher *hasher = NULL;
    bool ir = strcasecmp(akin_file_ending(path), ".xml") == 0;
    char *weights[2] = {beside(path, ir ? ".bin" : "_data", ir),
                        ir ? NULL : beside(path, ".data", false)};
    AKIN_TRY(akin_hasher_create(&hasher));
    if (!weights[0] || (!ir && !weights[1])) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(digest_file(path, hasher));
    for (size_t i = 0; i < 2; i++)
        if (weights[i] && akin_file_exists(weights[i])) AKIN_TRY(digest_file(weights[i], hasher));
    akin_hash_text(akin_hasher_result(hasher), out);
done:
    akin_hasher_free(hasher);
    akin_mem_free(weights[0]);
    akin_mem_free(weights[1]);
    return status;
}

static akin_status check_name(const char *path) {
    const char *ending = akin_file_ending(path);
    if (strcasecmp(ending, ".onnx") == 0 || strcasecmp(ending, ".xml") == 0) return AKIN_OK;
    return akin_error_option(
        "network",
        "--network %s: give an .onnx file, or OpenVINO's .xml with its .bin in the same folder",
        path);
}

akin_status akin_pretrained_check(const akin_pretrained_params *params) {
    akin_status status = akin_openvino_check(params->path);
    akin_pretrained_recipe recipe;
    const char *texts[] = {params->size, params->crop, params->mean, params->deviation,
                           params->output};
    if (status == AKIN_OK) status = check_name(params->path);
    for (size_t i = 0; status == AKIN_OK && i < sizeof texts / sizeof *texts; i++)
        if (texts[i] && (!*texts[i] || strpbrk(texts[i], " \t\n")))
            status = akin_error_option(
                "network", "an option of --network is '%s': write it without blanks", texts[i]);
    return status == AKIN_OK ? akin_pretrained_recipe_read(params, NULL, &recipe) : status;
}

/* The keys of a request, and the members of params that hold their values. */
static const struct {
    const char *key;
    size_t at;
} keys[] = {{"size", offsetof(akin_pretrained_params, size)},
            {"crop", offsetof(akin_pretrained_params, crop)},
            {"mean", offsetof(akin_pretrained_params, mean)},
            {"std", offsetof(akin_pretrained_params, deviation)},
            {"output", offsetof(akin_pretrained_params, output)},
            {"precision", offsetof(akin_pretrained_params, precision)}};
#define KEYS (sizeof keys / sizeof *keys)

static const char **text_at(akin_pretrained_params *params, size_t key) {
    return (const char **)((char *)params + keys[key].at);
}

static akin_status write_request(const akin_pretrained_params *params, akin_text *out) {
    akin_status status = AKIN_OK;
    akin_pretrained_params given = *params;
    char digest[AKIN_HASH_TEXT_SIZE] = "none";
    char *config = akin_pretrained_config(params->path);
    akin_hasher *hasher = NULL;
    if (!config) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(digest_model(params->path, digest));
    AKIN_TRY(akin_text_append(out, "digest=%s config=", digest));
    if (akin_file_exists(config)) {
        AKIN_TRY(akin_hasher_create(&hasher));
        AKIN_TRY(digest_file(config, hasher));
        akin_hash_text(akin_hasher_result(hasher), digest);
        AKIN_TRY(akin_text_append(out, "%s", digest));
    } else {
        AKIN_TRY(akin_text_append(out, "none"));
    }
    if (!given.precision) given.precision = "float32";
    for (size_t k = 0; k < KEYS; k++)
        if (*text_at(&given, k))
            AKIN_TRY(akin_text_append(out, " %s=%s", keys[k].key, *text_at(&given, k)));
done:
    akin_hasher_free(hasher);
    akin_mem_free(config);
    return status;
}

akin_status akin_pretrained_request(akin_comm *comm, const akin_pretrained_params *params,
                                    char **out) {
    akin_status status = check_name(params->path);
    akin_text *text = NULL;
    void *bytes = NULL;
    size_t count = 0;
    *out = NULL;
    if (status == AKIN_OK && akin_comm_rank(comm) == 0) {
        status = akin_text_create(&text);
        if (status == AKIN_OK) status = write_request(params, text);
        if (status == AKIN_OK && !(bytes = akin_mem_text(akin_text_bytes(text))))
            status = AKIN_FAILED;
        if (status == AKIN_OK) count = akin_text_length(text) + 1;
    }
    AKIN_TRY(akin_agree(comm, status));
    AKIN_TRY(akin_comm_share(comm, &bytes, &count, 0));
    *out = bytes;
    bytes = NULL;
done:
    akin_mem_free(bytes);
    akin_text_free(text);
    return status;
}

void akin_pretrained_parse(char *copy, akin_pretrained_params *out) {
    *out = (akin_pretrained_params){0};
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        char *equals = strchr(word, '=');
        if (!equals) continue;
        *equals = '\0';
        for (size_t k = 0; k < KEYS; k++)
            if (strcmp(word, keys[k].key) == 0) *text_at(out, k) = equals + 1;
    }
}
