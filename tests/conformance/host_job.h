/* The jobs of the program in a conformance scenario: what each does, and the notes that their code leaves.
 *
 * For conformance.c and beneath.c. The functions run on a runner's thread and must not wait; what streams has a thread.
 */
#ifndef PALITRA_CONFORMANCE_HOST_JOB_H
#define PALITRA_CONFORMANCE_HOST_JOB_H

#include "step.h"

#include <pthread.h>

#define NOTES 32u

/* One that is registered. The words lie in the text of the file, which outlives it. */
struct host_job {
    const char *name, *does;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t added;
    struct {
        const char *job, *text;
    } notes[NOTES];
    size_t count;
} notes = {.lock = PTHREAD_MUTEX_INITIALIZER, .added = PTHREAD_COND_INITIALIZER};

static void leave_note(const struct host_job *job, const char *text) {
    pthread_mutex_lock(&notes.lock);
    if (notes.count == NOTES) die("too many notes");
    notes.notes[notes.count].job = job->name;
    notes.notes[notes.count++].text = text;
    pthread_cond_broadcast(&notes.added);
    pthread_mutex_unlock(&notes.lock);
}

static void leave_status(const struct host_job *job, palitra_status status) {
    leave_note(job, palitra_status_name(status) + strlen("PALITRA_"));
}

/* Waits for the job's next note and takes it. */
static const char *take_note(const char *job) {
    const char *text = NULL;
    pthread_mutex_lock(&notes.lock);
    for (size_t i = 0; text == NULL; i++) {
        if (i == notes.count) {
            pthread_cond_wait(&notes.added, &notes.lock);
            i = (size_t)-1;
        } else if (strcmp(notes.notes[i].job, job) == 0) {
            text = notes.notes[i].text;
            memmove(&notes.notes[i], &notes.notes[i + 1], (--notes.count - i) * sizeof notes.notes[0]);
        }
    }
    pthread_mutex_unlock(&notes.lock);
    return text;
}

static void not_needed(palitra_call call, void *job) {
    palitra_call_free(call);
    leave_note(job, "CANCELLED");
}

struct counting {
    palitra_call call;
    long to;
};

static void *count_up(void *argument) {
    struct counting counting = *(struct counting *)argument;
    char text[24];
    free(argument);
    for (long i = 0; i < counting.to; i++) {
        int len = snprintf(text, sizeof text, "%ld", i);
        if (palitra_call_send(counting.call, PALITRA_TEXT, text, (size_t)len, PALITRA_FOREVER) != PALITRA_OK) break;
    }
    palitra_call_complete(counting.call, PALITRA_OK, 0, PALITRA_TEXT, NULL, 0);
    palitra_call_free(counting.call);
    return NULL;
}

static void start_counting(palitra_call call, const char *to) {
    pthread_t thread;
    struct counting *counting = malloc(sizeof *counting);
    if (counting == NULL) die("no memory");
    counting->call = call;
    counting->to = strtol(to, NULL, 10);
    if (pthread_create(&thread, NULL, count_up, counting) != 0) die("no thread");
    pthread_detach(thread);
}

static void do_host_job(palitra_call call, const void *data, size_t len, void *user_data) {
    const struct host_job *job = user_data;
    if (strcmp(job->does, "count") == 0) {
        start_counting(call, data);
        return;
    }
    if (strcmp(job->does, "wait") == 0) {
        palitra_call_progress(call, 1, 2);
        palitra_call_on_cancel(call, not_needed, user_data, NULL);
        leave_note(job, "CALLED");
        return;
    }
    if (strcmp(job->does, "echo") == 0) palitra_call_complete(call, PALITRA_OK, 0, PALITRA_TEXT, data, len);
    if (strcmp(job->does, "fail") == 0) palitra_call_complete(call, PALITRA_JOB_FAILED, 7, PALITRA_TEXT, data, len);
    if (strcmp(job->does, "twice") == 0)
        for (int i = 0; i < 2; i++)
            leave_status(job, palitra_call_complete(call, PALITRA_OK, 0, PALITRA_TEXT, data, len));
    /* "give_up": unanswered. */
    palitra_call_free(call);
}

static palitra_status register_host_job(palitra_runner runner, const char *name, const char *does) {
    const palitra_job_info info = {name, NULL, PALITRA_BYTES, PALITRA_TEXT};
    struct host_job *job = malloc(sizeof *job);
    if (job == NULL) die("no memory");
    job->name = name;
    job->does = does;
    return palitra_runner_register(runner, &info, do_host_job, job, free);
}

#endif
