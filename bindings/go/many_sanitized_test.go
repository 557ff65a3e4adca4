//go:build race || asan

package palitra_test

// manyGoroutines: the race detector ends a program with more than 8,128, and the address sanitizer is slow.
const manyGoroutines = 7_000
