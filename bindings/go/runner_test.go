//go:build palitra_test_jobs

package palitra_test

// Promise 2: a job that is ready at once costs no hand-off.
// Promise 7: a panic ends its job and nothing else.
// Promise 11: bad input and limits return a status.
// Promise 12: several runners and libraries live in one process.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

func TestRunAnswersWhatTheJobLeft(t *testing.T) {
	r := newRunner(t)
	large := bytes.Repeat([]byte("payload"), 1<<20)
	for _, c := range []struct {
		job     string
		payload []byte
		want    string
		format  palitra.Format
	}{
		{"palitra.echo", []byte("hello"), "hello", palitra.Bytes},
		{"palitra.echo", nil, "", palitra.Bytes},
		{"palitra.echo", []byte{}, "", palitra.Bytes},
		{"palitra.echo", large, string(large), palitra.Bytes},
		{"palitra.sleep", []byte(`{"seconds": 0.01}`), `{"seconds":0.01}`, palitra.JSON},
		{"test.nested", []byte("inner"), "inner", palitra.Text},
	} {
		for _, ctx := range []context.Context{base(t), soon(t)} {
			reply, err := r.Run(ctx, c.job, c.payload)
			if err != nil || reply.String() != c.want || reply.Format != c.format {
				t.Errorf("%s: %.20q of %d, %v, %v", c.job, reply.Data, len(reply.Data), reply.Format, err)
			}
		}
	}
}

func TestPayloadMayLieBesidePointers(t *testing.T) {
	r := newRunner(t)
	holder := struct {
		text [5]byte
		next *int
	}{[5]byte{'h', 'e', 'l', 'l', 'o'}, new(int)}
	reply, err := r.Run(base(t), "palitra.echo", holder.text[:])
	if err != nil || reply.String() != "hello" {
		t.Error(reply, err)
	}
	token, err := r.Submit(base(t), "palitra.echo", holder.text[:])
	if err != nil {
		t.Fatal(err)
	}
	defer token.Close()
}

func TestRepliesAreTheCallersOwn(t *testing.T) {
	r := newRunner(t)
	token := submit(t, r, "palitra.echo", "hello")
	first, err := token.Wait(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	first.Data[0] = 'j'
	if second, err := token.Wait(soon(t)); err != nil || second.String() != "hello" {
		t.Error(second, err)
	}
}

func TestErrorsWorkWithIsAndAs(t *testing.T) {
	r := newRunner(t, palitra.WithMaxPayload(100), palitra.WithMaxInFlight(1), palitra.WithSpinLimit(0))
	ended := newRunner(t)
	if err := ended.Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	closed := newRunner(t)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		r       *palitra.Runner
		job     string
		payload string
		want    error
	}{
		{r, "no.such", "", palitra.ErrUnknownJob},
		{r, "", "", palitra.ErrUnknownJob},
		{r, "palitra.echo\x00", "", palitra.ErrUnknownJob},
		{r, strings.Repeat("long", 100), "", palitra.ErrUnknownJob},
		{r, "palitra.echo", strings.Repeat("x", 101), palitra.ErrTooLarge},
		{ended, "palitra.echo", "", palitra.ErrShutDown},
		{closed, "palitra.echo", "", palitra.ErrInvalidHandle},
	} {
		for _, ctx := range []context.Context{base(t), soon(t)} {
			_, err := c.r.Run(ctx, c.job, []byte(c.payload))
			wantIs(t, err, c.want)
			if err != nil && c.job != "" && !strings.Contains(err.Error(), c.job) {
				t.Errorf("%q does not name %s", err, c.job)
			}
		}
		_, err := c.r.Submit(base(t), c.job, []byte(c.payload))
		wantIs(t, err, c.want)
	}
	never := submit(t, r, "test.never", "")
	_, err := r.Run(base(t), "palitra.echo", nil)
	wantIs(t, err, palitra.ErrBusy)
	if status := palitra.StatusOf(err); status != palitra.StatusBusy || status.String() != "PALITRA_BUSY" {
		t.Error(status)
	}
	never.Cancel()
}

func TestRefusedPayloadIsAnErrorOfItsOwnAndAFailureToo(t *testing.T) {
	r := newRunner(t)
	for _, ctx := range []context.Context{base(t), soon(t)} {
		_, err := r.Run(ctx, "palitra.sleep", []byte("no json"))
		wantIs(t, err, palitra.ErrBadPayload)
		wantIs(t, err, palitra.ErrJobFailed)
		if status := palitra.StatusOf(err); status != palitra.StatusBadPayload {
			t.Error(status)
		}
		var failed *palitra.JobError
		if !errors.As(err, &failed) || !strings.Contains(failed.Message, "the payload does not fit") {
			t.Errorf("%#v", err)
		}
		_, err = r.Run(ctx, "test.fail", []byte(`{"code": 7, "message": "no luck"}`))
		if errors.Is(err, palitra.ErrBadPayload) {
			t.Error("a failure of the job's own is no bad payload")
		}
	}
}

func TestJobsOwnFailureCarriesItsDetails(t *testing.T) {
	r := newRunner(t)
	long := strings.Repeat("no luck ", 100)
	for _, ctx := range []context.Context{base(t), soon(t)} {
		for _, message := range []string{"no luck", long} {
			payload := fmt.Sprintf(`{"code": 7, "message": %q, "details": {"sqlstate": "23505"}}`, message)
			_, err := r.Run(ctx, "test.fail", []byte(payload))
			var failed *palitra.JobError
			if !errors.As(err, &failed) || failed.Message != message || string(failed.Details) != `{"sqlstate":"23505"}` {
				t.Errorf("%#v", err)
			}
		}
	}
}

func TestUnknownJobIsNamedWithTheNearest(t *testing.T) {
	r := newRunner(t)
	for _, ctx := range []context.Context{base(t), soon(t)} {
		_, err := r.Run(ctx, "palitra.ech", nil)
		wantIs(t, err, palitra.ErrUnknownJob)
		if text := err.Error(); !strings.Contains(text, "palitra.ech:") || !strings.Contains(text, "the nearest is palitra.echo") {
			t.Error(text)
		}
		_, err = r.Run(ctx, "no.such.job", nil)
		wantIs(t, err, palitra.ErrUnknownJob)
		if strings.Contains(err.Error(), "nearest") {
			t.Error(err)
		}
	}
}

func TestDeadlineThatHasPassedIsOne(t *testing.T) {
	r := newRunner(t)
	for _, late := range []time.Duration{0, -time.Second} {
		token, err := r.Submit(base(t), "test.never", nil, palitra.WithDeadline(late))
		if err != nil {
			t.Fatal(err)
		}
		_, err = token.Wait(soon(t))
		wantIs(t, err, palitra.ErrDeadline)
		token.Close()
	}
}

func TestJobsOwnFailureCarriesCodeAndMessage(t *testing.T) {
	r := newRunner(t)
	for _, ctx := range []context.Context{base(t), soon(t)} {
		_, err := r.Run(ctx, "test.fail", []byte(`{"code": 7, "message": "no luck"}`))
		var failed *palitra.JobError
		if !errors.As(err, &failed) || failed.Job != "test.fail" || failed.Code != 7 || failed.Message != "no luck" || failed.Details != nil {
			t.Errorf("%#v", err)
		}
		wantIs(t, err, palitra.ErrJobFailed)
		for _, job := range []string{"test.panic", "test.panic_later"} {
			_, err := r.Run(ctx, job, []byte("oh no"))
			var panicked *palitra.PanicError
			if !errors.As(err, &panicked) || panicked.Job != job || !strings.Contains(panicked.Message, "oh no") {
				t.Errorf("%#v", err)
			}
			wantIs(t, err, palitra.ErrJobPanicked)
		}
	}
	if reply, err := r.Run(soon(t), "palitra.echo", []byte("alive")); err != nil || reply.String() != "alive" {
		t.Error("after the panics:", reply, err)
	}
}

func TestContextCancelsTheJobAndReapsIt(t *testing.T) {
	r := newRunner(t)
	dropped := count(t, r, "test.drops")
	reason := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(10*time.Millisecond, func() { cancel(reason) })
	_, err := r.Run(ctx, "test.never", nil)
	wantIs(t, err, palitra.ErrCancelled)
	wantIs(t, err, context.Canceled)
	wantIs(t, err, reason)
	eventually(t, "the job was dropped", func() bool { return count(t, r, "test.drops") == dropped+1 })
	eventually(t, "the dispatcher was notified", func() bool { return r.Waiting() == 0 })
	eventually(t, "the job is counted as cancelled", func() bool {
		stats, err := r.Stats()
		return err == nil && stats.Running == 0 && stats.Cancelled == 1
	})
}

func TestContextsOwnErrorAndItsCauseAreInTheError(t *testing.T) {
	r := newRunner(t)
	reason := errors.New("too slow")
	ctx, cancel := context.WithTimeoutCause(context.Background(), 10*time.Millisecond, reason)
	defer cancel()
	never := submit(t, r, "test.never", "")
	_, ran := r.Run(ctx, "test.never", nil)
	_, waited := never.Wait(ctx)
	_, many := r.SubmitMany(ctx, times(2, "test.never"))
	wantIs(t, ran, palitra.ErrDeadline)
	wantIs(t, many, palitra.ErrDeadline)
	wantIs(t, waited, palitra.ErrPending)
	for _, err := range []error{ran, waited, many} {
		wantIs(t, err, context.DeadlineExceeded)
		wantIs(t, err, reason)
		if errors.Is(err, context.Canceled) {
			t.Error("nobody cancelled:", err)
		}
	}
	never.Cancel()
}

func TestContextsDeadlineHoldsForAJobThatNeverYields(t *testing.T) {
	r := newRunner(t)
	spin := func() time.Duration {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := r.Run(ctx, "test.spin", []byte(`{"seconds": 0.8}`))
		wantIs(t, err, context.DeadlineExceeded)
		wantIs(t, err, palitra.ErrDeadline)
		return time.Since(began)
	}
	// On a busy machine it may come late once, but not each time.
	took := spin()
	for i := 0; i < 2 && took > 600*time.Millisecond; i++ {
		took = spin()
	}
	if took > 600*time.Millisecond {
		t.Errorf("returned after %v", took)
	}
}

// Promise 2: a job that is ready at once costs no hand-off.
func TestBoundedRunPollsAnInlineJobHere(t *testing.T) {
	r := newRunner(t)
	holding := submit(t, r, "test.hold", `{"seconds": 60}`)
	bounds := map[string]func() (context.Context, context.CancelFunc){
		"cancel": func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) },
		"timeout": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), patience)
		},
	}
	for name, bounded := range bounds {
		ctx, cancel := bounded()
		reply, err := r.Run(ctx, "palitra.echo", []byte("ready"))
		if err != nil || reply.String() != "ready" {
			t.Error(name, reply, err)
		}
		var failed *palitra.JobError
		if _, err := r.Run(ctx, "palitra.sleep", []byte("[]")); !errors.As(err, &failed) {
			t.Error(name, err)
		}
		time.AfterFunc(10*time.Millisecond, cancel)
		_, err = r.Run(ctx, "palitra.sleep", []byte(`{"seconds": 60}`))
		wantIs(t, err, context.Canceled)
	}
	// Without the author's word a job waits for the runner's thread, and its context does not.
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := r.Run(ctx, "test.ready", nil)
	wantIs(t, err, context.DeadlineExceeded)
	_, err = holding.Poll()
	wantIs(t, err, palitra.ErrPending)
	if _, err := r.Run(soon(t), "test.let_go", nil); err != nil {
		t.Error(err)
	}
	if _, err := holding.Wait(soon(t)); err != nil {
		t.Error(err)
	}
}

// A reply that is there is a reply.
func TestInlineJobThatIsReadyLateReturnsItsReply(t *testing.T) {
	r := newRunner(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := r.Run(ctx, "test.inline_hold", []byte(`{"seconds": 0.2, "pends": false}`)); err != nil {
		t.Error(err)
	}
	late, cancelLate := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancelLate()
	_, err := r.Run(late, "test.inline_hold", []byte(`{"seconds": 0.2, "pends": true}`))
	wantIs(t, err, context.DeadlineExceeded)
}

func TestDoneContextRunsNothing(t *testing.T) {
	r := newRunner(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.Run(ctx, "palitra.echo", nil)
	wantIs(t, err, context.Canceled)
	_, err = r.Submit(ctx, "palitra.echo", nil)
	wantIs(t, err, context.Canceled)
	if stats, _ := r.Stats(); stats.Submitted != 0 {
		t.Errorf("%+v", stats)
	}
}

func TestManyGoroutinesShareARunner(t *testing.T) {
	for _, workers := range []int{0, 2} {
		r := newRunner(t, palitra.WithWorkers(workers), palitra.WithThreadName("shared"))
		var all sync.WaitGroup
		for range 50 {
			all.Add(1)
			go func() {
				defer all.Done()
				for range 20 {
					if reply, err := r.Run(soon(t), "test.nested", []byte("x")); err != nil || reply.String() != "x" {
						t.Error(reply, err)
					}
					if reply, err := r.Run(base(t), "test.nested", []byte("y")); err != nil || reply.String() != "y" {
						t.Error(reply, err)
					}
				}
			}()
		}
		all.Wait()
		// A worker posts the event of an end before it counts it.
		eventually(t, "all jobs are counted as ended", func() bool {
			stats, err := r.Stats()
			if err != nil || stats.Threads != 1+workers {
				t.Fatalf("%+v, %v", stats, err)
			}
			return stats.Running+stats.Queued == 0 && stats.Submitted == 4000
		})
	}
}

func TestOptionsThatCannotBeMeant(t *testing.T) {
	for _, opt := range []palitra.Option{
		palitra.WithWorkers(-1), palitra.WithWorkers(5000), palitra.WithWorkers(1 << 40), palitra.WithBlockingThreads(-1),
		palitra.WithStackSize(1), palitra.WithMaxInFlight(-1), palitra.WithMaxPayload(-1), palitra.WithThreadName("\xff"),
		palitra.WithThreadName("a\x00b"), palitra.WithSpinLimit(-1), palitra.WithSpinLimit(time.Second),
	} {
		r, err := palitra.New(opt)
		wantIs(t, err, palitra.ErrInvalidArgument)
		if r != nil {
			r.Close()
		}
	}
}

func TestConfigurationOfTheProcessIsForTheRunnersThatAreMadeAfterIt(t *testing.T) {
	text := func(opts ...palitra.Option) string {
		reply, err := newRunner(t, opts...).Run(base(t), "test.configured", nil)
		if err != nil {
			return err.Error()
		}
		return reply.String()
	}
	config := func(text string) any { return map[string]any{"test.configured": map[string]string{"text": text}} }
	if err := palitra.Configure(config("of all")); err != nil {
		t.Fatal(err)
	}
	if got := text(); got != "of all" {
		t.Error(got)
	}
	if got := text(palitra.WithConfig(config("own"))); got != "own" {
		t.Error(got)
	}
	wantIs(t, palitra.Configure([]int{1}), palitra.ErrInvalidArgument)
	wantIs(t, palitra.Configure(func() {}), palitra.ErrInvalidArgument)
	_, err := palitra.New(palitra.WithConfig(func() {}))
	wantIs(t, err, palitra.ErrInvalidArgument)
	if err := palitra.Configure(nil); err != nil {
		t.Fatal(err)
	}
	if got := text(); !strings.Contains(got, "missing field `text`") {
		t.Error(got)
	}
}

func TestJobsAreListed(t *testing.T) {
	found := map[string]palitra.JobInfo{}
	for _, job := range palitra.Jobs() {
		found[job.Name] = job
	}
	sleep := found["palitra.sleep"]
	if sleep.Input != palitra.JSON || sleep.Output != palitra.JSON || sleep.Doc == "" {
		t.Errorf("%+v", sleep)
	}
	if _, custom := found["test.never"]; !custom {
		t.Error("the library that CGO_LDFLAGS names is not the one that is linked")
	}
	if palitra.Version() == "" {
		t.Error("no version")
	}
}

func TestJobsAreDescribedInFull(t *testing.T) {
	type described struct {
		Name    string
		Payload struct {
			Format string
			Schema struct{ Title string }
		}
	}
	text, err := palitra.DescribeJob("typed.price")
	var price described
	if err != nil || json.Unmarshal(text, &price) != nil {
		t.Fatal(string(text), err)
	}
	if price.Name != "typed.price" || price.Payload.Format != "json" || price.Payload.Schema.Title != "Order" {
		t.Errorf("%+v", price)
	}
	text, err = palitra.DescribeJobs()
	var all struct{ Jobs []described }
	if err != nil || json.Unmarshal(text, &all) != nil || len(all.Jobs) != len(palitra.Jobs()) {
		t.Error(len(all.Jobs), err)
	}
	if _, err = palitra.DescribeJob("typed.prices"); !errors.Is(err, palitra.ErrUnknownJob) {
		t.Error(err)
	}
	if _, err = palitra.DescribeJob("typed\x00price"); !errors.Is(err, palitra.ErrInvalidArgument) {
		t.Error(err)
	}
}

func TestJSONHelpersSpeakGoValues(t *testing.T) {
	type nap struct {
		Seconds float64 `json:"seconds"`
	}
	r := newRunner(t)
	slept, err := palitra.RunJSON[nap](soon(t), r, "palitra.sleep", nap{0.01})
	if err != nil || slept.Seconds != 0.01 {
		t.Error(slept, err)
	}
	token, err := palitra.SubmitJSON(soon(t), r, "palitra.sleep", nap{0.02})
	if err != nil {
		t.Fatal(err)
	}
	defer token.Close()
	if slept, err = palitra.WaitJSON[nap](soon(t), token); err != nil || slept.Seconds != 0.02 {
		t.Error(slept, err)
	}
	var items []int
	for n, err := range palitra.StreamJSON[int](soon(t), r, "test.stream", map[string]int{"items": 3}) {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, n)
	}
	if len(items) != 3 || items[2] != 2 {
		t.Error(items)
	}
	if _, err := palitra.RunJSON[int](soon(t), r, "palitra.sleep", nap{0}); err == nil {
		t.Error("an object was taken for an int")
	}
	if _, err := palitra.RunJSON[int](soon(t), r, "palitra.sleep", func() {}); err == nil {
		t.Error("a function was taken for JSON")
	}
	_, err = palitra.RunJSON[nap](soon(t), r, "palitra.sleep", "no object")
	wantIs(t, err, palitra.ErrJobFailed)
}
