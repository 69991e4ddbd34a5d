/* lock_owner: the text with which a process signs a lock, and whether the process that signed
 * one has ended. */
#include "lock_owner.h"
#include "lease.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PLACE_SIZE = 128 };

/* Where a process id is meaningful: this boot of this machine, this pid namespace. */
static void place(char out[PLACE_SIZE]) {
    char start[64] = "", space[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file && !fgets(start, sizeof start, file)) start[0] = '\0';
    if (file) fclose(file);
    start[strcspn(start, "\n")] = '\0';
    ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[length > 0 ? length : 0] = '\0';
    char *number = space + strcspn(space, "0123456789"); /* of "pid:[4026531836]" */
    number[strspn(number, "0123456789")] = '\0';
    snprintf(out, PLACE_SIZE, "%s/%s", start, number);
}

void akin_lock_owner_sign(char out[AKIN_LOCK_OWNER_SIZE]) {
    char host[128] = "?", when[AKIN_LEASE_STAMP], where[PLACE_SIZE];
    struct timespec now;
    gethostname(host, sizeof host - 1);
    clock_gettime(CLOCK_REALTIME, &now);
    akin_lease_stamp(now.tv_sec, when);
    place(where);
    snprintf(out, AKIN_LOCK_OWNER_SIZE, "%.100s, process %ld, since %s [%ld %09ld %s]", host,
             (long)getpid(), when, (long)getpid(), now.tv_nsec, where);
}

bool akin_lock_owner_has_ended(const char *signature) {
    char where[PLACE_SIZE];
    const char *bracket = strrchr(signature, '[');
    long process = 0;
    int used = 0;
    if (!bracket || sscanf(bracket, "[%ld %*d %n", &process, &used) != 1 || process <= 0 ||
        used == 0)
        return false;
    place(where);
    size_t length = strlen(where);
    if (length < 20 || strncmp(bracket + used, where, length) != 0 || bracket[used + length] != ']')
        return false;
    return kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

int akin_lock_owner_shown(const char *signature) {
    const char *bracket = strrchr(signature, '[');
    return (int)(bracket && bracket > signature ? bracket - signature - 1
                                                : (long)strlen(signature));
}
