//go:build palitra_test_jobs

package palitra_test

// Promise 1: a token finishes exactly once.
// Promise 3: timeouts and deadlines hold.

import (
	"context"
	"errors"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

func TestWhatWasPolledIsReturnedWhateverTheContext(t *testing.T) {
	r := newRunner(t)
	ended, end := context.WithCancel(context.Background())
	end()
	for range 1000 {
		token := submit(t, r, "palitra.echo", "x")
		for palitra.StatusOf(second(token.Poll())) == palitra.StatusPending {
		}
		if reply, err := token.Wait(ended); err != nil || reply.String() != "x" {
			t.Fatal(reply, err)
		}
	}
}

func TestWaitGivesUpAndTheJobRunsOn(t *testing.T) {
	r := newRunner(t)
	token := submit(t, r, "palitra.sleep", `{"seconds": 0.1}`)
	_, err := token.Poll()
	wantIs(t, err, palitra.ErrPending)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	_, err = token.Wait(ctx)
	wantIs(t, err, palitra.ErrPending)
	wantIs(t, err, context.DeadlineExceeded)
	if reply, err := token.Wait(soon(t)); err != nil || reply.String() != `{"seconds":0.1}` {
		t.Error(reply, err)
	}
	select {
	case <-token.Done():
	default:
		t.Error("waited for, but not done")
	}
	// The reply of a finished job is returned whatever the context.
	for range 100 {
		if _, err := token.Wait(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCancelFinishesTheTokenAndDropsTheJob(t *testing.T) {
	r := newRunner(t)
	dropped := count(t, r, "test.drops")
	token := submit(t, r, "test.never", "")
	if err := token.Cancel(); err != nil {
		t.Fatal(err)
	}
	_, err := token.Wait(soon(t))
	wantIs(t, err, palitra.ErrCancelled)
	if errors.Is(err, context.Canceled) || errors.Is(err, palitra.ErrClosed) {
		t.Error("neither the context nor the runner ended it:", err)
	}
	eventually(t, "the job ended", func() bool {
		stats, _ := r.Stats()
		return stats.Running+stats.Queued == 0
	})
	if n := count(t, r, "test.drops"); n > dropped+1 {
		t.Errorf("%d were dropped", n-dropped)
	}
	if err := token.Cancel(); err != nil {
		t.Error("a finished job:", err)
	}
}

func TestDeadlineEndsTheJobWhetherOrNotAnyoneWaits(t *testing.T) {
	r := newRunner(t)
	token := submit(t, r, "test.never", "", palitra.WithDeadline(10*time.Millisecond))
	eventually(t, "the deadline passed", func() bool {
		_, err := token.Poll()
		return errors.Is(err, palitra.ErrDeadline)
	})
	_, err := token.Wait(soon(t))
	wantIs(t, err, context.DeadlineExceeded)
	if errors.Is(err, palitra.ErrPending) {
		t.Error("the deadline is taken for the wait's end")
	}
	for _, passed := range []time.Duration{0, -time.Second} {
		_, err := submit(t, r, "test.never", "", palitra.WithDeadline(passed)).Wait(soon(t))
		wantIs(t, err, palitra.ErrDeadline)
	}
}

func TestSubmitsContextCancelsTheJob(t *testing.T) {
	r := newRunner(t)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	token, err := r.Submit(ctx, "test.never", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer token.Close()
	other := submit(t, r, "test.never", "")
	cancel(reason)
	_, err = token.Wait(soon(t))
	wantIs(t, err, palitra.ErrCancelled)
	wantIs(t, err, reason)
	_, err = other.Poll()
	wantIs(t, err, palitra.ErrPending)
	other.Cancel()
}

func TestSubmitsContextCancelsTheJobOfAClosedToken(t *testing.T) {
	r := newRunner(t)
	dropped := count(t, r, "test.drops")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	token, err := r.Submit(ctx, "test.never", nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job began", func() bool {
		stats, _ := r.Stats()
		return stats.Running == 1
	})
	token.Close()
	if count(t, r, "test.drops") != dropped {
		t.Error("closing cancelled")
	}
	cancel()
	eventually(t, "the job was dropped", func() bool { return count(t, r, "test.drops") == dropped+1 })
}

func TestCloseOfATokenWakesWhoeverWaits(t *testing.T) {
	r := newRunner(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, ctx := range []context.Context{context.Background(), ctx} {
		token, err := r.Submit(ctx, "test.never", nil)
		if err != nil {
			t.Fatal(err)
		}
		waited := make(chan error, 2)
		go func() {
			_, err := token.Wait(soon(t))
			waited <- err
		}()
		go func() {
			_, err := token.Next(soon(t))
			waited <- err
		}()
		time.Sleep(5 * time.Millisecond)
		for range 2 {
			if err := token.Close(); err != nil {
				t.Error(err)
			}
		}
		wantIs(t, <-waited, palitra.ErrInvalidHandle)
		wantIs(t, <-waited, palitra.ErrInvalidHandle)
		_, err = token.Poll()
		wantIs(t, err, palitra.ErrInvalidHandle)
		_, err = token.Wait(soon(t))
		wantIs(t, err, palitra.ErrInvalidHandle)
		_, _, err = token.Progress()
		wantIs(t, err, palitra.ErrInvalidHandle)
		wantIs(t, token.Cancel(), palitra.ErrInvalidHandle)
		wantIs(t, token.OnComplete(func(*palitra.Token, palitra.Status) {}), palitra.ErrInvalidHandle)
	}
}

// What closing a pending token does, also if its context may still have to cancel the job.
func TestCloseSilencesCallbacksAndEndsStreams(t *testing.T) {
	for name, ctx := range both(t) {
		r := newRunner(t)
		streams := count(t, r, "test.streams")
		token, err := r.Submit(ctx, "palitra.sleep", []byte(`{"seconds": 0.1}`))
		if err != nil {
			t.Fatal(err)
		}
		called := make(chan palitra.Status, 1)
		if err := token.OnComplete(func(_ *palitra.Token, status palitra.Status) { called <- status }); err != nil {
			t.Fatal(err)
		}
		token.Close()
		for _, read := range []int{0, 1, 100} {
			stream, err := r.Submit(ctx, "test.stream", []byte(`{"items": 1000000}`))
			if err != nil {
				t.Fatal(err)
			}
			for range read {
				if _, err := stream.Next(soon(t)); err != nil {
					t.Fatal(err)
				}
			}
			stream.Close()
		}
		eventually(t, "the streams ended under a context "+name, func() bool {
			return count(t, r, "test.streams") == streams
		})
		eventually(t, "all have ended under a context "+name, func() bool {
			stats, _ := r.Stats()
			return stats.Running+stats.Queued == 0
		})
		// A callback would have been called before the reply of a job that starts after it was due.
		if _, err := r.Run(base(t), "test.nested", nil); err != nil {
			t.Error(err)
		}
		select {
		case status := <-called:
			t.Errorf("a callback was called after Close, with %v, under a context %s", status, name)
		default:
		}
		eventually(t, "the dispatcher forgot them", func() bool { return r.Waiting() == 0 })
	}
}

func TestCallbackAndPollAgreeOnTheContextsDeadline(t *testing.T) {
	r := newRunner(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	token, err := r.Submit(ctx, "test.never", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer token.Close()
	called := make(chan palitra.Status, 1)
	if err := token.OnComplete(func(_ *palitra.Token, status palitra.Status) { called <- status }); err != nil {
		t.Fatal(err)
	}
	if status := <-called; status != palitra.StatusDeadline {
		t.Error("called with", status)
	}
	_, err = token.Poll()
	wantIs(t, err, palitra.ErrDeadline)
	// Who cancels calls callbacks first and then posts the event.
	_, err = token.Wait(soon(t))
	wantIs(t, err, palitra.ErrDeadline)
	eventually(t, "the dispatcher was notified", func() bool { return r.Waiting() == 0 })
}

func TestTimeoutsSaySo(t *testing.T) {
	r := newRunner(t)
	timesOut := func(err error) bool {
		var timeout interface{ Timeout() bool }
		return errors.As(err, &timeout) && timeout.Timeout()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	never := submit(t, r, "test.never", "")
	_, ran := r.Run(ctx, "test.never", nil)
	_, waited := never.Wait(ctx)
	_, late := submit(t, r, "test.never", "", palitra.WithDeadline(0)).Wait(soon(t))
	for _, err := range []error{ran, waited, late, palitra.ErrDeadline} {
		if !timesOut(err) {
			t.Errorf("%v is no timeout", err)
		}
	}
	never.Cancel()
	_, cancelled := never.Wait(soon(t))
	for _, err := range []error{cancelled, palitra.ErrBusy} {
		if timesOut(err) {
			t.Errorf("%v is a timeout", err)
		}
	}
}

func TestProgressIsTold(t *testing.T) {
	r := newRunner(t)
	token := submit(t, r, "test.progress", `{"steps": [[1, 4], [3, 4]], "finish": true}`)
	if _, err := token.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	if done, total, err := token.Progress(); err != nil || done != 3 || total != 4 {
		t.Error(done, total, err)
	}
}

func TestGatherKeepsTheOrder(t *testing.T) {
	r := newRunner(t)
	slow := submit(t, r, "palitra.sleep", `{"seconds": 0.05}`)
	fast := submit(t, r, "palitra.echo", "fast")
	replies, err := palitra.Gather(soon(t), slow, fast)
	if err != nil || replies[0].String() != `{"seconds":0.05}` || replies[1].String() != "fast" {
		t.Error(replies, err)
	}
	if replies, err := palitra.Gather(soon(t)); err != nil || len(replies) != 0 {
		t.Error(replies, err)
	}
	if replies, err := palitra.GatherFailFast(soon(t), slow, fast); err != nil || replies[1].String() != "fast" {
		t.Error(replies, err)
	}
}

func TestGatherWaitsForAllAndTellsTheFirstInOrder(t *testing.T) {
	r := newRunner(t)
	late := submit(t, r, "test.panic_later", "late")
	early := submit(t, r, "test.fail", `{"code": 1, "message": "early"}`)
	good := submit(t, r, "palitra.echo", "good")
	replies, err := palitra.Gather(soon(t), late, good, early)
	if palitra.StatusOf(err) != palitra.StatusJobPanicked {
		t.Error(err)
	}
	wantIs(t, err, palitra.ErrJobFailed)
	var failed *palitra.JobError
	if !errors.As(err, &failed) || failed.Code != 1 {
		t.Error(err)
	}
	if len(replies) != 3 || replies[1].String() != "good" {
		t.Error(replies)
	}
}

func TestGatherPastItsContextAnswersWhatIsThere(t *testing.T) {
	r := newRunner(t)
	done := submit(t, r, "palitra.echo", "done")
	never := submit(t, r, "test.never", "")
	if _, err := done.Wait(soon(t)); err != nil {
		t.Fatal(err)
	}
	type gather func(context.Context, ...*palitra.Token) ([]palitra.Reply, error)
	for _, gather := range []gather{palitra.Gather, palitra.GatherFailFast} {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		replies, err := gather(ctx, never, done)
		wantIs(t, err, palitra.ErrPending)
		wantIs(t, err, context.DeadlineExceeded)
		if replies[1].String() != "done" {
			t.Error(replies)
		}
	}
	_, err := never.Poll()
	wantIs(t, err, palitra.ErrPending)
	never.Cancel()
}

func TestGatherFailFastCancelsTheRest(t *testing.T) {
	r := newRunner(t)
	never := submit(t, r, "test.never", "")
	fails := submit(t, r, "test.panic_later", "first")
	_, err := palitra.GatherFailFast(soon(t), never, fails)
	wantIs(t, err, palitra.ErrJobPanicked)
	_, err = never.Wait(soon(t))
	wantIs(t, err, palitra.ErrCancelled)
}
