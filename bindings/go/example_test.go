package palitra_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	palitra "palitra.example/bindings/go"
)

func Example() {
	ctx := context.Background()
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	reply, err := runner.Run(ctx, "palitra.echo", []byte("hello"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply)
	// Output: hello
}

func ExampleGather() {
	ctx := context.Background()
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	echo, err := runner.Submit(ctx, "palitra.echo", []byte("hello"))
	if err != nil {
		log.Fatal(err)
	}
	defer echo.Close()
	sleep, err := runner.Submit(ctx, "palitra.sleep", []byte(`{"seconds": 0.1}`))
	if err != nil {
		log.Fatal(err)
	}
	defer sleep.Close()

	replies, err := palitra.Gather(ctx, echo, sleep)
	if err != nil {
		log.Fatal(err)
	}
	for _, reply := range replies {
		fmt.Println(reply)
	}
	// Output:
	// hello
	// {"seconds":0.1}
}

func ExampleRunner_SubmitMany() {
	ctx := context.Background()
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	tokens, err := runner.SubmitMany(ctx, []palitra.Submission{
		{Job: "palitra.echo", Payload: []byte("hello")},
		{Job: "palitra.sleep", Payload: []byte(`{"seconds": 0.1}`)},
	})
	if err != nil {
		log.Fatal(err)
	}
	replies, err := palitra.Gather(ctx, tokens...)
	if err != nil {
		log.Fatal(err)
	}
	for i, reply := range replies {
		fmt.Println(reply)
		tokens[i].Close()
	}
	// Output:
	// hello
	// {"seconds":0.1}
}

func ExampleRunJSON() {
	type Nap struct {
		Seconds float64 `json:"seconds"`
	}
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	slept, err := palitra.RunJSON[Nap](context.Background(), runner, "palitra.sleep", Nap{0.01})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(slept.Seconds)
	// Output: 0.01
}

// The context's end cancels the job.
func ExampleRunner_Run_timeout() {
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = runner.Run(ctx, "palitra.sleep", []byte(`{"seconds": 60}`))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// One run has a deadline of its own, whatever the context.
func ExampleWithDeadline() {
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	nap := []byte(`{"seconds": 60}`)
	_, err = runner.Run(context.Background(), "palitra.sleep", nap, palitra.WithDeadline(10*time.Millisecond))
	fmt.Println(errors.Is(err, palitra.ErrDeadline))
	// Output: true
}

// Goroutines of which each goes on with its reply; the first failure cancels the context, and with it the others' jobs.
// This is what golang.org/x/sync/errgroup does in two lines, for a module that may depend on it.
func Example_goroutines() {
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	ctx, fail := context.WithCancelCause(context.Background())
	defer fail(nil)
	var group sync.WaitGroup
	for _, payload := range []string{`{"seconds": 60}`, `{"seconds": "an hour"}`} {
		group.Add(1)
		go func() {
			defer group.Done()
			if _, err := runner.Run(ctx, "palitra.sleep", []byte(payload)); err != nil {
				fail(err)
			}
		}()
	}
	group.Wait()
	fmt.Println(errors.Is(context.Cause(ctx), palitra.ErrBadPayload))
	// Output: true
}

func ExampleJobError() {
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	_, err = runner.Run(context.Background(), "palitra.sleep", []byte("not JSON"))
	var failed *palitra.JobError
	if errors.As(err, &failed) {
		fmt.Println(failed.Job, "refused its payload")
	}
	_, err = runner.Run(context.Background(), "no.such", nil)
	fmt.Println(errors.Is(err, palitra.ErrUnknownJob))
	// Output:
	// palitra.sleep refused its payload
	// true
}

func ExampleRunner_Stream() {
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	bytes := 0
	for item, err := range runner.Stream(ctx, "http.stream", []byte(`{"url": "http://127.0.0.1:1/"}`)) {
		if err != nil {
			fmt.Println("no server there")
			break
		}
		bytes += len(item.Data)
	}
	fmt.Println(bytes, "bytes")
	// Output:
	// no server there
	// 0 bytes
}

func ExampleToken_OnComplete() {
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	token, err := runner.Submit(context.Background(), "palitra.echo", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer token.Close()
	called := make(chan palitra.Status)
	err = token.OnComplete(func(_ *palitra.Token, status palitra.Status) {
		go func() { called <- status }() // The callback itself must not wait.
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println((<-called).String())
	// Output: PALITRA_OK
}

func ExampleRunner_Shutdown() {
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	// Five seconds for what is in flight.
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	fmt.Println(runner.Shutdown(grace))
	_, err = runner.Run(context.Background(), "palitra.echo", nil)
	fmt.Println(errors.Is(err, palitra.ErrShutDown))
	// Output:
	// <nil>
	// true
}

func ExampleRunner_Register() {
	runner, err := palitra.New()
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close()

	// In place of the library's job, for this runner: what it runs needs no network.
	err = runner.Register("http.get", func(ctx context.Context, call *palitra.Call) ([]byte, error) {
		return []byte(`{"status": 200, "body": "a page"}`), nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(runner.Run(context.Background(), "http.get", []byte(`{"url": "http://shop.test"}`)))
	// Output: {"status": 200, "body": "a page"} <nil>
}

// An HTTP handler: a client that goes away cancels the job, as its request's context is the job's.
func Example_handler() {
	runner, err := palitra.Global()
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply, err := runner.Run(r.Context(), "palitra.echo", []byte(r.URL.Query().Get("name")))
		switch {
		case errors.Is(err, context.Canceled):
			// Nobody reads an answer.
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadGateway)
		default:
			w.Write(reply.Data)
		}
	}))
	defer server.Close()
	response, err := http.Get(server.URL + "?name=tea")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(string(body), err)
	// Output: tea <nil>
}
