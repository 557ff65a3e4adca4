//go:build palitra_test_jobs && !asan

package palitra_test

// Not with the address sanitizer, which keeps what was freed for a while, and reports leaks itself.

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	palitra "palitra.example/bindings/go"
)

// residentMegabytes is the resident memory of this process.
func residentMegabytes(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	var size, resident int
	text, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(text), &size, &resident)
	}
	if err != nil {
		t.Fatal(err)
	}
	return resident * os.Getpagesize() >> 20
}

// No way to a reply leaves memory behind in C, neither the reply's nor the token's.
func TestRepliesAndTokensAreFreed(t *testing.T) {
	const replies, bytes = 300, 1 << 20
	r := newRunner(t)
	large := []byte(fmt.Sprintf(`{"bytes": %d}`, bytes))
	for name, run := range map[string]func(ctx context.Context) (palitra.Reply, error){
		"Run": func(context.Context) (palitra.Reply, error) {
			return r.Run(base(t), "test.large", large)
		},
		"Run with a context": func(ctx context.Context) (palitra.Reply, error) {
			return r.Run(ctx, "test.large", large)
		},
		"Wait and Poll": func(ctx context.Context) (palitra.Reply, error) {
			token, err := r.Submit(ctx, "test.large", large)
			if err != nil {
				return palitra.Reply{}, err
			}
			defer token.Close()
			if _, err := token.Wait(ctx); err != nil {
				return palitra.Reply{}, err
			}
			return token.Poll()
		},
	} {
		before := residentMegabytes(t)
		for range replies {
			if reply, err := run(soon(t)); err != nil || len(reply.Data) != bytes {
				t.Fatal(len(reply.Data), err)
			}
		}
		if grown := residentMegabytes(t) - before; grown > replies/2 {
			t.Errorf("%s: %d MB more after %d replies of 1 MB", name, grown, replies)
		}
	}
}
