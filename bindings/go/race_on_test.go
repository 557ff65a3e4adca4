//go:build race

package palitra_test

// manyGoroutines: the race detector ends a program with more than 8,128.
const manyGoroutines = 7_000
