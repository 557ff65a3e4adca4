// GETs of one page with keep-alive from Go, so many goroutines at a time, by palitra or by net/http.
//
//	http_go palitra|net/http URL REQUESTS GOROUTINES        prints microseconds a request, and of the processors
//
// Run by benches/http_report.py.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	palitra "palitra.example/bindings/go"
)

var errEmpty = errors.New("an empty body")

// One request, whose body is kept as bytes.
type get func() error

func withPalitra(url string) get {
	runner, err := palitra.New()
	must(err)
	payload := []byte(`{"url":"` + url + `"}`)
	ctx := context.Background()
	return func() error {
		reply, err := runner.Run(ctx, "http.bytes", payload)
		if err == nil && len(reply.Data) == 0 {
			err = errEmpty
		}
		return err
	}
}

func withNetHTTP(url string, goroutines int) get {
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: goroutines}}
	return func() error {
		response, err := client.Get(url)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && len(body) == 0 {
			err = errEmpty
		}
		return err
	}
}

func run(one get, requests, goroutines int) {
	var left atomic.Int64
	left.Store(int64(requests))
	var done sync.WaitGroup
	for range goroutines {
		done.Add(1)
		go func() {
			defer done.Done()
			for left.Add(-1) >= 0 {
				must(one())
			}
		}()
	}
	done.Wait()
}

func processorTime() time.Duration {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "http_go:", err)
		os.Exit(1)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	must(err)
	return n
}

func main() {
	if len(os.Args) != 5 {
		must(errors.New("palitra|net/http URL REQUESTS GOROUTINES"))
	}
	requests, goroutines := number(os.Args[3]), number(os.Args[4])
	one := withPalitra(os.Args[2])
	if os.Args[1] == "net/http" {
		one = withNetHTTP(os.Args[2], goroutines)
	}
	run(one, 2*goroutines, goroutines) // the connections are made
	began, processors := time.Now(), processorTime()
	run(one, requests, goroutines)
	took, used := time.Since(began), processorTime()-processors
	perRequest := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(requests) }
	fmt.Printf("%.3f %.3f\n", perRequest(took), perRequest(used))
}
