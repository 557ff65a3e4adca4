// The tests' own main. What hangs is ended by the `timeout` that the Makefile runs this under.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
