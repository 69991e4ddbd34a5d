/* image_exif: the orientation tag by libexif. */
#include "image_exif.h"
#include <libexif/exif-data.h>
#include <limits.h>

int akin_image_exif_orientation(const uint8_t *payload, size_t count) {
    int orientation = 1;
    if (count > UINT_MAX) return orientation;
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
