//go:build palitra_test_jobs

package palitra_test

// Jobs of the program's own.
//
// Promise 1: a token finishes exactly once.
// Promise 7: a panic ends its job and nothing else.

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

func register(t *testing.T, r *palitra.Runner, name string, function palitra.JobFunc) {
	t.Helper()
	if err := r.Register(name, function); err != nil {
		t.Fatal(err)
	}
}

func TestRegisteredJobIsCalledByNameAsAnyOther(t *testing.T) {
	for _, r := range []*palitra.Runner{newRunner(t), newRunner(t, palitra.WithWorkers(2))} {
		register(t, r, "go.upper", func(_ context.Context, call *palitra.Call) ([]byte, error) {
			call.Progress(1, 2)
			return []byte(strings.ToUpper(string(call.Payload))), nil
		})
		for _, ctx := range []context.Context{base(t), soon(t)} {
			if reply, err := r.Run(ctx, "go.upper", []byte("called")); err != nil || reply.String() != "CALLED" {
				t.Error(reply, err)
			}
			if reply, err := r.Run(ctx, "go.upper", nil); err != nil || reply.String() != "" {
				t.Error(reply, err)
			}
		}
	}
}

func TestRegisteredJobComesBeforeTheLibrarysForJobsInRustToo(t *testing.T) {
	r := newRunner(t)
	register(t, r, "palitra.echo", func(_ context.Context, call *palitra.Call) ([]byte, error) {
		return []byte("not " + string(call.Payload)), nil
	})
	if reply, err := r.Run(base(t), "test.nested", []byte("asked")); err != nil || reply.String() != "not asked" {
		t.Error(reply, err)
	}
	if reply, err := newRunner(t).Run(base(t), "palitra.echo", []byte("asked")); err != nil || reply.String() != "asked" {
		t.Error(reply, err)
	}
}

func TestRegisteredJobFailsAndPanicsAsGoDoes(t *testing.T) {
	r := newRunner(t)
	register(t, r, "go.fail", func(_ context.Context, call *palitra.Call) ([]byte, error) {
		switch string(call.Payload) {
		case "code":
			return nil, &palitra.JobError{Code: 7, Message: "no luck"}
		case "panic":
			panic("oh no")
		case "bytes":
			return nil, &palitra.JobError{Code: 8, Message: "no such file: caf\xe9"}
		}
		return nil, errors.New("no reason")
	})
	_, err := r.Run(base(t), "go.fail", []byte("code"))
	var failed *palitra.JobError
	if !errors.As(err, &failed) || failed.Code != 7 || failed.Message != "no luck" {
		t.Error(err)
	}
	_, err = r.Run(base(t), "go.fail", nil)
	if !errors.As(err, &failed) || failed.Code != 0 || failed.Message != "no reason" {
		t.Error(err)
	}
	_, err = r.Run(base(t), "go.fail", []byte("bytes"))
	if !errors.As(err, &failed) || failed.Code != 8 || failed.Message != "no such file: caf\uFFFD" {
		t.Error(err)
	}
	_, err = r.Run(base(t), "go.fail", []byte("panic"))
	wantIs(t, err, palitra.ErrJobPanicked)
	if !strings.Contains(err.Error(), "oh no") {
		t.Error(err)
	}
}

func TestContextOfARegisteredJobEndsWithItsJob(t *testing.T) {
	r := newRunner(t)
	begun, ended := make(chan bool, 3), make(chan error, 3)
	register(t, r, "go.wait", func(ctx context.Context, call *palitra.Call) ([]byte, error) {
		begun <- true
		<-ctx.Done()
		ended <- ctx.Err()
		wantIs(t, call.Send([]byte("nobody reads")), palitra.ErrCancelled)
		return nil, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := r.Run(ctx, "go.wait", nil)
	wantIs(t, err, context.DeadlineExceeded)
	token, err := r.Submit(base(t), "go.wait", nil)
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	<-begun
	token.Cancel()
	if _, err := r.Submit(base(t), "go.wait", nil); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		select {
		case err := <-ended:
			wantIs(t, err, context.Canceled)
		case <-soon(t).Done():
			t.Fatal("the context of a job did not end with it")
		}
	}
}

func TestRegisteredJobStreams(t *testing.T) {
	r := newRunner(t)
	register(t, r, "go.count", func(_ context.Context, call *palitra.Call) ([]byte, error) {
		for i := range byte(100) {
			if err := call.Send([]byte{i}); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	next := byte(0)
	for item, err := range r.Stream(base(t), "go.count", nil) {
		if err != nil || len(item.Data) != 1 || item.Data[0] != next {
			t.Fatal(item, err, next)
		}
		next++
	}
	if next != 100 {
		t.Error(next)
	}
}

// startFull submits a job that hands its call and its context over and runs until its context ends or it may return.
// There is room for one item, which it has sent.
func startFull(
	t *testing.T, r *palitra.Runner,
) (token *palitra.Token, call *palitra.Call, ctx context.Context, end func()) {
	t.Helper()
	type begun struct {
		call *palitra.Call
		ctx  context.Context
	}
	calls, mayReturn := make(chan begun, 1), make(chan struct{})
	register(t, r, "go.full", func(ctx context.Context, call *palitra.Call) ([]byte, error) {
		calls <- begun{call, ctx}
		select {
		case <-ctx.Done():
		case <-mayReturn:
		}
		return nil, ctx.Err()
	})
	token = submit(t, r, "go.full", "", palitra.WithStreamItems(1))
	b := <-calls
	if err := b.call.Send([]byte("first")); err != nil {
		t.Fatal(err)
	}
	return token, b.call, b.ctx, sync.OnceFunc(func() { close(mayReturn) })
}

// sendBehind sends an item that there is no room for, and returns what will have the error.
func sendBehind(call *palitra.Call) <-chan error {
	sent := make(chan error, 1)
	go func() { sent <- call.Send([]byte("behind")) }()
	time.Sleep(10 * time.Millisecond)
	return sent
}

func result(t *testing.T, of <-chan error) error {
	t.Helper()
	select {
	case err := <-of:
		return err
	case <-soon(t).Done():
		t.Fatal("it waits forever")
		return nil
	}
}

func TestSendThatWaitsEndsWithWhatItWaitsFor(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(r *palitra.Runner, token *palitra.Token, end func())
		status  []palitra.Status
	}{
		"an item is read": {func(_ *palitra.Runner, token *palitra.Token, _ func()) {
			_, _ = token.Next(soon(t))
		}, []palitra.Status{palitra.StatusOK}},
		"the job is cancelled": {func(_ *palitra.Runner, token *palitra.Token, _ func()) {
			_ = token.Cancel()
		}, []palitra.Status{palitra.StatusCancelled}},
		// Under a context that can end, Close makes room as it looks whether the job streams.
		"the reader leaves": {func(_ *palitra.Runner, token *palitra.Token, _ func()) {
			_ = token.Close()
		}, []palitra.Status{palitra.StatusEnd, palitra.StatusCancelled, palitra.StatusOK}},
		"the runner ends": {func(r *palitra.Runner, _ *palitra.Token, _ func()) {
			_ = r.Close()
		}, []palitra.Status{palitra.StatusCancelled}},
		"the function returns": {func(_ *palitra.Runner, _ *palitra.Token, end func()) {
			end()
		}, []palitra.Status{palitra.StatusEnd}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			token, call, _, end := startFull(t, r)
			defer end()
			sent := sendBehind(call)
			select {
			case err := <-sent:
				t.Fatal("it did not wait:", err)
			default:
			}
			c.happens(r, token, end)
			if err := result(t, sent); !slices.Contains(c.status, palitra.StatusOf(err)) {
				t.Errorf("%v, not one of %v", err, c.status)
			}
		})
	}
}

// A call that has waited for room is notified of its end in another way than one that has not.
func TestContextOfARegisteredJobThatHasWaitedToSendEndsWithItsJob(t *testing.T) {
	r := newRunner(t)
	token, call, ctx, end := startFull(t, r)
	defer end()
	sent := sendBehind(call)
	if item, err := token.Next(soon(t)); err != nil || item.String() != "first" {
		t.Error(item, err)
	}
	if err := result(t, sent); err != nil {
		t.Error(err)
	}
	if ctx.Err() != nil {
		t.Error(ctx.Err())
	}
	token.Cancel()
	select {
	case <-ctx.Done():
	case <-soon(t).Done():
		t.Error("the context of a job did not end with it")
	}
}

func TestSendInACallbackDoesNotWait(t *testing.T) {
	r := newRunner(t)
	token, call, _, end := startFull(t, r)
	defer end()
	inCallback := func() error {
		sent := make(chan error, 1)
		other := submit(t, r, "test.never", "")
		if err := other.OnComplete(func(*palitra.Token, palitra.Status) { sent <- call.Send(nil) }); err != nil {
			t.Fatal(err)
		}
		other.Cancel()
		return result(t, sent)
	}
	wantIs(t, inCallback(), palitra.ErrWouldDeadlock)
	sent := sendBehind(call)
	wantIs(t, inCallback(), palitra.ErrWouldDeadlock)
	token.Cancel()
	wantIs(t, result(t, sent), palitra.ErrCancelled)
}

func TestSeveralGoroutinesSendForOneJob(t *testing.T) {
	const senders, each = 8, 200
	r := newRunner(t)
	register(t, r, "go.many", func(_ context.Context, call *palitra.Call) ([]byte, error) {
		failures := make(chan error, senders)
		for sender := range byte(senders) {
			go func() {
				for i := range byte(each) {
					if err := call.Send([]byte{sender, i}); err != nil {
						failures <- err
						return
					}
				}
				failures <- nil
			}()
		}
		var err error
		for range senders {
			err = errors.Join(err, <-failures)
		}
		return nil, err
	})
	var next [senders]byte
	for item, err := range r.Stream(soon(t), "go.many", nil, palitra.WithStreamItems(2)) {
		if err != nil {
			t.Fatal(err)
		}
		if sender, i := item.Data[0], item.Data[1]; i != next[sender] {
			t.Fatalf("item %d of sender %d came in the place of %d", i, sender, next[sender])
		}
		next[item.Data[0]]++
	}
	for sender, n := range next {
		if n != each {
			t.Errorf("%d items of sender %d", n, sender)
		}
	}
}

// As TestPayloadMayLieBesidePointers, for what a job sends and what it returns.
func TestWhatARegisteredJobGivesMayLieBesidePointers(t *testing.T) {
	r := newRunner(t)
	register(t, r, "go.beside", func(_ context.Context, call *palitra.Call) ([]byte, error) {
		holder := struct {
			text [5]byte
			next *int
		}{[5]byte{'h', 'e', 'l', 'l', 'o'}, new(int)}
		return holder.text[:], call.Send(holder.text[:])
	})
	token := submit(t, r, "go.beside", "")
	if item, err := token.Next(soon(t)); err != nil || item.String() != "hello" {
		t.Error(item, err)
	}
	if reply, err := token.Wait(soon(t)); err != nil || reply.String() != "hello" {
		t.Error(reply, err)
	}
}

func TestRegistrationThatCannotBeIsRefused(t *testing.T) {
	r := newRunner(t)
	nothing := func(context.Context, *palitra.Call) ([]byte, error) { return nil, nil }
	register(t, r, "go.once", nothing)
	for _, name := range []string{"go.once", "", "a\x00b", "\xff"} {
		wantIs(t, r.Register(name, nothing), palitra.ErrInvalidArgument)
	}
	wantIs(t, r.Register("go.nil", nil), palitra.ErrInvalidArgument)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	wantIs(t, r.Register("go.late", nothing), palitra.ErrClosed)
}
