/* A second library built on palitra, opened at run time beside the one the program is linked with; its
 * functions are reached through `loaded`. Used where a test wants two libraries in one process. */
#ifndef PALITRA_TEST_LOADED_H
#define PALITRA_TEST_LOADED_H

#include "test.h"

#include <dlfcn.h>

/* The part of the ABI that the test calls through the second library. */
static struct {
    void *library;
    size_t (*job_count)(void);
    palitra_status (*job_at)(size_t, palitra_job_info *);
    palitra_status (*runner_new)(const palitra_runner_options *, palitra_runner *);
    palitra_status (*runner_global)(palitra_runner *);
    palitra_status (*runner_run)(palitra_runner, const char *, const void *, size_t, int64_t, palitra_reply *);
    palitra_status (*runner_submit)(palitra_runner, const char *, const void *, size_t, const palitra_submit_options *,
                                    palitra_token *);
    palitra_status (*runner_wait)(palitra_runner, palitra_token, int64_t, palitra_reply *);
    palitra_status (*shutdown_global_runner)(int64_t);
    bool (*is_runner_alive)(void);
    void (*runner_free)(palitra_runner);
    void (*token_free)(palitra_token);
    void (*reply_free)(palitra_reply *);
    palitra_status (*queue_new)(palitra_queue *);
    palitra_status (*queue_next)(palitra_queue, int64_t, palitra_event *, size_t, size_t *);
    void (*queue_free)(palitra_queue);
} loaded;

/* ISO C has no cast from an object pointer to a function pointer; POSIX has them alike, hence the copy. */
static inline void find(const char *name, void *function) {
    void *symbol = dlsym(loaded.library, name);
    CHECK(symbol != NULL);
    memcpy(function, &symbol, sizeof symbol);
}

static inline void load(const char *name) {
    char path[4096];
    const char *directory = getenv("PALITRA_LIBRARY_DIR");
    CHECK(directory != NULL);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    loaded.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (loaded.library == NULL) fputs(dlerror(), stderr);
    CHECK(loaded.library != NULL);
    find("palitra_job_count", &loaded.job_count);
    find("palitra_job_at", &loaded.job_at);
    find("palitra_runner_new", &loaded.runner_new);
    find("palitra_runner_global", &loaded.runner_global);
    find("palitra_runner_run", &loaded.runner_run);
    find("palitra_runner_submit", &loaded.runner_submit);
    find("palitra_runner_wait", &loaded.runner_wait);
    find("palitra_shutdown_global_runner", &loaded.shutdown_global_runner);
    find("palitra_is_runner_alive", &loaded.is_runner_alive);
    find("palitra_runner_free", &loaded.runner_free);
    find("palitra_token_free", &loaded.token_free);
    find("palitra_reply_free", &loaded.reply_free);
    find("palitra_queue_new", &loaded.queue_new);
    find("palitra_queue_next", &loaded.queue_next);
    find("palitra_queue_free", &loaded.queue_free);
}

#endif
