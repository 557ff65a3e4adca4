//go:build palitra_test_jobs

package palitra_test

// How runners end: by Shutdown, by Close, by the garbage collector.
//
// Promise 8: a shutdown ends everything within its bound.

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

func TestShutdownLetsJobsFinish(t *testing.T) {
	r := newRunner(t)
	token := submit(t, r, "palitra.sleep", `{"seconds": 0.05}`)
	if err := r.Shutdown(soon(t)); err != nil {
		t.Error(err)
	}
	if reply, err := token.Poll(); err != nil || reply.String() != `{"seconds":0.05}` {
		t.Error(reply, err)
	}
	if r.IsAlive() {
		t.Error("still alive")
	}
	if err := r.Shutdown(soon(t)); err != nil {
		t.Error("again:", err)
	}
	if stats, err := r.Stats(); err != nil || stats.Succeeded != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestShutdownCancelsTheRestWhenItsContextIsDone(t *testing.T) {
	for _, grace := range []time.Duration{0, 20 * time.Millisecond} {
		r := newRunner(t)
		token := submit(t, r, "test.never", "")
		waited := make(chan error)
		go func() {
			_, err := token.Wait(soon(t))
			waited <- err
		}()
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		began := time.Now()
		wantIs(t, r.Shutdown(ctx), ctx.Err())
		if took := time.Since(began); took < grace || took > patience {
			t.Errorf("a grace period of %v took %v", grace, took)
		}
		err := <-waited
		wantIs(t, err, palitra.ErrCancelled)
		wantIs(t, err, palitra.ErrClosed)
		if err := r.Shutdown(ctx); err != nil {
			t.Error("nothing was left to cancel:", err)
		}
	}
}

func TestShutdownOfAnIdleRunnerIsWellWhateverItsContext(t *testing.T) {
	r := newRunner(t)
	if _, err := r.Run(base(t), "palitra.echo", nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// The caller's context is fine, so the error is not the context's.
func TestRunnersEndIsAnErrorOfItsOwn(t *testing.T) {
	for name, ctx := range both(t) {
		r := newRunner(t)
		token, err := r.Submit(ctx, "test.never", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer token.Close()
		ran := make(chan error, 1)
		go func() {
			_, err := r.Run(ctx, "test.never", nil)
			ran <- err
		}()
		eventually(t, "both run", func() bool {
			stats, _ := r.Stats()
			return stats.Running == 2
		})
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		_, polled := token.Poll()
		for _, err := range []error{<-ran, polled} {
			wantIs(t, err, palitra.ErrCancelled)
			wantIs(t, err, palitra.ErrClosed)
			if errors.Is(err, context.Canceled) {
				t.Errorf("under a context %s: %v", name, err)
			}
		}
		_, err = r.Run(ctx, "palitra.echo", nil)
		wantIs(t, err, palitra.ErrClosed)
		wantIs(t, err, palitra.ErrInvalidHandle)
	}
}

// A job that is polled inline for longer than Close waits comes back to a runner and a queue that are gone.
func TestRunThatComesBackAfterCloseReturns(t *testing.T) {
	for name, ctx := range both(t) {
		r, err := palitra.New()
		if err != nil {
			t.Fatal(err)
		}
		ran := make(chan error, 1)
		go func() {
			_, err := r.Run(ctx, "test.inline_hold", []byte(`{"seconds": 2.5, "pends": true}`))
			ran <- err
		}()
		eventually(t, "it is polled", func() bool {
			stats, _ := r.Stats()
			return stats.Running == 1
		})
		wantIs(t, r.Close(), palitra.ErrPending)
		select {
		case err := <-ran:
			wantIs(t, err, palitra.ErrCancelled)
			wantIs(t, err, palitra.ErrClosed)
		case <-time.After(patience):
			t.Fatalf("under a context %s: waits forever", name)
		}
	}
}

func TestCallsBesideCloseReturn(t *testing.T) {
	for _, ctx := range both(t) {
		for round := range 300 {
			r, err := palitra.New()
			if err != nil {
				t.Fatal(err)
			}
			var calls sync.WaitGroup
			for range 4 {
				calls.Add(1)
				go func() {
					defer calls.Done()
					_, _ = r.Run(ctx, "palitra.sleep", []byte(`{"seconds": 60}`))
					if token, err := r.Submit(ctx, "test.never", nil); err == nil {
						_, _ = token.Wait(context.Background())
						token.Close()
					}
				}()
			}
			_ = r.Close()
			over := make(chan struct{})
			go func() { calls.Wait(); close(over) }()
			select {
			case <-over:
			case <-time.After(patience):
				t.Fatalf("a call waits in round %d", round)
			}
		}
	}
}

func TestShutdownLeavesAJobThatNeverYieldsBehind(t *testing.T) {
	r, err := palitra.New(palitra.WithThreadName("spinning"))
	if err != nil {
		t.Fatal(err)
	}
	token := submit(t, r, "test.spin", `{"seconds": 3}`)
	eventually(t, "the job spins", func() bool { return busy(t, "spinning") > 50*time.Millisecond })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	wantIs(t, r.Shutdown(ctx), palitra.ErrPending)
	_, err = token.Poll()
	wantIs(t, err, palitra.ErrCancelled)
	_ = r.Close()
}

func TestCloseWakesEveryoneAndIsIdempotent(t *testing.T) {
	r := newRunner(t)
	var waiters sync.WaitGroup
	for i := range 30 {
		waiters.Add(1)
		go func() {
			defer waiters.Done()
			var err error
			switch i % 3 {
			case 0:
				_, err = r.Run(base(t), "test.never", nil)
			case 1:
				_, err = r.Run(soon(t), "test.never", nil)
			case 2:
				var token *palitra.Token
				if token, err = r.Submit(base(t), "test.never", nil); err == nil {
					_, err = token.Wait(base(t))
					token.Close()
				}
			}
			wantIs(t, err, palitra.ErrCancelled)
		}()
	}
	eventually(t, "all are in flight", func() bool {
		stats, _ := r.Stats()
		return stats.Running == 30
	})
	for range 3 {
		waiters.Add(1)
		go func() {
			defer waiters.Done()
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	waiters.Wait()
	if err := r.Close(); err != nil {
		t.Error("again:", err)
	}
	_, err := r.Stats()
	wantIs(t, err, palitra.ErrInvalidHandle)
	if r.IsAlive() {
		t.Error("still alive")
	}
}

func TestTokensOutliveTheirRunner(t *testing.T) {
	r := newRunner(t)
	done := submit(t, r, "palitra.echo", "kept")
	if _, err := done.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if reply, err := done.Wait(soon(t)); err != nil || reply.String() != "kept" {
		t.Error(reply, err)
	}
}

func TestForgottenRunnerIsClosed(t *testing.T) {
	func() {
		r, err := palitra.New(palitra.WithThreadName("forgotten"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Run(base(t), "palitra.echo", nil); err != nil {
			t.Fatal(err)
		}
		eventually(t, "its thread and its watchdog have the name", func() bool { return threads(t, "forgotten") == 2 })
		runtime.KeepAlive(r)
	}()
	eventually(t, "the threads are gone", func() bool {
		runtime.GC()
		return threads(t, "forgotten") == 0
	})
}

func TestRunnerInUseIsNotForgotten(t *testing.T) {
	sleep := []byte(`{"seconds": 0.2}`)
	for name, use := range map[string]func(r *palitra.Runner) error{
		"Run": func(r *palitra.Runner) error {
			_, err := r.Run(base(t), "palitra.sleep", sleep)
			return err
		},
		"Run with a context": func(r *palitra.Runner) error {
			_, err := r.Run(soon(t), "palitra.sleep", sleep)
			return err
		},
		"Wait": func(r *palitra.Runner) error {
			token, err := r.Submit(base(t), "palitra.sleep", sleep)
			if err == nil {
				_, err = token.Wait(base(t))
			}
			return err
		},
	} {
		used := make(chan error)
		func() {
			r, err := palitra.New(palitra.WithThreadName("in use"))
			if err != nil {
				t.Fatal(err)
			}
			go func() { used <- use(r) }()
		}()
		for range 10 {
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
		if err := <-used; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		eventually(t, "the threads are gone", func() bool {
			runtime.GC()
			return threads(t, "in use") == 0
		})
	}
}

func TestForgottenTokenIsFreed(t *testing.T) {
	r := newRunner(t)
	streams := count(t, r, "test.streams")
	func() {
		token, err := r.Submit(base(t), "test.stream", []byte(`{"items": 1000000}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := token.Next(soon(t)); err != nil {
			t.Fatal(err)
		}
	}()
	if count(t, r, "test.streams") != streams+1 {
		t.Fatal("no stream runs")
	}
	// A job whose items nobody can read any more ends.
	eventually(t, "the stream ended", func() bool {
		runtime.GC()
		return count(t, r, "test.streams") == streams
	})
}

func TestGlobalRunnerIsSharedAndMadeAnew(t *testing.T) {
	first, err := palitra.Global()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := palitra.Global(); err != nil || again != first {
		t.Error("another global runner:", err)
	}
	if !palitra.IsRunnerAlive() || !first.IsAlive() {
		t.Error("not alive")
	}
	if reply, err := first.Run(soon(t), "palitra.echo", []byte("g")); err != nil || reply.String() != "g" {
		t.Error(reply, err)
	}
	token := submit(t, first, "test.never", "")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	wantIs(t, palitra.ShutdownGlobalRunner(ctx), context.Canceled)
	_, err = token.Wait(soon(t))
	wantIs(t, err, palitra.ErrCancelled)
	_, err = first.Run(soon(t), "palitra.echo", nil)
	wantIs(t, err, palitra.ErrShutDown)
	if palitra.IsRunnerAlive() {
		t.Error("still alive")
	}
	if err := palitra.ShutdownGlobalRunner(soon(t)); err != nil {
		t.Error("again:", err)
	}
	second, err := palitra.Global()
	if err != nil || second == first {
		t.Fatal("no new global runner:", err)
	}
	if _, err := second.Run(soon(t), "palitra.echo", nil); err != nil {
		t.Error(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if third, err := palitra.Global(); err != nil || third != second || !third.IsAlive() {
		t.Error("closed for everybody:", err)
	}
	if _, err := second.Run(soon(t), "test.nested", nil); err != nil {
		t.Error(err)
	}
	if err := palitra.ShutdownGlobalRunner(soon(t)); err != nil {
		t.Error(err)
	}
}
