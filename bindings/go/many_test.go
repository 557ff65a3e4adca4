//go:build !race && !asan

package palitra_test

// manyGoroutines is how many wait at once in the test that counts threads.
const manyGoroutines = 100_000
