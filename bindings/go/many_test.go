//go:build !race && !asan

package palitra_test

import "os"

// manyGoroutines is how many wait at once in the test that counts threads: a hundred thousand for make test-long.
var manyGoroutines = 20_000

func init() {
	if os.Getenv("PALITRA_TEST_LONG") != "" {
		manyGoroutines = 100_000
	}
}
