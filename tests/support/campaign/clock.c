/* Preloaded into the programs of a campaign: the machine's clock, and the seconds that a file says it is wrong by. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *wrong_by;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED) wrong_by = found;
}

static int64_t seconds(void) { return wrong_by ? *wrong_by : 0; }

static int is_wall(clockid_t id) { return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI; }

int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, now);
    if (!failed && is_wall(id)) now->tv_sec += seconds();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &found)) return -1;
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

int timespec_get(struct timespec *now, int base) {
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, now) ? base : 0;
}

time_t time(time_t *kept) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (kept) *kept = found.tv_sec;
    return found.tv_sec;
}

/* The kernel wakes up by its own clock. A deadline of the monotonic clock is years below one of the wall's. */
static const struct timespec *as_kernel(const struct timespec *until, struct timespec *changed) {
    if (!until || until->tv_sec < 1000000000) return until;
    *changed = *until;
    changed->tv_sec -= seconds();
    return changed;
}

static void *newest(const char *name, const char *version) {
    void *found = dlvsym(RTLD_NEXT, name, version);
    return found ? found : dlsym(RTLD_NEXT, name);
}

#define UNTIL(name, version, declared, passed)                                 \
    int name declared {                                                        \
        static int(*real) declared;                                            \
        struct timespec changed;                                               \
        if (!real) real = newest(#name, version);                              \
        const struct timespec *kernel = as_kernel(until, &changed);            \
        return real passed;                                                    \
    }

typedef const struct timespec *Until;
UNTIL(pthread_cond_timedwait, "GLIBC_2.3.2", (pthread_cond_t * on, pthread_mutex_t *held, Until until),
      (on, held, kernel))
UNTIL(pthread_mutex_timedlock, "", (pthread_mutex_t * held, Until until), (held, kernel))
UNTIL(sem_timedwait, "", (sem_t * on, Until until), (on, kernel))
UNTIL(cnd_timedwait, "", (cnd_t * on, mtx_t *held, Until until), (on, held, kernel))
UNTIL(mtx_timedlock, "", (mtx_t * held, Until until), (held, kernel))
