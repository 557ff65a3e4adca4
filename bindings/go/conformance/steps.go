//go:build palitra_test_jobs

package main

// The verbs, as a Go program would do them.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	palitra "palitra.example/bindings/go"
)

// host has what the steps of one scenario made.
type host struct {
	mu      sync.Mutex
	runners map[string]*palitra.Runner
	tokens  map[string]*token
	threads map[string]chan string
	notes   map[string]chan string
	// What jobs write to that are C functions, until their runner has ended.
	pipes []*os.File
}

// token is a token and the runner that it was submitted to.
type token struct {
	*palitra.Token
	runner *palitra.Runner
}

func newHost() *host {
	return &host{runners: map[string]*palitra.Runner{}, tokens: map[string]*token{}, threads: map[string]chan string{},
		notes: map[string]chan string{}}
}

func (h *host) freeEverything() {
	for _, t := range h.tokens {
		t.Close()
	}
	for _, r := range h.runners {
		r.Close()
	}
	for _, pipe := range h.pipes {
		pipe.Close()
	}
}

func (h *host) runner(name string) *palitra.Runner {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runners[name]
}

func (h *host) token(name string) *token {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tokens[name]
}

// carryOut carries out a step and returns its outcome, which also reports a step that cannot be carried out, such as
// one that lacks an operand.
func (h *host) carryOut(words []string) (outcome string) {
	defer func() {
		if trouble := recover(); trouble != nil {
			outcome = fmt.Sprintf("error: %v", trouble)
		}
	}()
	verb, operands := words[0], words[1:]
	switch verb {
	case "runner":
		return h.makeRunner(operands[0], operands[1:])
	case "alive":
		return fmt.Sprint(h.runner(operands[0]).IsAlive())
	case "submit":
		return h.submit(operands[0], h.runner(operands[1]), operands[2], payload(operands[3]), operands[4:])
	case "submit_many":
		return h.submitMany(h.runner(operands[0]), operands[1:])
	case "run":
		ctx, cancel := within(option(operands, "timeout"))
		defer cancel()
		return outcomeOf(h.runner(operands[0]).Run(ctx, operands[1], payload(operands[2])))
	case "wait":
		ctx, cancel := within(strings.Join(operands[1:], ""))
		defer cancel()
		return outcomeOf(h.token(operands[0]).Wait(ctx))
	case "poll":
		return outcomeOf(h.token(operands[0]).Poll())
	case "cancel":
		return ended(h.token(operands[0]).Cancel())
	case "gather":
		return h.gather(operands)
	case "next":
		return outcomeOf(h.token(operands[0]).Next(context.Background()))
	case "drain":
		return drain(h.token(operands[0]))
	case "progress":
		done, total, err := h.token(operands[0]).Progress()
		if err != nil {
			return ended(err)
		}
		return fmt.Sprintf("OK %d %d", done, total)
	case "free":
		return h.free(operands[0])
	case "forged":
		return forged(operands[0])
	case "shutdown":
		ctx, cancel := within(operands[1])
		defer cancel()
		err := h.runner(operands[0]).Shutdown(ctx)
		if errors.Is(err, ctx.Err()) && !errors.Is(err, palitra.ErrPending) {
			err = nil // The runner has ended; the error says that jobs were cancelled.
		}
		return ended(err)
	case "register":
		return h.register(h.runner(operands[0]), operands[1], operands[2])
	case "note":
		return <-h.notesOf(operands[0])
	case "ready":
		t := h.token(operands[0])
		<-t.Done()
		return outcomeOf(t.Poll())
	case "callback":
		return callback(h.token(operands[0]), h.token(operands[2]))
	case "thread":
		done := make(chan string, 1)
		h.threads[operands[0]] = done
		go func() { done <- h.carryOut(operands[1:]) }()
		return "OK"
	case "join":
		return <-h.threads[operands[0]]
	case "fork":
		return h.fork(operands)
	}
	return "error: no verb " + verb
}

func (h *host) makeRunner(name string, options []string) string {
	var opts []palitra.Option
	if n := option(options, "max_in_flight"); n != "" {
		opts = append(opts, palitra.WithMaxInFlight(number(n)))
	}
	if n := option(options, "max_payload"); n != "" {
		opts = append(opts, palitra.WithMaxPayload(number(n)))
	}
	if c := option(options, "config"); c != "" {
		opts = append(opts, palitra.WithConfig(json.RawMessage(c)))
	}
	r, err := palitra.New(opts...)
	if err == nil {
		h.mu.Lock()
		h.runners[name] = r
		h.mu.Unlock()
	}
	return ended(err)
}

func (h *host) submit(name string, r *palitra.Runner, job string, payload []byte, options []string) string {
	var opts []palitra.SubmitOption
	if deadline := option(options, "deadline"); deadline != "" {
		opts = append(opts, palitra.WithDeadline(duration(deadline)))
	}
	t, err := r.Submit(context.Background(), job, payload, opts...)
	if err == nil {
		h.mu.Lock()
		h.tokens[name] = &token{t, r}
		h.mu.Unlock()
	}
	return ended(err)
}

func (h *host) submitMany(r *palitra.Runner, operands []string) string {
	var jobs []palitra.Submission
	for i := 0; i < len(operands); i += 3 {
		jobs = append(jobs, palitra.Submission{Job: operands[i+1], Payload: payload(operands[i+2])})
	}
	tokens, err := r.SubmitMany(context.Background(), jobs)
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, t := range tokens {
		h.tokens[operands[3*i]] = &token{t, r}
	}
	return fmt.Sprintf("%s %d", ended(err), len(tokens))
}

// gather returns each token's own outcome: the error of Gather is that of all.
func (h *host) gather(names []string) string {
	gather := palitra.Gather
	if names[0] == "fail_fast" {
		gather, names = palitra.GatherFailFast, names[1:]
	}
	tokens := make([]*palitra.Token, len(names))
	for i, name := range names {
		tokens[i] = h.token(name).Token
	}
	replies, err := gather(context.Background(), tokens...)
	outcomes := make([]string, len(names))
	for i, t := range tokens {
		_, own := t.Poll()
		if err == nil && own != nil {
			own = errors.New("gathered without an error, but polled with one")
		}
		outcomes[i] = outcomeOf(replies[i], own)
	}
	return strings.Join(outcomes, " | ")
}

func drain(t *token) string {
	var items strings.Builder
	for {
		item, err := t.Next(context.Background())
		if err != nil {
			return items.String() + outcomeOf(item, err)
		}
		items.WriteString(item.String() + " ")
	}
}

func (h *host) free(name string) string {
	if t := h.token(name); t != nil {
		return ended(t.Close())
	}
	return ended(h.runner(name).Close())
}

func callback(finished, other *token) string {
	outcome := make(chan string, 1)
	err := finished.OnComplete(func(*palitra.Token, palitra.Status) {
		outcome <- outcomeOf(other.Wait(context.Background()))
	})
	if err != nil {
		return ended(err)
	}
	return <-outcome
}

// ---- jobs of the program ----

// notesOf has what the code of a job leaves to be read, in order.
func (h *host) notesOf(job string) chan string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.notes[job] == nil {
		h.notes[job] = make(chan string, 8)
	}
	return h.notes[job]
}

func (h *host) leave(job, text string) { h.notesOf(job) <- text }

func (h *host) register(r *palitra.Runner, job, does string) string {
	functions := map[string]palitra.JobFunc{
		"echo": func(_ context.Context, call *palitra.Call) ([]byte, error) { return call.Payload, nil },
		"fail": func(_ context.Context, call *palitra.Call) ([]byte, error) {
			return nil, &palitra.JobError{Code: 7, Message: string(call.Payload)}
		},
		"wait": func(ctx context.Context, call *palitra.Call) ([]byte, error) {
			call.Progress(1, 2)
			h.leave(job, "CALLED")
			<-ctx.Done()
			h.leave(job, "CANCELLED")
			return nil, ctx.Err()
		},
		"count": func(_ context.Context, call *palitra.Call) ([]byte, error) {
			for i := range number(string(call.Payload)) {
				if err := call.Send(fmt.Append(nil, i)); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
	}
	if function := functions[does]; function != nil {
		return ended(r.Register(job, function))
	}
	return h.registerAnswering(r, job, does == "twice")
}

// ---- outcomes ----

// ended is the outcome of a call that fills no reply.
func ended(err error) string { return statusName(palitra.StatusOf(err)) }

func statusName(s palitra.Status) string { return strings.TrimPrefix(s.String(), "PALITRA_") }

// outcomeOf is the outcome of a call that fills one.
func outcomeOf(reply palitra.Reply, err error) string {
	var failed *palitra.JobError
	var panicked *palitra.PanicError
	switch {
	case err == nil:
		return strings.TrimSuffix("OK "+reply.String(), " ")
	case errors.Is(err, palitra.ErrBadPayload) && errors.As(err, &failed):
		return strings.TrimSuffix("BAD_PAYLOAD "+failed.Message, " ")
	case errors.As(err, &failed):
		return strings.TrimSuffix(fmt.Sprintf("JOB_FAILED %d %s", failed.Code, failed.Message), " ")
	case errors.As(err, &panicked):
		return strings.TrimSuffix("JOB_PANICKED "+panicked.Message, " ")
	}
	return ended(err)
}

// ---- operands ----

func payload(text string) []byte {
	if text == "-" {
		return nil
	}
	return []byte(text)
}

// option is the value of name=VALUE; empty if there is none.
func option(words []string, name string) string {
	for _, word := range words {
		if value, found := strings.CutPrefix(word, name+"="); found {
			return value
		}
	}
	return ""
}

// within is a context that ends after a time; never without one.
func within(text string) (context.Context, context.CancelFunc) {
	if text == "" {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), duration(text))
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}

func number(text string) (n int) {
	if _, err := fmt.Sscan(text, &n); err != nil {
		panic(err)
	}
	return n
}
