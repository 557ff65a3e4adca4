// What other headers do to names: macros as of Qt and Xlib, and functions of the user's own that take what the C functions
// take, which an unqualified call would find.
#include <palitra.h>

#define forever for (;;)
#define Status int
#define Bool int
#define None 0L

#define HIJACK(name) \
    template <class Handle, class... Other> \
    auto name(Handle handle, Other&&...) -> decltype(handle.id, void()) = delete

HIJACK(poll);
HIJACK(next);
HIJACK(look);
HIJACK(complete);
HIJACK(promise);
HIJACK(await);
HIJACK(gather);
HIJACK(any);
HIJACK(initiate);
