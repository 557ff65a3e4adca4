//go:build palitra_test_jobs

package palitra_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
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
	// Jobs in Go that are about to send the item that there is no room for.
	var sending atomic.Int64
	sendsTwo := func(_ context.Context, call *palitra.Call) ([]byte, error) {
		if err := call.Send(nil); err != nil {
			return nil, err
		}
		sending.Add(1)
		return nil, call.Send(nil)
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
		"Send": func(_ context.Context, r *palitra.Runner) error {
			token, err := r.Submit(base(t), "go.sends.two", nil, palitra.WithStreamItems(1))
			if err == nil {
				defer token.Close()
				_, err = token.Wait(base(t))
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			register(t, r, "go.sends.two", sendsTwo)
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
				return stats.Running == uint64(manyGoroutines) &&
					(name != "Send" || sending.Load() == int64(manyGoroutines))
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
