/* gallery_scripts: see gallery_scripts.h. */
#include "gallery_scripts.h"

akin_status akin_gallery_scripts_fan(const akin_gallery_scripts *s) {
    return akin_gallery_folder_fan(s->folder, s->name, (s->rows + s->part - 1) / s->part);
}

akin_status akin_gallery_scripts_write(const akin_gallery_scripts *s, size_t first, size_t step) {
    akin_status status = AKIN_OK;
    for (size_t n = first; n * s->part < s->rows; n += step) {
        char path[AKIN_GALLERY_NAME_SIZE];
        size_t row = n * s->part, left = s->rows - row;
        akin_text_clear(s->text);
        AKIN_TRY(s->write(s->context, row, left < s->part ? left : s->part));
        akin_gallery_name(path, s->name, n, ".js");
        AKIN_TRY(akin_gallery_folder_put(s->folder, path, akin_text_bytes(s->text),
                                         akin_text_length(s->text)));
        akin_comm_poll(s->comm);
    }
done:
    return status;
}
