//go:build palitra_test_jobs

package palitra_test

// The library's log in Go's, typed jobs, and what is said where the package cannot be built.

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	palitra "palitra.example/bindings/go"
)

type records struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *records) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(line)
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func TestLogGoesToTheLogger(t *testing.T) {
	var seen records
	logger := slog.New(slog.NewTextHandler(&seen, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := palitra.SetLogger(logger); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wantIs(t, palitra.SetLogger(nil), nil) })
	wantIs(t, palitra.Configure([]int{}), palitra.ErrInvalidArgument)
	if text := seen.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "target=palitra") ||
		!strings.Contains(text, "the configuration is not a JSON object") {
		t.Error(text)
	}
	if err := palitra.SetLogger(slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
		t.Fatal(err)
	}
	before := seen.String()
	wantIs(t, palitra.Configure([]int{}), palitra.ErrInvalidArgument)
	if seen.String() != before {
		t.Error("a logger that was replaced is called")
	}
}

func TestTypedJob(t *testing.T) {
	type nap struct {
		Seconds float64 `json:"seconds"`
	}
	var sleep palitra.Job[nap, nap] = "palitra.sleep"
	r := newRunner(t)
	if got, err := sleep.Run(base(t), r, nap{0.001}); err != nil || got != (nap{0.001}) {
		t.Error(got, err)
	}
	token, err := sleep.Submit(base(t), r, nap{0.001})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sleep.Wait(soon(t), token); err != nil || got != (nap{0.001}) {
		t.Error(got, err)
	}
	var count palitra.Job[map[string]int, int] = "test.stream"
	next := 0
	for item, err := range count.Stream(base(t), r, map[string]int{"items": 3}) {
		if err != nil || item != next {
			t.Error(item, err)
		}
		next++
	}
	if next != 3 {
		t.Error(next)
	}
}

func TestWithoutCgoTheCompilerSaysWhatIsMissing(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := build.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if err == nil || len(lines) != 2 || !strings.Contains(lines[1], "needs_a_Unix_and_cgo__set_CGO_ENABLED_to_1") {
		t.Errorf("%v\n%s", err, output)
	}
}
