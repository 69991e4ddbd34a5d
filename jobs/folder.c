/* folder: where a run writes, with its lock and its nights. */
#include "folder.h"
#include "holds.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NIGHT_SIZE = 11 }; /* "2026-03-01" and the NUL */

struct akin_folder {
    char *output, *path, *previous;
    long long keep;
    akin_lock *lock;        /* rank 0's */
    char night[NIGHT_SIZE]; /* "" without nights */
};

/* --- the lock: rank 0 --- */

static akin_status take_lock(akin_folder *folder) {
    char *path = akin_file_join(folder->output, ".lock");
    if (!path) return AKIN_FAILED;
    akin_status status =
        akin_lock_take(path, "another run", folder->output, akin_holds_tell, &folder->lock);
    if (status == AKIN_OK && !folder->lock) status = akin_file_cannot_open(path, errno);
    if (folder->lock && !akin_lock_works(folder->lock))
        akin_log_warning("%s cannot be locked: make sure that no other run writes there", path);
    akin_mem_free(path);
    return status;
}

/* --- nights: rank 0 --- */

bool akin_folder_is_night(const char *name) {
    static const char form[] = "dddd-dd-dd";
    if (strlen(name) != NIGHT_SIZE - 1) return false;
    for (int i = 0; i < NIGHT_SIZE - 1; i++)
        if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i]) return false;
    /* A day that the calendar has: another is moved on to one that it has. */
    struct tm day = {
        .tm_year = atoi(name) - 1900, .tm_mon = atoi(name + 5) - 1, .tm_mday = atoi(name + 8)};
    char again[32];
    day.tm_hour = 12;
    if (mktime(&day) == (time_t)-1) return false;
    strftime(again, sizeof again, "%Y-%m-%d", &day);
    return strcmp(again, name) == 0;
}

static void today(char night[NIGHT_SIZE]) {
    time_t now = time(NULL);
    struct tm local;
    strftime(night, NIGHT_SIZE, "%Y-%m-%d", localtime_r(&now, &local));
}

/* The night that was started and is not complete, as its file says; "" if there is none. */
static akin_status read_begun(const char *path, char night[NIGHT_SIZE]) {
    unsigned char *text = NULL;
    size_t count = 0;
    night[0] = '\0';
    if (!akin_file_exists(path)) return AKIN_OK;
    akin_status status = akin_file_read(path, 1 << 10, &text, &count);
    if (text) text[strcspn((char *)text, "\n")] = '\0';
    if (text && akin_folder_is_night((char *)text)) memcpy(night, text, NIGHT_SIZE);
    akin_mem_free(text);
    return status;
}

/* The incomplete night, or else `begins` or today, which is then recorded as started. Another run may
 * have made a night since it was checked. */
static akin_status choose_night(akin_folder *folder, const char *begins) {
    akin_status status = AKIN_OK;
    akin_outfile *file = NULL;
    char *path = akin_file_join(folder->output, ".night");
    if (!path) return AKIN_FAILED;
    AKIN_TRY(read_begun(path, folder->night));
    if (*folder->night) {
        akin_log_info("continuing the night of %s", folder->night);
        goto done;
    }
    if (begins)
        memcpy(folder->night, begins, NIGHT_SIZE);
    else
        today(folder->night);
    AKIN_TRY(akin_folder_check_night(folder->output, begins));
    AKIN_TRY(akin_outfile_create(path, &file));
    fprintf(akin_outfile_stream(file), "%s\n", folder->night);
    status = akin_outfile_commit(file, false);
done:
    akin_mem_free(path);
    return status;
}

static int newest_first(const void *a, const void *b) {
    return strcmp((const char *)b, (const char *)a);
}

/* The names of all nights, [*count][NIGHT_SIZE], newest first; owned. */
static akin_status list_nights(const char *output, char (**nights)[NIGHT_SIZE], size_t *count) {
    akin_status status = AKIN_OK;
    *nights = NULL;
    *count = 0;
    DIR *folder = opendir(output);
    if (!folder)
        return akin_error_set(AKIN_FAILED, "%s cannot be read: %s", output, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!akin_folder_is_night(entry->d_name)) continue;
        void *more = akin_mem_resize(*nights, *count, *count + 1, NIGHT_SIZE);
        if (!more) AKIN_TRY(AKIN_FAILED);
        *nights = more;
        memcpy((*nights)[(*count)++], entry->d_name, NIGHT_SIZE);
    }
    if (*count) qsort(*nights, *count, NIGHT_SIZE, newest_first);
done:
    closedir(folder);
    return status;
}

akin_status akin_folder_check_night(const char *output, const char *night) {
    akin_status status = AKIN_OK;
    char(*nights)[NIGHT_SIZE] = NULL;
    size_t count = 0;
    char goes_on[NIGHT_SIZE], now[NIGHT_SIZE], *begun = akin_file_join(output, ".night");
    today(now);
    if (!begun) AKIN_TRY(AKIN_FAILED);
    if (!akin_file_is_folder(output)) goto done;
    AKIN_TRY(read_begun(begun, goes_on));
    if (*goes_on && night && strcmp(goes_on, night) != 0)
        akin_log_warning("ignoring --night %s: the night of %s is not complete (it was stopped, it "
                         "failed, or a gate refused it) and is continued in its folder first%s",
                         night, goes_on,
                         strcmp(night, goes_on) > 0 ? "; give that date again when it is complete"
                                                    : "");
    if (*goes_on) goto done;
    AKIN_TRY(list_nights(output, &nights, &count));
    if (count > 0 && strcmp(night ? night : now, nights[0]) < 0)
        status = akin_error_option(
            "night",
            "%s%s%s is earlier than the existing night of %s: its lists would replace newer ones, "
            "also where they are published. %s a later date or another output",
            night ? "--night " : "today, ", night ? night : now, night ? "" : ",", nights[0],
            night ? "Give" : "Check this machine's clock, or give --night with");
done:
    akin_mem_free(begun);
    akin_mem_free(nights);
    return status;
}

/* The night before `night`, into name; "" if there is none. An incomplete night is continued
 * before another starts, so all earlier ones are complete. */
static akin_status find_older(const akin_folder *folder, char name[NIGHT_SIZE]) {
    char(*nights)[NIGHT_SIZE] = NULL;
    size_t count = 0, i = 0;
    akin_status status = list_nights(folder->output, &nights, &count);
    while (i < count && strcmp(nights[i], folder->night) >= 0) i++;
    name[0] = '\0';
    if (status == AKIN_OK && i < count) memcpy(name, nights[i], NIGHT_SIZE);
    akin_mem_free(nights);
    return status;
}

/* The folder of the last complete night other than this one, owned; *out = NULL if there is
 * none. */
static akin_status find_previous(const akin_folder *folder, char **out) {
    char name[NIGHT_SIZE + 1] = "";
    *out = NULL;
    char *link = akin_file_join(folder->output, "latest");
    if (!link) return AKIN_FAILED;
    ssize_t length = readlink(link, name, sizeof name - 1);
    akin_mem_free(link);
    name[length > 0 ? length : 0] = '\0';
    akin_status status = AKIN_OK;
    if (strcmp(name, folder->night) == 0)
        status = find_older(folder, name); /* this night is being repeated */
    if (status != AKIN_OK || !akin_folder_is_night(name)) return status;
    char *path = akin_file_join(folder->output, name);
    if (!path) return AKIN_FAILED;
    if (akin_file_is_folder(path))
        *out = path;
    else
        akin_mem_free(path);
    return AKIN_OK;
}

static akin_status prepare(akin_folder *folder, const char *night) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_file_make_folders(folder->output));
    AKIN_TRY(take_lock(folder));
    if (folder->keep > 0) AKIN_TRY(choose_night(folder, night));
    folder->path = *folder->night ? akin_file_join(folder->output, folder->night)
                                  : akin_mem_text(folder->output);
    if (!folder->path) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_file_make_folders(folder->path));
    if (folder->keep > 0) AKIN_TRY(find_previous(folder, &folder->previous));
done:
    return status;
}

static akin_status remove_old_nights(const akin_folder *folder) {
    akin_status status = AKIN_OK;
    char(*nights)[NIGHT_SIZE] = NULL;
    size_t count = 0;
    AKIN_TRY(list_nights(folder->output, &nights, &count));
    for (size_t i = (size_t)folder->keep; i < count && status == AKIN_OK; i++) {
        if (strcmp(nights[i], folder->night) == 0) continue;
        char *path = akin_file_join(folder->output, nights[i]);
        if (!path) AKIN_TRY(AKIN_FAILED);
        akin_log_info("removed the night of %s", nights[i]);
        status = akin_file_remove_tree(path);
        akin_mem_free(path);
    }
done:
    akin_mem_free(nights);
    return status;
}

static akin_status point_latest(const akin_folder *folder) {
    akin_status status = AKIN_OK;
    char *link = akin_file_join(folder->output, "latest"),
         *part = akin_file_join(folder->output, "latest.part");
    char *begun = akin_file_join(folder->output, ".night");
    if (!link || !part || !begun) AKIN_TRY(AKIN_FAILED);
    unlink(part);
    if (symlink(folder->night, part) != 0 || rename(part, link) != 0)
        AKIN_TRY(akin_error_set(AKIN_FAILED, "cannot make the link %s to %s: %s", link,
                                folder->night, strerror(errno)));
    unlink(begun);
done:
    akin_mem_free(link);
    akin_mem_free(part);
    akin_mem_free(begun);
    return status;
}

/* --- the folder --- */

/* Sends rank 0's text, or NULL, to all ranks. Collective; agreed. */
static akin_status share_text(akin_comm *comm, char **text) {
    size_t count = *text ? strlen(*text) + 1 : 0;
    akin_status status = akin_comm_share(comm, (void **)text, &count, 0);
    if (status == AKIN_OK && count == 0) {
        akin_mem_free(*text);
        *text = NULL;
    }
    return status;
}

akin_status akin_folder_open(akin_comm *comm, const char *output, long long keep, const char *night,
                             akin_folder **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_folder *folder = akin_mem_zalloc(1, sizeof *folder);
    if (folder) {
        *folder = (akin_folder){.output = akin_mem_text(output), .keep = keep};
        if (!folder->output) status = AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(comm, folder ? status : AKIN_FAILED));
    AKIN_TRY(akin_agree(comm, akin_comm_rank(comm) == 0 ? prepare(folder, night) : AKIN_OK));
    AKIN_TRY(share_text(comm, &folder->path));
    AKIN_TRY(share_text(comm, &folder->previous));
    *out = folder;
done:
    if (status != AKIN_OK) akin_folder_close(folder);
    return status;
}

void akin_folder_close(akin_folder *folder) {
    if (!folder) return;
    akin_lock_release(folder->lock, false);
    akin_mem_free(folder->output);
    akin_mem_free(folder->path);
    akin_mem_free(folder->previous);
    akin_mem_free(folder);
}

const char *akin_folder_path(const akin_folder *folder) {
    return folder->path;
}

const char *akin_folder_previous(const akin_folder *folder) {
    return folder->previous;
}

akin_status akin_folder_complete(akin_comm *comm, akin_folder *folder) {
    akin_status status = AKIN_OK;
    if (folder->keep > 0 && akin_comm_rank(comm) == 0) {
        status = point_latest(folder);
        if (status == AKIN_OK) status = remove_old_nights(folder);
    }
    return akin_agree(comm, status);
}
