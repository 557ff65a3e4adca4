//go:build palitra_test_jobs

package palitra_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"

	palitra "palitra.example/bindings/go"
)

// Each way of waiting, by so many goroutines at once. In a process of its own, because Go never ends a thread that
// another test needed.
func TestWaitingGoroutinesHoldNoThread(t *testing.T) {
	const alone = "PALITRA_TEST_ALONE"
	if os.Getenv(alone) == "" {
		// A goroutine that the system preempts within a call of C costs Go a thread, which Go keeps. That is no wait, and
		// does not happen each time.
		var output []byte
		var err error
		for range 3 {
			itself := exec.CommandContext(soon(t), os.Args[0], "-test.run=^TestWaitingGoroutinesHoldNoThread$", "-test.v")
			itself.Env = append(os.Environ(), alone+"=1")
			if output, err = itself.CombinedOutput(); err == nil {
				return
			}
		}
		t.Errorf("%v\n%s", err, output)
		return
	}
	for name, wait := range map[string]func(ctx context.Context, r *palitra.Runner) error{
		"Run": func(_ context.Context, r *palitra.Runner) error {
			_, err := r.Run(base(t), "test.never", nil)
			return err
		},
		"Run with a context": func(ctx context.Context, r *palitra.Runner) error {
			_, err := r.Run(ctx, "test.never", nil)
			return err
		},
		"Wait": func(ctx context.Context, r *palitra.Runner) error {
			token, err := r.Submit(base(t), "test.never", nil)
			if err == nil {
				defer token.Close()
				_, err = token.Wait(ctx)
			}
			return err
		},
		"Stream": func(ctx context.Context, r *palitra.Runner) (err error) {
			for _, err = range r.Stream(ctx, "test.never", nil) {
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			ctx := soon(t)
			var waiters sync.WaitGroup
			waiters.Add(manyGoroutines)
			for range manyGoroutines {
				go func() {
					defer waiters.Done()
					wantIs(t, wait(ctx, r), palitra.ErrCancelled)
				}()
			}
			eventually(t, "all are in flight", func() bool {
				stats, _ := r.Stats()
				return stats.Running == uint64(manyGoroutines)
			})
			// One more thread for each goroutine that happens to be in a call of C would show here, too. The runner has two.
			if n, most := threads(t, ""), runtime.GOMAXPROCS(0)+9; n > most {
				t.Errorf("%d goroutines wait on %d threads, more than %d", manyGoroutines, n, most)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			waiters.Wait()
		})
	}
}
