/* The conformance scenarios through the C ABI: carries out the steps of a file, prints what came of each.
 *
 * README.md defines the format and what each verb means. Called by tests/conformance.rs:
 *
 *     conformance FILE
 *
 * It judges nothing and exits with 0 when it has come to the end of the file.
 */
#define _GNU_SOURCE /* strict C hides POSIX otherwise */

#include "host_job.h"
#include "step.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES 32u
#define FORGED UINT64_C(0x0123456789abcdef)
#define CHILD_SECONDS 20u

/* What a step gave a name to. A token has the runner that it was submitted to. */
struct thing {
    const char *name;
    bool is_token;
    palitra_runner runner;
    palitra_token token;
};

struct thread {
    pthread_t id;
    struct step step;
    struct outcome outcome;
};

/* ---- names: written by the main thread, read by all -------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    struct thing things[NAMES];
    size_t count;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct thing *search(const char *name) {
    for (size_t i = 0; i < names.count; i++)
        if (strcmp(names.things[i].name, name) == 0) return &names.things[i];
    return NULL;
}

static void set(const char *name, struct thing thing) {
    pthread_mutex_lock(&names.lock);
    struct thing *place = search(name);
    if (place == NULL) {
        if (names.count == NAMES) die("too many names");
        place = &names.things[names.count++];
    }
    thing.name = name;
    *place = thing;
    pthread_mutex_unlock(&names.lock);
}

static struct thing get(const char *name) {
    pthread_mutex_lock(&names.lock);
    struct thing *place = search(name);
    if (place == NULL) die("a step uses a name that nothing has");
    struct thing thing = *place;
    pthread_mutex_unlock(&names.lock);
    return thing;
}

static void free_thing(struct thing thing) {
    if (thing.is_token) palitra_token_free(thing.token);
    else palitra_runner_free(thing.runner);
}

/* Freeing twice is safe: what a step has freed needs no mark. */
static void free_everything(void) {
    for (int tokens = 1; tokens >= 0; tokens--)
        for (size_t i = 0; i < names.count; i++)
            if (names.things[i].is_token == (tokens == 1)) free_thing(names.things[i]);
    names.count = 0;
}

/* ---- the verbs --------------------------------------------------------------------------------------- */

static void make_runner(const struct step *step, struct outcome *outcome) {
    struct thing made = {0};
    palitra_runner_options options;
    palitra_runner_options_init(&options);
    options.max_in_flight = number(option(step, "max_in_flight"));
    options.max_payload = number(option(step, "max_payload"));
    options.config = option(step, "config");
    palitra_status status = palitra_runner_new(&options, &made.runner);
    set(word(step, 1), made);
    put_status(outcome, status);
}

static void alive(const struct step *step, struct outcome *outcome) {
    put(outcome, "%s", palitra_runner_is_alive(get(word(step, 1)).runner) ? "true" : "false");
}

static void submit(const struct step *step, struct outcome *outcome) {
    struct thing made = {.is_token = true, .runner = get(word(step, 2)).runner};
    const char *payload = payload_of(word(step, 4));
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.deadline_ns = nanoseconds(option(step, "deadline"));
    if (options.deadline_ns == 0) options.deadline_ns = 1; /* 0 would be none */
    palitra_status status =
        palitra_runner_submit(made.runner, word(step, 3), payload, strlen(payload), &options, &made.token);
    if (status == PALITRA_OK) set(word(step, 1), made);
    put_status(outcome, status);
}

static void submit_many(const struct step *step, struct outcome *outcome) {
    palitra_runner runner = get(word(step, 1)).runner;
    palitra_submission jobs[WORDS] = {0};
    palitra_token tokens[WORDS];
    size_t count = (step->count - 2) / 3, taken;
    for (size_t i = 0; i < count; i++) {
        const char *payload = payload_of(word(step, 4 + 3 * i));
        jobs[i].job = word(step, 3 + 3 * i);
        jobs[i].data = (const uint8_t *)payload;
        jobs[i].len = strlen(payload);
    }
    palitra_status status = palitra_runner_submit_many(runner, jobs, count, NULL, tokens, &taken);
    for (size_t i = 0; i < taken; i++) {
        struct thing made = {.is_token = true, .runner = runner, .token = tokens[i]};
        set(word(step, 2 + 3 * i), made);
    }
    put_status(outcome, status);
    put(outcome, " %zu", taken);
}

static void run(const struct step *step, struct outcome *outcome) {
    palitra_reply reply;
    const char *payload = payload_of(word(step, 3));
    palitra_status status = palitra_runner_run(get(word(step, 1)).runner, word(step, 2), payload, strlen(payload),
                                               nanoseconds(option(step, "timeout")), &reply);
    put_reply(outcome, status, &reply);
}

static void wait_for(const struct step *step, struct outcome *outcome) {
    palitra_reply reply;
    struct thing thing = get(word(step, 1));
    const char *time = step->count > 2 ? word(step, 2) : NULL;
    palitra_status status = palitra_runner_wait(thing.runner, thing.token, nanoseconds(time), &reply);
    put_reply(outcome, status, &reply);
}

static void read_reply(palitra_token token, struct outcome *outcome) {
    palitra_reply reply;
    palitra_status status = palitra_token_poll(token, &reply);
    put_reply(outcome, status, &reply);
}

static void poll_token(const struct step *step, struct outcome *outcome) {
    read_reply(get(word(step, 1)).token, outcome);
}

static void cancel(const struct step *step, struct outcome *outcome) {
    put_status(outcome, palitra_token_cancel(get(word(step, 1)).token));
}

static void gather(const struct step *step, struct outcome *outcome) {
    palitra_token tokens[WORDS];
    palitra_reply replies[WORDS];
    bool fail_fast = strcmp(word(step, 1), "fail_fast") == 0;
    size_t first = fail_fast ? 2 : 1, count = step->count - first;
    for (size_t i = 0; i < count; i++) tokens[i] = get(word(step, first + i)).token;
    palitra_runner_gather(get(word(step, first)).runner, tokens, count, fail_fast ? PALITRA_FAIL_FAST : 0,
                          PALITRA_FOREVER, replies);
    for (size_t i = 0; i < count; i++) {
        put(outcome, "%s", i == 0 ? "" : " | ");
        put_reply(outcome, replies[i].status, &replies[i]);
    }
}

static void next(const struct step *step, struct outcome *outcome) {
    palitra_reply item;
    palitra_status status = palitra_token_next(get(word(step, 1)).token, PALITRA_FOREVER, &item);
    put_reply(outcome, status, &item);
}

static void drain(const struct step *step, struct outcome *outcome) {
    palitra_reply item;
    palitra_token token = get(word(step, 1)).token;
    palitra_status status = palitra_token_next(token, PALITRA_FOREVER, &item);
    for (; status == PALITRA_OK; status = palitra_token_next(token, PALITRA_FOREVER, &item)) {
        put(outcome, "%.*s ", (int)item.len, (const char *)item.data);
        palitra_reply_free(&item);
    }
    put_reply(outcome, status, &item);
}

static void progress(const struct step *step, struct outcome *outcome) {
    uint64_t done = 0, total = 0;
    palitra_status status = palitra_token_progress(get(word(step, 1)).token, &done, &total);
    put_status(outcome, status);
    if (status == PALITRA_OK) put(outcome, " %" PRIu64 " %" PRIu64, done, total);
}

static void free_named(const struct step *step, struct outcome *outcome) {
    free_thing(get(word(step, 1)));
    put_status(outcome, PALITRA_OK);
}

static void forged(const struct step *step, struct outcome *outcome) {
    palitra_reply reply;
    if (strcmp(word(step, 1), "token") == 0) {
        palitra_status status = palitra_token_poll((palitra_token){FORGED}, &reply);
        put_reply(outcome, status, &reply);
    } else {
        palitra_token token;
        put_status(outcome, palitra_runner_submit((palitra_runner){FORGED}, "palitra.echo", "", 0, NULL, &token));
    }
}

static void shutdown_runner(const struct step *step, struct outcome *outcome) {
    palitra_runner runner = get(word(step, 1)).runner;
    put_status(outcome, palitra_runner_shutdown(runner, nanoseconds(word(step, 2))));
}

static void register_job(const struct step *step, struct outcome *outcome) {
    put_status(outcome, register_host_job(get(word(step, 1)).runner, word(step, 2), word(step, 3)));
}

static void note(const struct step *step, struct outcome *outcome) { put(outcome, "%s", take_note(word(step, 1))); }

/* ---- a callback that waits --------------------------------------------------------------------------- */

struct waiting_callback {
    struct thing other;
    struct outcome *outcome;
    sem_t called;
};

static void wait_in_callback(palitra_token token, palitra_status status, void *user_data) {
    struct waiting_callback *callback = user_data;
    palitra_reply reply;
    (void)token, (void)status;
    palitra_status seen = palitra_runner_wait(callback->other.runner, callback->other.token, PALITRA_FOREVER, &reply);
    put_reply(callback->outcome, seen, &reply);
    sem_post(&callback->called);
}

static void callback(const struct step *step, struct outcome *outcome) {
    struct waiting_callback waiting = {.other = get(word(step, 3)), .outcome = outcome};
    sem_init(&waiting.called, 0, 0);
    palitra_status status = palitra_token_on_complete(get(word(step, 1)).token, wait_in_callback, &waiting, NULL);
    if (status == PALITRA_OK) sem_wait(&waiting.called);
    else put_status(outcome, status);
    sem_destroy(&waiting.called);
}

/* ---- a callback that somebody waits for -------------------------------------------------------------- */

struct ready_callback {
    struct outcome *outcome;
    sem_t called;
};

static void read_in_callback(palitra_token token, palitra_status status, void *user_data) {
    struct ready_callback *callback = user_data;
    (void)status;
    read_reply(token, callback->outcome);
    sem_post(&callback->called);
}

static void ready(const struct step *step, struct outcome *outcome) {
    struct ready_callback waiting = {.outcome = outcome};
    palitra_token token = get(word(step, 1)).token;
    sem_init(&waiting.called, 0, 0);
    /* After the runner's end nobody calls back, and the token has finished. */
    if (palitra_token_on_ready(token, 0, read_in_callback, &waiting, NULL) == PALITRA_OK) sem_wait(&waiting.called);
    else read_reply(token, outcome);
    sem_destroy(&waiting.called);
}

/* ---- children ---------------------------------------------------------------------------------------- */

/* The one call, or the few, that the child makes. */
static palitra_status in_child(const struct step *step, struct thing parents) {
    if (strcmp(word(step, 1), "wait") == 0)
        return palitra_runner_wait(parents.runner, parents.token, PALITRA_FOREVER, NULL);
    if (strcmp(word(step, 1), "run") == 0) {
        const char *payload = payload_of(word(step, 4));
        return palitra_runner_run(parents.runner, word(step, 3), payload, strlen(payload), PALITRA_FOREVER, NULL);
    }
    palitra_runner global;
    palitra_status status = palitra_runner_global(&global);
    return status != PALITRA_OK ? status : palitra_runner_run(global, "palitra.echo", "", 0, PALITRA_FOREVER, NULL);
}

static void in_forked_child(const struct step *step, struct outcome *outcome) {
    struct thing parents = {0};
    int ended = 0;
    if (step->count > 2) parents = get(word(step, 2));
    pid_t child = fork();
    if (child < 0) die("no fork");
    if (child == 0) {
        alarm(CHILD_SECONDS);
        _exit(in_child(step, parents));
    }
    if (waitpid(child, &ended, 0) != child) die("no child to wait for");
    if (WIFEXITED(ended)) put_status(outcome, WEXITSTATUS(ended));
    else put(outcome, "error: signal %d", WTERMSIG(ended));
}

/* ---- threads: of one scenario, by the order in which they began -------------------------------------- */

static struct thread threads[NAMES];
static size_t thread_count;

static void carry_out(const struct step *step, struct outcome *outcome);

static void *run_thread(void *argument) {
    struct thread *thread = argument;
    struct step step = thread->step;
    /* The step without "thread" and its name. */
    step.count -= 2;
    memmove(step.words, thread->step.words + 2, step.count * sizeof step.words[0]);
    carry_out(&step, &thread->outcome);
    return NULL;
}

static void start_thread(const struct step *step, struct outcome *outcome) {
    if (thread_count == NAMES) die("too many threads");
    struct thread *thread = &threads[thread_count++];
    thread->step = *step;
    thread->outcome.text[0] = '\0';
    if (pthread_create(&thread->id, NULL, run_thread, thread) != 0) die("no thread");
    put_status(outcome, PALITRA_OK);
}

static void join(const struct step *step, struct outcome *outcome) {
    for (size_t i = 0; i < thread_count; i++) {
        if (strcmp(threads[i].step.words[1], word(step, 1)) != 0) continue;
        pthread_join(threads[i].id, NULL);
        *outcome = threads[i].outcome;
        return;
    }
    die("a thread that was not started");
}

/* ---- the file ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*function)(const struct step *, struct outcome *);
} verbs[] = {
    {"runner", make_runner},
    {"alive", alive},
    {"submit", submit},
    {"submit_many", submit_many},
    {"run", run},
    {"wait", wait_for},
    {"poll", poll_token},
    {"cancel", cancel},
    {"gather", gather},
    {"next", next},
    {"drain", drain},
    {"progress", progress},
    {"free", free_named},
    {"register", register_job},
    {"note", note},
    {"forged", forged},
    {"callback", callback},
    {"ready", ready},
    {"thread", start_thread},
    {"join", join},
    {"fork", in_forked_child},
    {"shutdown", shutdown_runner},
};

static void carry_out(const struct step *step, struct outcome *outcome) {
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, word(step, 0)) == 0) {
            verbs[i].function(step, outcome);
            return;
        }
    put(outcome, "error: no verb %s", word(step, 0));
}

/* All of it at once: a child shares the place in a file that is open. */
static char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    long size = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (size < 0 || fseek(file, 0, SEEK_SET) != 0) die("no such file");
    char *text = calloc((size_t)size + 1, 1);
    if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) die("the file cannot be read");
    fclose(file);
    return text;
}

int main(int count, char **arguments) {
    const char *scenario = "";
    unsigned steps = 0;
    if (count != 2) die("usage: conformance FILE");
    char *text = read_file(arguments[1]), *rest;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        struct outcome outcome = {""};
        struct step step;
        take_apart(line, &step);
        if (strcmp(word(&step, 0), "scenario") == 0) {
            free_everything();
            thread_count = steps = 0;
            scenario = word(&step, 1);
            continue;
        }
        carry_out(&step, &outcome);
        printf("%s\t%u\t%s\n", scenario, ++steps, outcome.text);
        fflush(stdout);
    }
    free_everything();
    free(text);
    return 0;
}
