//go:build palitra_test_jobs

package palitra_test

import (
	"context"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

// A deadline of one run holds for a job that blocks a thread, too: the calling thread does not poll it then.
func TestRunTakesADeadline(t *testing.T) {
	for name, ctx := range both(t) {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t)
			soonOver := palitra.WithDeadline(20 * time.Millisecond)
			_, err := r.Run(ctx, "test.never", nil, soonOver)
			wantIs(t, err, palitra.ErrDeadline)
			wantIs(t, err, context.DeadlineExceeded)
			_, err = palitra.RunJSON[any](ctx, r, "test.spin", map[string]float64{"seconds": 0.3}, soonOver)
			wantIs(t, err, palitra.ErrDeadline)
			var sleep palitra.Job[map[string]float64, any] = "palitra.sleep"
			_, err = sleep.Run(ctx, r, map[string]float64{"seconds": 60}, soonOver)
			wantIs(t, err, palitra.ErrDeadline)
			if reply, err := r.Run(ctx, "palitra.echo", []byte("kept"), palitra.WithDeadline(time.Minute)); err != nil ||
				reply.String() != "kept" {
				t.Error(reply, err)
			}
			// The end of the runner waits no longer than a second for the one that blocks its thread.
			eventually(t, "the jobs have ended", func() bool {
				stats, err := r.Stats()
				return err == nil && stats.Running == 0
			})
		})
	}
}

func TestStreamItemsBoundWhatWaitsForAReader(t *testing.T) {
	r := newRunner(t)
	sentTo := func(opts ...palitra.SubmitOption) uint64 {
		token := submit(t, r, "test.stream", `{"items": 100000}`, opts...)
		var before, sent uint64
		eventually(t, "the job waits for a reader", func() bool {
			before = sent
			time.Sleep(5 * time.Millisecond)
			sent, _, _ = token.Progress()
			return sent > 0 && sent == before
		})
		token.Cancel()
		return sent
	}
	// The job has sent the first item that finds no room, and waits in that.
	if usual, few, many := sentTo(), sentTo(palitra.WithStreamItems(1)), sentTo(palitra.WithStreamItems(500)); few >= usual ||
		usual >= many || many < 500 {
		t.Errorf("%d, %d and %d items were sent to nobody", few, usual, many)
	}
	for _, n := range []int{-1, 0, 65537, 1 << 40} {
		wrong := palitra.WithStreamItems(n)
		_, err := r.Submit(base(t), "test.stream", []byte(`{"items": 1}`), wrong)
		wantIs(t, err, palitra.ErrInvalidArgument)
		_, err = r.SubmitMany(base(t), []palitra.Submission{{Job: "palitra.echo"}}, wrong)
		wantIs(t, err, palitra.ErrInvalidArgument)
		_, err = r.Run(base(t), "palitra.echo", nil, wrong)
		wantIs(t, err, palitra.ErrInvalidArgument)
	}
}
