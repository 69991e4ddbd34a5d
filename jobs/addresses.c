/* addresses: see addresses.h. */
#include "addresses.h"
#include "places.h"
#include <string.h>

akin_status akin_addresses_params(const akin_options *options, akin_fetch_params *out) {
    const char *fresh = akin_options_text(options, "fresh");
    *out = (akin_fetch_params){.cache = akin_options_text(options, "cache"),
                               .s3_endpoint = akin_options_text(options, "s3-endpoint"),
                               .connections = (size_t)akin_options_int(options, "connections"),
                               .rate = akin_options_real(options, "rate"),
                               .retries = (size_t)akin_options_int(options, "retries"),
                               .timeout = akin_options_real(options, "fetch-timeout"),
                               .max_bytes = (size_t)akin_options_int(options, "max-bytes"),
                               .allow_private = akin_options_flag(options, "allow-private")};
    if (out->s3_endpoint && strncmp(out->s3_endpoint, "https://", 8) != 0 &&
        strncmp(out->s3_endpoint, "http://", 7) != 0)
        return akin_error_option("s3-endpoint",
                                 "--s3-endpoint must be an https:// or http:// address");
    if (akin_places_seconds(fresh, &out->fresh)) return AKIN_OK;
    return akin_error_option("fresh", "--fresh %s is not a duration; write 45s, 30m, 12h or 2d",
                             fresh);
}

void akin_addresses_report(akin_json *report, const akin_fetch_result *result) {
    const struct {
        const char *key;
        long long value;
    } counts[] = {
        {"addresses", (long long)result->addresses}, {"fetched", (long long)result->fetched},
        {"unchanged", (long long)result->unchanged}, {"settled", (long long)result->settled},
        {"kept", (long long)result->kept},           {"failed", (long long)result->failed},
        {"fetched_bytes", (long long)result->bytes}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        akin_json_set_integer(report, counts[i].key, counts[i].value);
}
