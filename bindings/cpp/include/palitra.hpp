#ifndef PALITRA_HPP
#define PALITRA_HPP
#include <palitra.h>
#endif
