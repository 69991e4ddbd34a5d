/* lock: see file.h. */
#include <akin/file.h>
#include <akin/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ENDING ".lock"
enum {
    HOLDER_SIZE = 128,
    TRIES = 100,
    PAUSE_MS = 100, /* gives a killed holder ten seconds to exit */
    TOLD = 5        /* tries */
};

struct akin_lock {
    int file;
    bool works;
    char path[]; /* with its NUL */
};

static void read_holder(int file, char *holder /* [HOLDER_SIZE] */) {
    ssize_t got = pread(file, holder, HOLDER_SIZE - 1, 0);
    holder[got > 0 ? got : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
}

static const char *holder_of(int file, char *holder /* [HOLDER_SIZE] */) {
    read_holder(file, holder);
    return *holder ? holder : "unknown";
}

static akin_status refuse(int file, const char *who, const char *what) {
    char holder[HOLDER_SIZE];
    return akin_error_set(AKIN_FAILED,
                          "%s: %s (%s) is writing there; wait for it, or choose another output",
                          what, who, holder_of(file, holder));
}

static void tell(int file, const char *who, const char *what, akin_lock_wait *waits) {
    char holder[HOLDER_SIZE];
    waits(what, who, holder_of(file, holder));
}

static void name_myself(char *holder /* [HOLDER_SIZE] */) {
    char host[64] = "";
    gethostname(host, sizeof host - 1);
    snprintf(holder, HOLDER_SIZE, "process %ld on %s", (long)getpid(), host);
}

/* Names the holder for other processes' messages; the lock itself needs no text. */
static void name_holder(int file) {
    char holder[HOLDER_SIZE + 1];
    name_myself(holder);
    strcat(holder, "\n");
    if (ftruncate(file, 0) == 0) (void)!pwrite(file, holder, strlen(holder), 0);
}

static bool is_mine(int file) {
    char holder[HOLDER_SIZE], mine[HOLDER_SIZE];
    read_holder(file, holder);
    name_myself(mine);
    return strcmp(holder, mine) == 0;
}

static void rest(void) {
    const struct timespec pause = {0, PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
}

/* Whether the path still refers to this file: its holder may have removed it meanwhile. */
static bool is_there(const char *path, int file) {
    struct stat mine, there;
    return fstat(file, &mine) == 0 && stat(path, &there) == 0 && mine.st_dev == there.st_dev &&
           mine.st_ino == there.st_ino;
}

/* *file: -1 if it cannot be created, or this process already holds it. */
static akin_status take(const char *path, const char *who, const char *what, akin_lock_wait *waits,
                        int *file, bool *works) {
    for (int attempt = 1;; attempt++) {
        *file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (*file < 0) return AKIN_OK;
        bool locked = *works = flock(*file, LOCK_EX | LOCK_NB) == 0;
        bool taken = !locked && errno == EWOULDBLOCK;
        if (taken ? attempt == TRIES : !locked || is_there(path, *file)) /* or without locks */
            return taken ? refuse(*file, who, what) : AKIN_OK;
        bool mine = taken && is_mine(*file);
        if (taken && !mine && waits && attempt == TOLD) tell(*file, who, what, waits);
        close(*file);
        *file = -1;
        if (mine) return AKIN_OK;
        if (taken) rest();
    }
}

akin_status akin_lock_take(const char *path, const char *who, const char *what,
                           akin_lock_wait *waits, akin_lock **out) {
    int file = -1;
    bool works = false;
    size_t length = strlen(path) + 1;
    *out = NULL;
    akin_lock *lock = akin_mem_alloc(sizeof *lock + length, 1);
    akin_status status = lock ? take(path, who, what, waits, &file, &works) : AKIN_FAILED;
    if (status == AKIN_OK && file >= 0) {
        name_holder(file);
        lock->file = file, lock->works = works;
        memcpy(lock->path, path, length);
        *out = lock;
        return AKIN_OK;
    }
    int code = errno;
    if (file >= 0) close(file);
    akin_mem_free(lock);
    errno = code;
    return status;
}

bool akin_lock_works(const akin_lock *lock) {
    return lock->works;
}

/* Removed while still locked: a process that opened it meanwhile notices that it is gone. */
void akin_lock_release(akin_lock *lock, bool remove) {
    if (!lock) return;
    if (remove) unlink(lock->path);
    close(lock->file);
    akin_mem_free(lock);
}

char *akin_lock_beside(const char *output) {
    char *real = realpath(output, NULL),
         *path = real ? akin_mem_text(real) : akin_file_resolved(output);
    char *folder = path ? akin_file_folder(path) : NULL, *lock = NULL;
    free(real);
    if (folder) {
        size_t room = strlen(akin_file_name(path)) + sizeof "." ENDING;
        char *name = akin_mem_alloc(room, 1);
        if (name) {
            snprintf(name, room, ".%s" ENDING, akin_file_name(path));
            lock = akin_file_join(folder, name);
        }
        akin_mem_free(name);
    }
    akin_mem_free(folder);
    akin_mem_free(path);
    return lock;
}

bool akin_lock_is_name(const char *name) {
    size_t length = strlen(name), ending = sizeof ENDING - 1;
    return name[0] == '.' && length > 1 + ending && strcmp(name + length - ending, ENDING) == 0;
}
