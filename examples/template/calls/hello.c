/* Calls a job of the library that this program is linked with. */
#include <palitra.h>

#include <stdio.h>
#include <string.h>

int main(void) {
    const char *payload = "{\"name\": \"C\"}";
    palitra_runner runner;
    palitra_reply reply;
    palitra_status status = palitra_runner_global(&runner);
    if (status != PALITRA_OK) return 1;
    status = palitra_runner_run(runner, "greet.hello", payload, strlen(payload), PALITRA_FOREVER, &reply);
    printf("%s: %s\n", palitra_status_name(status), (const char *)reply.data);
    palitra_reply_free(&reply);
    palitra_shutdown_global_runner(0);
    return status == PALITRA_OK ? 0 : 1;
}
