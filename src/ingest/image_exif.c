/* image_exif: the orientation tag by libexif. */
#include "image_exif.h"
#include <akin/mem.h>
#include <libexif/exif-data.h>
#include <string.h>

static const uint8_t head[6] = "Exif\0"; /* and the terminating NUL */

static int read_orientation(const uint8_t *payload, size_t count) {
    int orientation = 1;
    ExifData *data = exif_data_new();
    if (!data) return orientation;
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    exif_data_load_data(data, payload, (unsigned)count);
    ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry && entry->components >= 1) {
        ExifByteOrder order = exif_data_get_byte_order(data);
        if (entry->format == EXIF_FORMAT_SHORT && entry->size >= 2)
            orientation = exif_get_short(entry->data, order);
        if (entry->format == EXIF_FORMAT_LONG && entry->size >= 4)
            orientation = (int)exif_get_long(entry->data, order);
    }
    exif_data_unref(data);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

int akin_image_exif_orientation(const uint8_t *bytes, size_t count) {
    if (count > AKIN_IMAGE_EXIF_LIMIT) return 1;
    if (count >= sizeof head && memcmp(bytes, head, sizeof head) == 0)
        return read_orientation(bytes, count);
    uint8_t *payload = akin_mem_alloc(sizeof head + count, 1);
    if (!payload) return 1;
    memcpy(payload, head, sizeof head);
    if (count > 0) memcpy(payload + sizeof head, bytes, count);
    int orientation = read_orientation(payload, sizeof head + count);
    akin_mem_free(payload);
    return orientation;
}
