package palitra_test

// Speed, as ratios: the figures depend on the machine, so both sides are measured in turns within one run.
//
//	go test -run xxx -bench .

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

var helloWorld = []byte("hello world")

// pingPong is a round trip between two goroutines over unbuffered channels, n times.
func pingPong(n int) {
	ping, pong := make(chan []byte), make(chan []byte)
	go func() {
		for payload := range ping {
			pong <- payload
		}
	}()
	for range n {
		ping <- helloWorld
		<-pong
	}
	close(ping)
}

func runEcho(b *testing.B, ctx context.Context, r *palitra.Runner, n int) {
	for range n {
		if _, err := r.Run(ctx, "palitra.echo", helloWorld); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkRunner(b *testing.B) *palitra.Runner {
	r, err := palitra.New()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close() })
	return r
}

// reportCost reports what one operation takes of another's time, and the most that it is to take.
func reportCost(b *testing.B, cost, goal float64, unit string) {
	b.Helper()
	b.ReportMetric(cost, unit)
	b.ReportMetric(goal, "goal-at-most")
	if cost > goal {
		b.Logf("NOT REACHED: %s is %.2f, the goal at most %g", unit, cost, goal)
	}
}

// A ready job's Run beside a channel round trip, in turns; the median of the ratios is below 1 if Run is faster.
func BenchmarkRunBesidePingPong(b *testing.B) {
	const turns, rounds = 31, 5000
	r := benchmarkRunner(b)
	var ratios []float64
	var run, channel []time.Duration
	for b.Loop() {
		for range turns {
			began := time.Now()
			pingPong(rounds)
			middle := time.Now()
			runEcho(b, context.Background(), r, rounds)
			channel = append(channel, middle.Sub(began)/rounds)
			run = append(run, time.Since(middle)/rounds)
			ratios = append(ratios, float64(run[len(run)-1])/float64(channel[len(channel)-1]))
		}
	}
	slices.Sort(ratios)
	slices.Sort(run)
	slices.Sort(channel)
	reportCost(b, ratios[len(ratios)/2], 1, "run/ping-pong")
	b.ReportMetric(float64(run[len(run)/2]), "ns/run")
	b.ReportMetric(float64(channel[len(channel)/2]), "ns/ping-pong")
}

func BenchmarkPingPong(b *testing.B) { pingPong(b.N) }

func BenchmarkRun(b *testing.B) {
	r := benchmarkRunner(b)
	b.ReportAllocs()
	b.ResetTimer()
	runEcho(b, context.Background(), r, b.N)
}

// An inline job's Run under contexts that can end beside one under a context that cannot, in turns; the goal is a
// median of the ratios of at most 2.
func BenchmarkRunBoundedBesideRun(b *testing.B) {
	for name, bound := range map[string]func() (context.Context, context.CancelFunc){
		"cancel": func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) },
		"timeout": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Hour)
		},
	} {
		b.Run(name, func(b *testing.B) {
			const turns, rounds = 31, 5000
			r := benchmarkRunner(b)
			ctx, cancel := bound()
			defer cancel()
			var ratios, bounded []float64
			for b.Loop() {
				for range turns {
					began := time.Now()
					runEcho(b, context.Background(), r, rounds)
					middle := time.Now()
					runEcho(b, ctx, r, rounds)
					end := time.Now()
					bounded = append(bounded, float64(end.Sub(middle))/rounds)
					ratios = append(ratios, float64(end.Sub(middle))/float64(middle.Sub(began)))
				}
			}
			slices.Sort(ratios)
			slices.Sort(bounded)
			reportCost(b, ratios[len(ratios)/2], 2, "bounded/run")
			b.ReportMetric(bounded[len(bounded)/2], "ns/bounded")
		})
	}
}

// An inline job under a context that can end.
func BenchmarkRunBounded(b *testing.B) {
	r := benchmarkRunner(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Run(ctx, "palitra.echo", helloWorld); err != nil {
			b.Fatal(err)
		}
	}
}

// The same by many goroutines at once. Where all places for inline polls are taken, a job goes to the runner's thread.
func BenchmarkRunBoundedByMany(b *testing.B) {
	for _, goroutines := range []int{10, 1000} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			r := benchmarkRunner(b)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var all sync.WaitGroup
			b.ResetTimer()
			for range goroutines {
				all.Add(1)
				go func() {
					defer all.Done()
					for range b.N/goroutines + 1 {
						if _, err := r.Run(ctx, "palitra.echo", helloWorld); err != nil {
							b.Error(err)
							return
						}
					}
				}()
			}
			all.Wait()
		})
	}
}

func BenchmarkSubmitAndGather1000(b *testing.B) {
	r := benchmarkRunner(b)
	ctx := context.Background()
	tokens := make([]*palitra.Token, 1000)
	for b.Loop() {
		for i := range tokens {
			tokens[i], _ = r.Submit(ctx, "palitra.echo", helloWorld)
		}
		if _, err := palitra.Gather(ctx, tokens...); err != nil {
			b.Fatal(err)
		}
		for _, token := range tokens {
			token.Close()
		}
	}
}

func BenchmarkSubmitManyAndGather1000(b *testing.B) {
	r := benchmarkRunner(b)
	ctx := context.Background()
	jobs := make([]palitra.Submission, 1000)
	for i := range jobs {
		jobs[i] = palitra.Submission{Job: "palitra.echo", Payload: helloWorld}
	}
	for b.Loop() {
		tokens, err := r.SubmitMany(ctx, jobs)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := palitra.Gather(ctx, tokens...); err != nil {
			b.Fatal(err)
		}
		for _, token := range tokens {
			token.Close()
		}
	}
}
