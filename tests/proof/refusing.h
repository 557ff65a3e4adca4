/* Functions of the C library that fail once, at a call that is chosen: the program's own go before the C library's, in
 * the libraries that it is linked with too. */
#ifndef PALITRA_TEST_REFUSING_H
#define PALITRA_TEST_REFUSING_H

#include "test.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Every function that is refused, and with which error. */
#define REFUSABLE(X) \
    X(pthread_create, EAGAIN) \
    X(epoll_create1, EMFILE) \
    X(epoll_ctl, ENOMEM) \
    X(eventfd, EMFILE) \
    X(fcntl, EMFILE) \
    X(socket, EMFILE) \
    X(connect, ENETUNREACH) \
    X(getsockopt, ENOBUFS) \
    X(setsockopt, ENOBUFS) \
    X(send, ECONNRESET) \
    X(recv, ECONNRESET) \
    X(writev, ECONNRESET) \
    X(write, ENOSPC) \
    X(read, EIO) \
    X(open64, EMFILE) \
    X(fstat64, EIO) \
    X(stat64, EIO) \
    X(lstat64, EIO) \
    X(lseek64, EIO) \
    X(ftruncate64, EFBIG) \
    X(fsync, EIO) \
    X(flock, ENOLCK) \
    X(linkat, ENOSPC) \
    X(rename, ENOSPC) \
    X(unlink, EIO) \
    X(opendir, EMFILE) \
    X(mmap64, ENOMEM) \
    X(sched_getaffinity, EINVAL) \
    X(posix_memalign, ENOMEM) \
    X(malloc, ENOMEM) \
    X(calloc, ENOMEM) \
    X(realloc, ENOMEM)

#define NUMBER_OF(name, error) number_of_##name,
enum { REFUSABLE(NUMBER_OF) FUNCTIONS };
#define NAME_OF(name, error) #name,
static const char *const refusable[] = {REFUSABLE(NAME_OF)};
#define ERROR_OF(name, error) error,
static const int errors[] = {REFUSABLE(ERROR_OF)};

/* Which of them, which call of it counted down from here (0: none), and how many were refused. */
static int refused_function = -1;
static long refused_in, refused_calls;
/* More than 0: what this thread calls is the test's own. */
static _Thread_local int hosts_own;

static inline int refusals(void) { return (int)__atomic_load_n(&refused_calls, __ATOMIC_SEQ_CST); }

static inline void refuse_call(long which) { __atomic_store_n(&refused_in, which, __ATOMIC_SEQ_CST); }
static inline void allow_calls(void) { __atomic_store_n(&refused_in, 0, __ATOMIC_SEQ_CST); }

/* Whether this call is the one. */
static inline int is_refused(int function) {
    if (function != refused_function || hosts_own > 0 || __atomic_load_n(&refused_in, __ATOMIC_SEQ_CST) <= 0) return 0;
    if (__atomic_sub_fetch(&refused_in, 1, __ATOMIC_SEQ_CST) != 0) return 0;
    __atomic_add_fetch(&refused_calls, 1, __ATOMIC_SEQ_CST);
    errno = errors[function];
    return 1;
}

/* Files alone fail to be read and written so: an eventfd or a pipe never does. */
static inline int is_a_file(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* Defines it under another name in C, as the headers may declare it with any number of arguments. */
#define REFUSING(...) REFUSING_IF(1, __VA_ARGS__)
#define REFUSING_IF(condition, result, refusal, name, parameters, arguments) \
    result refusing_##name parameters __asm__(#name); \
    result refusing_##name parameters { \
        static result(*real) parameters; \
        if (real == NULL) { \
            void *symbol = dlsym(RTLD_NEXT, #name); \
            if (symbol == NULL) abort(); \
            memcpy(&real, &symbol, sizeof real); \
        } \
        return (condition) && is_refused(number_of_##name) ? refusal : real arguments; \
    }

typedef void *(*thread_fn)(void *);

REFUSING(int, EAGAIN, pthread_create,
         (pthread_t * thread, const pthread_attr_t *how, thread_fn function, void *argument),
         (thread, how, function, argument))
REFUSING(int, -1, epoll_create1, (int flags), (flags))
REFUSING(int, -1, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event), (epoll, what, fd, event))
REFUSING(int, -1, eventfd, (unsigned value, int flags), (value, flags))
REFUSING(int, -1, fcntl, (int fd, int what, long argument), (fd, what, argument))
REFUSING(int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))
REFUSING(int, -1, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len))
REFUSING(int, -1, getsockopt, (int fd, int level, int name, void *value, socklen_t *len), (fd, level, name, value, len))
REFUSING(int, -1, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
         (fd, level, name, value, len))
REFUSING(ssize_t, -1, send, (int fd, const void *data, size_t len, int flags), (fd, data, len, flags))
REFUSING(ssize_t, -1, recv, (int fd, void *data, size_t len, int flags), (fd, data, len, flags))
REFUSING(ssize_t, -1, writev, (int fd, const struct iovec *parts, int n), (fd, parts, n))
REFUSING_IF(is_a_file(fd), ssize_t, -1, write, (int fd, const void *data, size_t len), (fd, data, len))
REFUSING_IF(is_a_file(fd), ssize_t, -1, read, (int fd, void *data, size_t len), (fd, data, len))
REFUSING(int, -1, open64, (const char *path, int flags, unsigned mode), (path, flags, mode))
REFUSING(int, -1, fstat64, (int fd, struct stat64 *to), (fd, to))
REFUSING(int, -1, stat64, (const char *path, struct stat64 *to), (path, to))
REFUSING(int, -1, lstat64, (const char *path, struct stat64 *to), (path, to))
REFUSING(off_t, -1, lseek64, (int fd, off_t offset, int whence), (fd, offset, whence))
REFUSING(int, -1, ftruncate64, (int fd, off_t length), (fd, length))
REFUSING(int, -1, fsync, (int fd), (fd))
REFUSING(int, -1, flock, (int fd, int what), (fd, what))
REFUSING(int, -1, linkat, (int from, const char *old, int to, const char *name, int flags),
         (from, old, to, name, flags))
REFUSING(int, -1, rename, (const char *from, const char *to), (from, to))
REFUSING(int, -1, unlink, (const char *path), (path))
REFUSING(DIR *, NULL, opendir, (const char *path), (path))
REFUSING(void *, MAP_FAILED, mmap64, (void *at, size_t len, int how, int flags, int fd, off_t offset),
         (at, len, how, flags, fd, offset))
REFUSING(int, -1, sched_getaffinity, (pid_t thread, size_t size, cpu_set_t *set), (thread, size, set))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

/* Memory is refused to the library alone: what the C library makes of a refusal, in looking up a name, is its own. */
static uintptr_t library_begins, library_ends;

static inline int note_library(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    if (strstr(info->dlpi_name, "libpalitra") == NULL) return 0;
    library_begins = (uintptr_t)info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t end = library_begins + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && end > library_ends) library_ends = end;
    }
    return 1;
}

static inline int is_the_librarys(const void *caller) {
    return (uintptr_t)caller >= library_begins && (uintptr_t)caller < library_ends;
}

#define IS_REFUSED_MEMORY(name) (is_the_librarys(__builtin_return_address(0)) && is_refused(number_of_##name))

void *malloc(size_t size) { return IS_REFUSED_MEMORY(malloc) ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return IS_REFUSED_MEMORY(calloc) ? NULL : __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { return IS_REFUSED_MEMORY(realloc) ? NULL : __libc_realloc(old, size); }
int posix_memalign(void **to, size_t alignment, size_t size) {
    if (IS_REFUSED_MEMORY(posix_memalign)) return ENOMEM;
    *to = __libc_memalign(alignment, size);
    return *to == NULL ? ENOMEM : 0;
}

#endif
