//go:build palitra_test_jobs

package palitra_test

// What the tests share. They need the jobs of tests/jobs: make test-go links its library.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

// patience bounds every wait for what ought to happen soon.
const patience = 20 * time.Second

// base is the context of calls that nothing is to end. Nearly every context of a program can end, and the binding goes
// other ways then: with PALITRA_TEST_CONTEXT=ending the tests run under one that can.
func base(t testing.TB) context.Context {
	t.Helper()
	if os.Getenv("PALITRA_TEST_CONTEXT") != "ending" {
		return context.Background()
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx
}

// both are a context that never ends and one that can.
func both(t testing.TB) map[string]context.Context {
	t.Helper()
	return map[string]context.Context{"that never ends": context.Background(), "that can end": soon(t)}
}

// soon is a context for waits that ought to end long before it.
func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// newRunner makes a runner that is closed at the test's end, when no event may be missing.
func newRunner(t testing.TB, opts ...palitra.Option) *palitra.Runner {
	t.Helper()
	r, err := palitra.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error("closing the runner:", err)
		}
		if n := r.Waiting(); n != 0 {
			t.Errorf("%d jobs had no event of their end", n)
		}
	})
	return r
}

// submit submits a job whose token is closed at the test's end.
func submit(t testing.TB, r *palitra.Runner, job, payload string, opts ...palitra.SubmitOption) *palitra.Token {
	t.Helper()
	token, err := r.Submit(base(t), job, []byte(payload), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { token.Close() })
	return token
}

// second is the error of a call that returns a reply with it.
func second(_ palitra.Reply, err error) error { return err }

func wantIs(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("the error is %v, not %v", err, want)
	}
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// count asks one of the counting jobs, test.drops and test.streams, which count for the process.
func count(t testing.TB, r *palitra.Runner, job string) int {
	t.Helper()
	reply, err := r.Run(base(t), job, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(reply.String())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// tasks returns the threads of this process whose names have this prefix, as folders of /proc.
func tasks(t testing.TB, name string) []string {
	t.Helper()
	all, err := filepath.Glob("/proc/self/task/*")
	if err != nil || len(all) == 0 {
		t.Fatal("no threads in /proc/self/task:", err)
	}
	return slices.DeleteFunc(all, func(task string) bool {
		comm, err := os.ReadFile(task + "/comm")
		return err != nil || !strings.HasPrefix(string(comm), name)
	})
}

func threads(t testing.TB, name string) int { return len(tasks(t, name)) }

// busy is the time that the threads of that name have run on a processor.
func busy(t testing.TB, name string) time.Duration {
	t.Helper()
	var sum, ran int64
	for _, task := range tasks(t, name) {
		if text, err := os.ReadFile(task + "/schedstat"); err == nil {
			_, _ = fmt.Sscan(string(text), &ran)
			sum += ran
		}
	}
	return time.Duration(sum)
}
