//go:build palitra_test_jobs

package palitra_test

// Promise 6: callbacks run once.

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

func TestCallbackIsCalledOnceWithTheStatus(t *testing.T) {
	r := newRunner(t)
	for _, c := range []struct {
		job  string
		want palitra.Status
	}{{"palitra.echo", palitra.StatusOK}, {"test.panic_later", palitra.StatusJobPanicked}} {
		token := submit(t, r, c.job, "x")
		called := make(chan palitra.Status, 10)
		tell := func(same *palitra.Token, status palitra.Status) {
			if same != token {
				t.Error("another token")
			}
			if _, err := same.Poll(); palitra.StatusOf(err) != status {
				t.Error("polled in the callback:", err)
			}
			called <- status
		}
		for range 2 { // Once perhaps before it has finished, and once after.
			if err := token.OnComplete(tell); err != nil {
				t.Fatal(err)
			}
			if status := <-called; status != c.want {
				t.Error(status)
			}
		}
		if len(called) != 0 {
			t.Error("called again")
		}
	}
}

func TestCallbackCannotWaitForItsOwnRunner(t *testing.T) {
	r := newRunner(t)
	other := newRunner(t)
	never := submit(t, r, "test.never", "")
	stream := submit(t, r, "test.stream", `{"items": 0, "forever": true}`)
	done := submit(t, r, "palitra.echo", "done")
	if _, err := done.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	results := make(chan error, 10)
	within := base(t)
	err := submit(t, r, "palitra.echo", "x").OnComplete(func(*palitra.Token, palitra.Status) {
		defer close(results)
		_, err := never.Wait(within)
		results <- err
		_, err = stream.Next(within)
		results <- err
		_, err = r.Run(within, "palitra.echo", nil)
		results <- err
		_, err = palitra.Gather(within, never)
		results <- err
		// Nobody still writes to what was returned, as the race detector would see.
		replies, err := palitra.GatherFailFast(within, append(slices.Repeat([]*palitra.Token{done}, 100), never)...)
		_ = fmt.Sprint(replies)
		results <- err
		results <- r.Shutdown(within)
		// What does not wait for this runner is allowed.
		if _, err := done.Wait(within); err != nil {
			t.Error("a job that has finished:", err)
		}
		if _, err := other.Run(within, "test.nested", []byte("x")); err != nil {
			t.Error("another runner's job:", err)
		}
		if token, err := r.Submit(within, "palitra.echo", nil); err != nil {
			t.Error("submitting:", err)
		} else {
			token.Close()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for err := range results {
		wantIs(t, err, palitra.ErrWouldDeadlock)
		n++
	}
	if n != 6 {
		t.Errorf("%d errors", n)
	}
	// The same calls outside of the callback wait.
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = never.Wait(ctx)
	wantIs(t, err, palitra.ErrPending)
	never.Cancel()
	stream.Cancel()
}

// The dispatcher may hear of the ends later than the callback, which must not notice.
func TestCallbackFindsOverWhatHasFinished(t *testing.T) {
	r := newRunner(t)
	for range 500 {
		before := submit(t, r, "palitra.echo", "x")
		token := submit(t, r, "palitra.echo", "x")
		trouble := make(chan error, 1)
		err := token.OnComplete(func(token *palitra.Token, _ palitra.Status) {
			_, gathered := palitra.GatherFailFast(base(t), before, token)
			_, waited := token.Wait(base(t))
			select {
			case <-token.Done():
			default:
				waited = errors.New("not done")
			}
			trouble <- errors.Join(waited, gathered)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-trouble; err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunnerMayBeClosedInACallback(t *testing.T) {
	r := newRunner(t, palitra.WithThreadName("self-closed"))
	var own []string
	eventually(t, "its thread and its watchdog have the name", func() bool {
		own = tasks(t, "self-closed")
		return len(own) == 2
	})
	never := submit(t, r, "test.never", "")
	closed := make(chan error, 1)
	err := submit(t, r, "palitra.echo", "").OnComplete(func(*palitra.Token, palitra.Status) { closed <- r.Close() })
	if err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	_, err = never.Wait(soon(t))
	wantIs(t, err, palitra.ErrCancelled)
	eventually(t, "both threads are gone", func() bool {
		// Not how many have the name: a thread that Go begins in a callback gets that of the callback's thread.
		there := tasks(t, "self-closed")
		return !slices.ContainsFunc(own, func(task string) bool { return slices.Contains(there, task) })
	})
}

func TestCallbackIsFreedWhateverBecomesOfIt(t *testing.T) {
	r := newRunner(t)
	var collected, called atomic.Int32
	register := func(token *palitra.Token) error {
		large := new([1 << 10]byte)
		runtime.AddCleanup(large, func(*int) { collected.Add(1) }, nil)
		return token.OnComplete(func(*palitra.Token, palitra.Status) { called.Add(int32(large[0]) + 1) })
	}
	never := submit(t, r, "test.never", "")
	if err := register(never); err != nil {
		t.Fatal(err)
	}
	never.Close() // Unregisters the callback.
	ended := newRunner(t)
	late := submit(t, ended, "palitra.echo", "")
	if err := ended.Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	wantIs(t, register(late), palitra.ErrShutDown)
	if err := register(submit(t, r, "palitra.echo", "")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all three are collected", func() bool {
		runtime.GC()
		return collected.Load() == 3
	})
	if called.Load() != 1 {
		t.Errorf("%d calls", called.Load())
	}
	wantIs(t, submit(t, r, "palitra.echo", "").OnComplete(nil), palitra.ErrInvalidArgument)
}
