// What other headers do to names: macros as of Qt and Xlib, and functions of the user's own that take what the C functions
// take, which an unqualified call would find.
#include <palitra.h>

#define forever for (;;)
#define Status int
#define Bool int
#define None 0L

void poll(palitra_token);
void look(palitra_token);
void filled(palitra_status, palitra_reply);
template <class Function>
void promise(palitra_token, Function&&);
