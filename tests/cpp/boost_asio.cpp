// What asio.cpp tests, with Boost.Asio, in one program with it.
#include <utility> // which Boost 1.74 forgets

#include <boost/asio.hpp>

#include "asio.cpp" // NOLINT(bugprone-suspicious-include): that is what is to be compiled twice
