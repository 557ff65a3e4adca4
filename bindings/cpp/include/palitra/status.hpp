#include <palitra.h>
