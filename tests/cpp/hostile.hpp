// What other headers do to names: macros as of Qt and Xlib, and functions of the user's own that take what the C functions
// take, which an unqualified call would find.
#include <palitra.h>

#define forever for (;;)
#define Status int
#define Bool int
#define None 0L

template <class... Other>
void poll(palitra_token, Other&&...) = delete;
template <class... Other>
void next(palitra_token, Other&&...) = delete;
template <class... Other>
void look(palitra_token, Other&&...) = delete;
template <class... Other>
void complete(palitra_token, Other&&...) = delete;
template <class... Other>
void promise(palitra_token, Other&&...) = delete;
template <class... Other>
void await(palitra_token, Other&&...) = delete;
template <class... Other>
void gather(palitra_runner, Other&&...) = delete;
template <class... Other>
void any(palitra_runner, Other&&...) = delete;
