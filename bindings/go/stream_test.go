//go:build palitra_test_jobs

package palitra_test

import (
	"context"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

func TestStreamYieldsItemsInOrder(t *testing.T) {
	r := newRunner(t)
	n := 0
	for item, err := range r.Stream(soon(t), "test.stream", []byte(`{"items": 1000}`)) {
		if err != nil || item.String() != strconv.Itoa(n) {
			t.Fatal(n, item, err)
		}
		n++
	}
	if n != 1000 {
		t.Errorf("%d items", n)
	}
	eventually(t, "no stream is left", func() bool { return count(t, r, "test.streams") == 0 })
}

func TestStreamEndsWithTheJobsError(t *testing.T) {
	r := newRunner(t)
	var items int
	var last error
	for _, err := range r.Stream(soon(t), "test.stream", []byte(`{"items": 100, "fail_at": 50}`)) {
		if last = err; err == nil {
			items++
		}
	}
	wantIs(t, last, palitra.ErrJobFailed)
	if items != 50 {
		t.Errorf("%d items before the failure", items)
	}
	for _, err := range r.Stream(soon(t), "no.such", nil) {
		last = err
	}
	wantIs(t, last, palitra.ErrUnknownJob)
	for range r.Stream(soon(t), "palitra.echo", []byte("no items")) {
		t.Error("an item of a job that streams nothing")
	}
}

func TestStreamLeftEarlyEndsTheJob(t *testing.T) {
	r := newRunner(t)
	for item, err := range r.Stream(soon(t), "test.stream", []byte(`{"items": 1000000}`)) {
		if err != nil || item.String() == "10" {
			break
		}
	}
	eventually(t, "no stream is left", func() bool { return count(t, r, "test.streams") == 0 })
	eventually(t, "the dispatcher was notified", func() bool { return r.Waiting() == 0 })
}

func TestStreamEndsWithItsContext(t *testing.T) {
	r := newRunner(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	var items int
	var last error
	for _, err := range r.Stream(ctx, "test.stream", []byte(`{"items": 3, "forever": true}`)) {
		if last = err; err == nil {
			items++
		}
	}
	wantIs(t, last, context.DeadlineExceeded)
	wantIs(t, last, palitra.ErrDeadline)
	if items != 3 {
		t.Errorf("%d items", items)
	}
	last = nil
	deadline := palitra.WithDeadline(10 * time.Millisecond)
	for _, err := range r.Stream(soon(t), "test.stream", []byte(`{"items": 0, "forever": true}`), deadline) {
		last = err
	}
	wantIs(t, last, palitra.ErrDeadline)
	eventually(t, "no stream is left", func() bool { return count(t, r, "test.streams") == 0 })
}

func TestSlowReaderSlowsTheJob(t *testing.T) {
	r := newRunner(t)
	token := submit(t, r, "test.stream", `{"items": 100000}`)
	if _, err := token.Next(soon(t)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if sent, _, err := token.Progress(); err != nil || sent == 0 || sent > 1000 {
		t.Errorf("%d items were sent to nobody, %v", sent, err)
	}
	token.Cancel()
}

func TestNextEndsWithEOFAndGivesUpWithItsContext(t *testing.T) {
	r := newRunner(t)
	token := submit(t, r, "test.stream", `{"items": 1, "forever": true}`)
	if item, err := token.Next(soon(t)); err != nil || item.String() != "0" {
		t.Fatal(item, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	_, err := token.Next(ctx)
	wantIs(t, err, palitra.ErrPending)
	wantIs(t, err, context.DeadlineExceeded)
	token.Cancel()
	_, err = token.Next(soon(t))
	wantIs(t, err, palitra.ErrCancelled)
	if _, err := submit(t, r, "palitra.echo", "").Next(soon(t)); err != io.EOF {
		t.Error(err)
	}
}

func TestReadersOfOneStreamShareItsItems(t *testing.T) {
	r := newRunner(t)
	token := submit(t, r, "test.stream", `{"items": 2000}`)
	var mu sync.Mutex
	seen := map[string]int{}
	var readers sync.WaitGroup
	for range 8 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for {
				item, err := token.Next(soon(t))
				if err == io.EOF {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[item.String()]++
				mu.Unlock()
			}
		}()
	}
	readers.Wait()
	if len(seen) != 2000 {
		t.Errorf("%d different items", len(seen))
	}
}

// Items that come at once have one event: each reader passes on that there may be more.
func TestReadersThatTakeOneItemEachAreAllAnswered(t *testing.T) {
	const readers = 4
	r := newRunner(t)
	submit(t, r, "test.spin", `{"seconds": 0.1}`) // Blocks the runner's thread until all readers wait.
	token := submit(t, r, "test.stream", `{"items": 4, "forever": true}`)
	results := make(chan error, readers)
	for range readers {
		go func() {
			_, err := token.Next(soon(t))
			results <- err
		}()
	}
	for range readers {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	token.Cancel()
}
