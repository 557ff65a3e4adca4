/* make faults: what becomes of a program when the system refuses something, once, at every place where it could.
 *
 *     faults [NAME [PLACE]]     all functions and limits, or those whose names begin so, at all places or one; a table
 *
 * The program's own functions go before the C library's, in the library too. For each function and each of its calls
 * in a scenario a forked child runs the scenario, and that call fails. Each step must end with a status. Then nothing
 * is refused any more, and the scenario must succeed, with the runner that was there, if there was one, and with a new
 * one. At the end no thread and no descriptor is left, and nothing was printed.
 *
 * One thing ends a process: memory that is refused to the library for something small aborts it with a message, as Rust
 * programs do.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "memory.h"
#include "refusing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* ---- the scenario ----------------------------------------------------------------------------------- */

/* Where the pages come from, and where a download goes. */
static int port;
/* In memory, as a disk that is busy with something else may take a minute to write. */
static char folder[64] = "/dev/shm/palitra-faults-XXXXXX";

/* What a step may end with when something is refused. */
static int is_an_answer(palitra_status status) {
    return status == PALITRA_OK || status == PALITRA_JOB_FAILED || status == PALITRA_JOB_PANICKED ||
           status == PALITRA_INTERNAL || status == PALITRA_BUSY || status == PALITRA_TOO_LARGE ||
           status == PALITRA_PENDING || status == PALITRA_DEADLINE || status == PALITRA_SHUT_DOWN ||
           status == PALITRA_INVALID_HANDLE;
}

enum { CAREFREE, REFUSED };

static int steps, failed_steps;

/* Without a fault every step succeeds. */
static void step(const char *name, int mode, palitra_status status, const palitra_reply *reply) {
    steps++;
    failed_steps += status != PALITRA_OK;
    if (status == PALITRA_OK || (mode == REFUSED && is_an_answer(status))) return;
    hosts_own++;
    fprintf(stderr, "%s: %s", name, palitra_status_name(status));
    if (reply != NULL && reply->data != NULL) fprintf(stderr, ": %.*s", (int)reply->len, (const char *)reply->data);
    fail(__FILE__, __LINE__);
}

static void run_step(palitra_runner runner, int mode, const char *job, const char *payload) {
    palitra_reply reply;
    palitra_status status = run(runner, job, payload, SECONDS(20), &reply);
    step(job, mode, status, &reply);
    palitra_reply_free(&reply);
}

static void use_a_queue(palitra_runner runner, int mode) {
    palitra_submit_options options;
    palitra_token token = {0};
    palitra_event event;
    palitra_submit_options_init(&options);
    palitra_status status = palitra_queue_new(&options.queue);
    step("queue", mode, status, NULL);
    if (status != PALITRA_OK) return;
    int fd = palitra_queue_fd(options.queue);
    CHECK(fd >= 0 || mode == REFUSED);
    status = palitra_runner_submit(runner, "palitra.sleep", "{\"seconds\":0.001}", 17, &options, &token);
    step("submit", mode, status, NULL);
    if (status == PALITRA_OK) step("next", mode, palitra_queue_next(options.queue, SECONDS(20), &event, 1, NULL), NULL);
    palitra_token_free(token);
    palitra_queue_free(options.queue);
}

static void use_http(palitra_runner runner, int mode) {
    char payload[256];
    snprintf(payload, sizeof payload, "{\"url\": \"http://localhost:%d/\", \"timeout\": 10}", port);
    run_step(runner, mode, "http.get", payload);
    snprintf(payload, sizeof payload, "{\"url\": \"http://127.0.0.1:%d/\", \"timeout\": 10, \"path\": \"%s/page.%d\"}",
             port, folder, (int)getpid());
    run_step(runner, mode, "http.download", payload);
    snprintf(payload, sizeof payload, "%s/page.%d", folder, (int)getpid());
    hosts_own++;
    unlink(payload);
    snprintf(payload, sizeof payload, "%s/page.%d.part", folder, (int)getpid());
    unlink(payload);
    hosts_own--;
}

/* The server speaks no TLS, so this fails in any case, after the certificates were read. */
static void use_tls(palitra_runner runner, int mode) {
    char payload[128];
    snprintf(payload, sizeof payload, "{\"url\": \"https://127.0.0.1:%d/\", \"timeout\": 10}", port);
    palitra_status status = run(runner, "http.get", payload, SECONDS(20), NULL);
    CHECK(status == PALITRA_JOB_FAILED || (mode == REFUSED && is_an_answer(status)));
}

static void use(palitra_runner runner, int mode) {
    run_step(runner, mode, "palitra.echo", "x");
    run_step(runner, mode, "palitra.sleep", "{\"seconds\":0.001}");
    use_a_queue(runner, mode);
    use_http(runner, mode);
    use_tls(runner, mode);
}

static palitra_runner make(uint32_t workers, int mode) {
    palitra_runner runner = {0};
    palitra_runner_options options;
    palitra_runner_options_init(&options);
    options.worker_threads = workers;
    step("new", mode, palitra_runner_new(&options, &runner), NULL);
    return runner;
}

static void check_good_runner(uint32_t workers) {
    palitra_runner runner = make(workers, CAREFREE);
    use(runner, CAREFREE);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, SECONDS(5)));
    palitra_runner_free(runner);
}

/* ---- one case, in a child --------------------------------------------------------------------------- */

struct way {
    const char *name;
    void (*refuse)(long which);
    void (*lift)(void);
};

enum { NOT_REACHED = 3 };

static void shut_down(palitra_runner runner) {
    palitra_status status = palitra_runner_shutdown(runner, SECONDS(5));
    for (int i = 0; status == PALITRA_PENDING && i < 10; i++) status = palitra_runner_shutdown(runner, SECONDS(1));
    CHECK(status == PALITRA_OK || status == PALITRA_INVALID_HANDLE);
    palitra_runner_free(runner);
}

/* Where tokio expected a thread of its own and got none it prints this and keeps three descriptors; that is known:
 * tests/c/limits/refused_by_the_system.c. */
#define OF_TOKIO "OS can't spawn worker thread"

/* What the Rust runtime prints as it aborts for want of memory, and what async-task does. */
#define OF_RUST "memory allocation of"
#define OF_ASYNC_TASK "async-task"

/* The way that is tried refuses threads. */
static int threads_are_refused;

static void check_nothing_is_left(int descriptors) {
    EVENTUALLY(threads_now() == 1);
    int now = descriptors_now();
    if (now > descriptors + (threads_are_refused ? 3 : 0)) {
        fprintf(stderr, "%d descriptors are left", now - descriptors);
        fail(__FILE__, __LINE__);
    }
}

/* The code it ends with says whether anything was refused, and whether a step said so. */
static void run_case(const struct way *way, long which, uint32_t workers) {
    watchdog();
    int descriptors = descriptors_now();
    way->refuse(which);
    palitra_runner runner = make(workers, REFUSED);
    if (runner.id != 0) use(runner, REFUSED);
    way->lift();
    int was_refused = refusals(), said = failed_steps;
    if (runner.id != 0) use(runner, CAREFREE);
    shut_down(runner);
    check_good_runner(workers);
    check_nothing_is_left(descriptors);
    _exit(!was_refused ? NOT_REACHED : said ? 1 : 0);
}

/* ---- the table -------------------------------------------------------------------------------------- */

static struct {
    long cases, unnoticed, answered, aborted, wrong;
} all;

static long printed_by(FILE *written, char *text, size_t length) {
    long size = (long)lseek(fileno(written), 0, SEEK_END);
    memset(text, 0, length);
    if (pread(fileno(written), text, length - 1, 0) < 0) text[0] = 0;
    return size;
}

/* Whether there was something to refuse. */
static int try_case(const struct way *way, long which, uint32_t workers, long counts[4]) {
    FILE *written = tmpfile();
    char text[400];
    int ending = 0;
    CHECK(written != NULL);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(fileno(written), STDERR_FILENO);
        fclose(written);
        run_case(way, which, workers);
    }
    while (waitpid(child, &ending, 0) < 0) CHECK_NUMBER(EINTR, errno);
    long printed = printed_by(written, text, sizeof text);
    fclose(written);
    int code = WIFEXITED(ending) ? WEXITSTATUS(ending) : -1;
    if (code == NOT_REACHED) return 0;
    if ((code == 0 || code == 1) && (printed == 0 || strstr(text, OF_TOKIO) != NULL)) counts[code]++;
    else if (WIFSIGNALED(ending) && WTERMSIG(ending) == SIGABRT &&
             (strstr(text, OF_RUST) != NULL || strstr(text, OF_ASYNC_TASK) != NULL))
        counts[2]++;
    else {
        counts[3]++;
        printf("  %s %ld, %u workers: ended with %d, %s\n", way->name, which, workers, ending, text);
    }
    return 1;
}

static void try_way(const struct way *way, long first, long most, uint32_t workers) {
    long counts[4] = {0};
    double start = now();
    for (long which = first; which - first < most; which++)
        if (!try_case(way, which, workers, counts)) break;
    long cases = counts[0] + counts[1] + counts[2] + counts[3];
    printf("%-20s %u workers %6ld places %6ld unnoticed %6ld a status %6ld abort %4ld wrong %6.1f s\n", way->name,
           workers, cases, counts[0], counts[1], counts[2], counts[3], now() - start);
    fflush(stdout);
    all.cases += cases;
    all.unnoticed += counts[0];
    all.answered += counts[1];
    all.aborted += counts[2];
    all.wrong += counts[3];
}

/* ---- limits of the system's -------------------------------------------------------------------------- */

static struct rlimit unlimited;

enum { MOST_THREADS = 12 };

static void limit_descriptors(long more) {
    CHECK_NUMBER(0, getrlimit(RLIMIT_NOFILE, &unlimited));
    int next = dup(STDIN_FILENO);
    close(next);
    struct rlimit limit = {(rlim_t)(next + more), unlimited.rlim_max};
    CHECK_NUMBER(0, setrlimit(RLIMIT_NOFILE, &limit));
    refused_calls = more < 40;
}

static void lift_descriptors(void) { CHECK_NUMBER(0, setrlimit(RLIMIT_NOFILE, &unlimited)); }

static void limit_memory(long steps_of_memory) {
    CHECK_NUMBER(0, getrlimit(RLIMIT_AS, &unlimited));
    struct rlimit limit = {(rlim_t)(mapped_now() + (steps_of_memory << 18)), unlimited.rlim_max};
    CHECK_NUMBER(0, setrlimit(RLIMIT_AS, &limit));
    refused_calls = steps_of_memory < 160;
}

static void lift_memory(void) { CHECK_NUMBER(0, setrlimit(RLIMIT_AS, &unlimited)); }

/* A control group with room for so many threads beside the first. Linux has one tree of groups, or one for each kind. */
static char group[128];

static int write_to_group(const char *folder_of_it, const char *name, const char *value) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder_of_it, name);
    int file = open(path, O_WRONLY);
    int well = file >= 0 && write(file, value, strlen(value)) == (ssize_t)strlen(value);
    if (file >= 0) close(file);
    return well;
}

static const char *root_of_groups(void) {
    return access("/sys/fs/cgroup/pids", F_OK) == 0 ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup";
}

static void limit_threads(long more) {
    char limit[32];
    snprintf(limit, sizeof limit, "%ld", 1 + more);
    hosts_own++;
    CHECK(write_to_group(group, "cgroup.procs", "0") && write_to_group(group, "pids.max", limit));
    hosts_own--;
    refused_calls = more < MOST_THREADS;
}

static void lift_threads(void) {
    hosts_own++;
    CHECK(write_to_group(group, "pids.max", "max") && write_to_group(root_of_groups(), "cgroup.procs", "0"));
    hosts_own--;
}

/* Returns whether this system lets us. */
static int make_group(void) {
    snprintf(group, sizeof group, "%s/palitra-faults-%d", root_of_groups(), (int)getpid());
    if (mkdir(group, 0700) == 0 && write_to_group(group, "pids.max", "max")) return 1;
    printf("%-20s not on this machine: %s\n", "pids cgroup", strerror(errno));
    rmdir(group);
    return 0;
}

/* In namespaces of its own, so that nobody else sees it. */
static void mount_here(const char *source, const char *target, const char *type, unsigned long flags,
                       const char *data) {
    CHECK_NUMBER(0, unshare(CLONE_NEWNS));
    CHECK_NUMBER(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
    if (mount(source, target, type, flags, data) != 0) {
        perror(target);
        fail(__FILE__, __LINE__);
    }
}

static void fill_the_disk(long unused) {
    static char block[4096];
    (void)unused;
    mount_here("tmpfs", "/mnt", "tmpfs", 0, "size=64k");
    strcpy(folder, "/mnt");
    int file = open("/mnt/full", O_CREAT | O_WRONLY, 0600);
    while (write(file, block, sizeof block) > 0) continue;
    close(file);
    refused_calls = 1;
}

static void empty_the_disk(void) { unlink("/mnt/full"); }

static void hide_the_resolver(long unused) {
    (void)unused;
    mount_here("/dev/null", "/etc/resolv.conf", NULL, MS_BIND, NULL);
    refused_calls = 1;
}

static void show_the_resolver(void) { umount("/etc/resolv.conf"); }

static void hide_the_certificates(long unused) {
    (void)unused;
    setenv("SSL_CERT_FILE", "/nowhere", 1);
    setenv("SSL_CERT_DIR", "/nowhere", 1);
    refused_calls = 1;
}

/* One of the system's: with all of them each case would read some hundred files. */
static void show_the_certificates(void) {
    setenv("SSL_CERT_FILE", "/etc/ssl/certs/ISRG_Root_X1.pem", 1);
    unsetenv("SSL_CERT_DIR");
}

/* ---- the pages --------------------------------------------------------------------------------------- */

static void *serve(void *listener) {
    static const char page[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n"
        "Connection: close\r\n\r\nhello";
    for (int connection; (connection = accept(*(int *)listener, NULL, NULL)) >= 0;) {
        char request[4096];
        if (recv(connection, request, sizeof request, 0) > 0)
            if (send(connection, page, sizeof page - 1, MSG_NOSIGNAL) < 0) continue;
        shutdown(connection, SHUT_WR);
        /* The client's end of it. */
        while (recv(connection, request, sizeof request, 0) > 0) continue;
        close(connection);
    }
    return NULL;
}

/* In a process of its own, which ends with this one. */
static pid_t start_server(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 100) == 0);
    CHECK_NUMBER(0, getsockname(listener, (struct sockaddr *)&address, &length));
    port = ntohs(address.sin_port);
    pid_t server = fork();
    CHECK(server >= 0);
    if (server == 0) {
        for (int i = 0; i < 8; i++) start_thread(serve, &listener);
        for (;;) pause();
    }
    close(listener);
    return server;
}

/* With what the cases that were aborted have left in it. */
static void remove_folder(void) {
    DIR *files = opendir(folder);
    char path[400];
    CHECK(files != NULL);
    for (struct dirent *file; (file = readdir(files)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        if (file->d_name[0] != '.' || strlen(file->d_name) > 2) unlink(path);
    }
    closedir(files);
    CHECK_NUMBER(0, rmdir(folder));
}

int main(int argc, char **argv) {
    const char *only = argc > 1 ? argv[1] : "";
    long place = argc > 2 ? atol(argv[2]) : -1;
    static const struct way limits[] = {
        {"RLIMIT_NOFILE", limit_descriptors, lift_descriptors},
        {"RLIMIT_AS", limit_memory, lift_memory},
        {"pids cgroup", limit_threads, lift_threads},
        {"full disk", fill_the_disk, empty_the_disk},
        {"no resolv.conf", hide_the_resolver, show_the_resolver},
        {"no certificates", hide_the_certificates, show_the_certificates},
    };
    static const long most[] = {40, 160, MOST_THREADS, 1, 1, 1};
    running_test = "faults";
    /* What a proxy would refuse is not the library's. */
    setenv("RUST_BACKTRACE", "0", 1);
    setenv("NO_PROXY", "127.0.0.1,localhost", 1);
    CHECK(dl_iterate_phdr(note_library, NULL) == 1);
    show_the_certificates();
    CHECK(mkdtemp(folder) != NULL);
    pid_t server = start_server();
    for (size_t i = 0; i < LENGTH(refusable); i++) {
        if (strncmp(refusable[i], only, strlen(only)) != 0) continue;
        const struct way way = {refusable[i], refuse_call, allow_calls};
        refused_function = (int)i;
        threads_are_refused = i == number_of_pthread_create;
        for (uint32_t workers = 0; workers <= 2; workers += 2)
            try_way(&way, place < 0 ? 1 : place, place < 0 ? LONG_MAX : 1, workers);
    }
    refused_function = -1;
    for (size_t i = 0; i < LENGTH(limits); i++) {
        if (strncmp(limits[i].name, only, strlen(only)) != 0) continue;
        threads_are_refused = limits[i].refuse == limit_threads;
        if (threads_are_refused && !make_group()) continue;
        for (uint32_t workers = 0; workers <= 2; workers += 2)
            try_way(&limits[i], place < 0 ? 0 : place, place < 0 ? most[i] : 1, workers);
        if (threads_are_refused) CHECK_NUMBER(0, rmdir(group));
    }
    kill(server, SIGKILL);
    remove_folder();
    printf("%ld places: %ld unnoticed, %ld a status, %ld abort as the page says, %ld wrong\n", all.cases, all.unnoticed,
           all.answered, all.aborted, all.wrong);
    return all.wrong != 0;
}
