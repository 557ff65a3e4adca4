/* include/adapters/epoll.h: no event is lost, no wake-up is for nothing, the host's timer is on time. */
#include "loop.h"

#include "adapters/epoll.h"

#include <sys/timerfd.h>

static int add_timer(int epfd) {
    struct itimerspec every_millisecond = {{0, 1000000}, {0, 1000000}};
    struct epoll_event interest = {.events = EPOLLIN, .data = {.u32 = 1}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    CHECK(timer >= 0);
    CHECK_NUMBER(0, timerfd_settime(timer, 0, &every_millisecond, NULL));
    CHECK_NUMBER(0, epoll_ctl(epfd, EPOLL_CTL_ADD, timer, &interest));
    return timer;
}

static void run_until_the_end(void) {
    int epfd = epoll_create1(EPOLL_CLOEXEC), timer = add_timer(epfd);
    bool more = true;
    CHECK_NUMBER(0, palitra_epoll_add(epfd, loop.queue, (epoll_data_t){.u32 = 2}));
    while (more) {
        struct epoll_event ready[2];
        int count = epoll_wait(epfd, ready, 2, -1);
        uint64_t expirations;
        for (int i = 0; i < count; i++) {
            if (ready[i].data.u32 == 2) more = palitra_epoll_drain(epfd, loop.queue, take, &loop);
            else if (read(timer, &expirations, sizeof expirations) > 0) tick();
        }
    }
    close(timer);
    close(epfd);
}

static void ten_thousand_jobs_beside_a_timer(void) { check_loop(run_until_the_end); }

static bool is_ready(int epfd) {
    struct epoll_event ready;
    return epoll_wait(epfd, &ready, 1, 0) == 1;
}

static void a_removed_queue_is_not_watched_and_can_be_added_again(void) {
    int epfd = epoll_create1(EPOLL_CLOEXEC);
    palitra_queue queue;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    CHECK_NUMBER(0, palitra_epoll_add(epfd, queue, (epoll_data_t){.ptr = NULL}));
    CHECK(!is_ready(epfd));
    finish_four(queue);
    CHECK(is_ready(epfd));
    CHECK_NUMBER(0, palitra_epoll_remove(epfd, queue));
    CHECK(!is_ready(epfd));
    CHECK_NUMBER(-1, palitra_epoll_remove(epfd, queue));
    CHECK_NUMBER(0, palitra_epoll_add(epfd, queue, (epoll_data_t){.ptr = NULL}));
    CHECK(is_ready(epfd));
    CHECK_NUMBER(0, palitra_epoll_remove(epfd, queue));
    palitra_queue_free(queue);
    CHECK_NUMBER(-1, palitra_epoll_add(epfd, queue, (epoll_data_t){.ptr = NULL}));
    CHECK_NUMBER(EBADF, errno);
    close(epfd);
}

static void count_ends(const palitra_event *event, void *user_data) {
    if (event == NULL) ++*(int *)user_data;
}

static void after_the_end_the_loop_is_left_in_peace(void) {
    int epfd = epoll_create1(EPOLL_CLOEXEC), ends = 0;
    palitra_queue queue;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    CHECK_NUMBER(0, palitra_epoll_add(epfd, queue, (epoll_data_t){.ptr = NULL}));
    finish_four(queue);
    CHECK_STATUS(PALITRA_OK, palitra_queue_close(queue));
    CHECK(palitra_epoll_drain(epfd, queue, count_ends, &ends));
    CHECK_NUMBER(0, ends);
    CHECK(is_ready(epfd));
    CHECK(!palitra_epoll_drain(epfd, queue, count_ends, &ends));
    CHECK_NUMBER(1, ends);
    CHECK(!is_ready(epfd));
    palitra_queue_free(queue);
    close(epfd);
}

static void *close_queue(void *queue) {
    palitra_queue_close(*(palitra_queue *)queue);
    return NULL;
}

/* Whenever a queue is closed, an edge-triggered loop that has seen PENDING is woken once more, for the end. */
static void a_close_wakes_an_edge_triggered_loop_to_the_end(void) {
    for (int round = 0; round < 10000; round++) {
        palitra_queue queue;
        palitra_event event;
        struct epoll_event edge = {.events = EPOLLIN | EPOLLET}, seen;
        pthread_t closer;
        int epfd = epoll_create1(0);
        CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
        CHECK_NUMBER(0, epoll_ctl(epfd, EPOLL_CTL_ADD, palitra_queue_fd(queue), &edge));
        CHECK_NUMBER(0, pthread_create(&closer, NULL, close_queue, &queue));
        while (palitra_queue_next(queue, 0, &event, 1, NULL) != PALITRA_END)
            CHECK_NUMBER(1, epoll_wait(epfd, &seen, 1, 10000));
        pthread_join(closer, NULL);
        close(epfd);
        palitra_queue_free(queue);
    }
}

int main(void) {
    TEST(ten_thousand_jobs_beside_a_timer);
    TEST(a_removed_queue_is_not_watched_and_can_be_added_again);
    TEST(after_the_end_the_loop_is_left_in_peace);
    TEST(a_close_wakes_an_edge_triggered_loop_to_the_end);
    return 0;
}
