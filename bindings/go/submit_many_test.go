//go:build palitra_test_jobs

package palitra_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

func closeAll(t testing.TB, tokens []*palitra.Token) {
	t.Cleanup(func() {
		for _, token := range tokens {
			token.Close()
		}
	})
}

func times(n int, job string) []palitra.Submission {
	jobs := make([]palitra.Submission, n)
	for i := range jobs {
		jobs[i] = palitra.Submission{Job: job, Payload: []byte(strconv.Itoa(i))}
	}
	return jobs
}

func TestSubmitManySubmitsJobsInOrder(t *testing.T) {
	r := newRunner(t)
	jobs := times(500, "palitra.echo")
	for i := 0; i < len(jobs); i += 7 {
		jobs[i].Job = "test.nested"
	}
	tokens, err := r.SubmitMany(context.Background(), jobs)
	if err != nil || len(tokens) != len(jobs) {
		t.Fatal(len(tokens), err)
	}
	closeAll(t, tokens)
	replies, err := palitra.Gather(soon(t), tokens...)
	if err != nil {
		t.Fatal(err)
	}
	for i, reply := range replies {
		if reply.String() != strconv.Itoa(i) || tokens[i].Job() != jobs[i].Job {
			t.Fatalf("job %d, %s, returned %q", i, tokens[i].Job(), reply)
		}
	}
	if tokens, err := r.SubmitMany(context.Background(), nil); len(tokens) != 0 || err != nil {
		t.Error(tokens, err)
	}
}

func TestSubmitManyStopsAtTheFirstThatIsRefused(t *testing.T) {
	r := newRunner(t, palitra.WithMaxInFlight(3), palitra.WithMaxPayload(10))
	for _, refused := range []struct {
		job   palitra.Submission
		error error
	}{
		{palitra.Submission{Job: "palitra.ech"}, palitra.ErrUnknownJob},
		{palitra.Submission{Job: "palitra\x00echo"}, palitra.ErrUnknownJob},
		{palitra.Submission{Job: "palitra.echo", Payload: []byte(strings.Repeat("x", 11))}, palitra.ErrTooLarge},
	} {
		jobs := times(5, "palitra.echo")
		jobs[2] = refused.job
		tokens, err := r.SubmitMany(context.Background(), jobs)
		wantIs(t, err, refused.error)
		if len(tokens) != 2 {
			t.Fatal(len(tokens), "tokens")
		}
		closeAll(t, tokens)
		if _, err := palitra.Gather(soon(t), tokens...); err != nil {
			t.Error(err)
		}
		jobs[0] = refused.job
		tokens, err = r.SubmitMany(context.Background(), jobs)
		wantIs(t, err, refused.error)
		if len(tokens) != 0 {
			t.Error(len(tokens), "tokens")
		}
	}
	tokens, err := r.SubmitMany(context.Background(), times(5, "test.never"))
	closeAll(t, tokens)
	wantIs(t, err, palitra.ErrBusy)
	if len(tokens) != 3 {
		t.Error(len(tokens), "tokens")
	}
}

func TestSubmitManyHasTheContextAndTheOptionsOfEachJob(t *testing.T) {
	r := newRunner(t)
	ctx, cancel := context.WithCancel(context.Background())
	tokens, err := r.SubmitMany(ctx, times(3, "test.never"))
	if err != nil {
		t.Fatal(err)
	}
	closeAll(t, tokens)
	cancel()
	for _, token := range tokens {
		_, err := token.Wait(soon(t))
		wantIs(t, err, palitra.ErrCancelled)
		wantIs(t, err, context.Canceled)
	}
	_, err = r.SubmitMany(ctx, times(3, "test.never"))
	wantIs(t, err, context.Canceled)
	tokens, err = r.SubmitMany(context.Background(), times(3, "test.never"), palitra.WithDeadline(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	closeAll(t, tokens)
	for _, token := range tokens {
		_, err := token.Wait(soon(t))
		wantIs(t, err, palitra.ErrDeadline)
	}
}
