// download: gets many URLs at once, each into a file.
//
//	download FOLDER URL [URL ...]
//
// Prints one line for each download in the order given: its bytes and its file, or why there is none. Meanwhile it
// shows a bar of the bytes that have come, if standard error is a terminal. It exits with 0 if every file was written,
// with 1 if any was not, with 2 for wrong usage. Ctrl-C cancels what is running. A file of any size takes some hundred
// kilobytes of memory: it is never held whole.
//
// How a program uses palitra, from top to bottom: main makes a runner and submits one http.download for each URL; watch
// asks the tokens how far they are until all are done; report waits for each, which is then at once.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	palitra "palitra.example/bindings/go"
)

// What http.download takes and leaves; docs/shipped-jobs.md has the other fields.
type request struct {
	URL       string `json:"url"`
	Path      string `json:"path"`
	Overwrite bool   `json:"overwrite"`
}

type downloaded struct {
	Path  string `json:"path"`
	Bytes uint64 `json:"bytes"`
}

// "3-page.html": numbered, so that no two are the same.
func fileName(number int, url string) string {
	end := strings.IndexAny(url, "?#")
	if end < 0 {
		end = len(url)
	}
	return fmt.Sprintf("%d-%s", number, url[strings.LastIndex(url[:end], "/")+1:end])
}

func start(ctx context.Context, runner *palitra.Runner, folder string, urls []string) ([]*palitra.Token, error) {
	tokens := make([]*palitra.Token, 0, len(urls))
	for i, url := range urls {
		file := filepath.Join(folder, fileName(i+1, url))
		token, err := palitra.SubmitJSON(ctx, runner, "http.download", request{url, file, true})
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

// A bar of the bytes that have come, of those that the servers have announced so far.
func showProgress(tokens []*palitra.Token) {
	const width = 30
	var done, total uint64
	for _, token := range tokens {
		tokenDone, tokenTotal, err := token.Progress()
		if err == nil {
			done, total = done+tokenDone, total+tokenTotal
		}
	}
	filled := 0
	if total > 0 {
		filled = int(float64(done) / float64(total) * width)
	}
	bar := strings.Repeat("#", filled) + strings.Repeat(".", width-filled)
	fmt.Fprintf(os.Stderr, "\r[%s] %d of %d MB\x1b[K", bar, done/1e6, total/1e6)
}

// Waits until all are done, and shows meanwhile how far they are.
func watch(tokens []*palitra.Token) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for _, token := range tokens {
		for done := false; !done; {
			select {
			case <-token.Done():
				done = true
			case <-ticker.C:
				showProgress(tokens)
			}
		}
	}
	fmt.Fprint(os.Stderr, "\r\x1b[K")
}

// Whether every page is in its file: it gets its name when all of it has come.
func report(ctx context.Context, tokens []*palitra.Token) bool {
	allCame := true
	for _, token := range tokens {
		reply, err := palitra.WaitJSON[downloaded](ctx, token)
		if err != nil {
			fmt.Println("failed:", err)
			allCame = false
			continue
		}
		fmt.Println(reply.Bytes, "bytes", reply.Path)
	}
	return allCame
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func run(folder string, urls []string) (bool, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return false, err
	}
	runner, err := palitra.New()
	if err != nil {
		return false, err
	}
	defer runner.Close()
	tokens, err := start(ctx, runner, folder, urls)
	if err != nil {
		return false, err
	}
	if isTerminal(os.Stderr) {
		watch(tokens)
	}
	return report(context.Background(), tokens), nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: download FOLDER URL [URL ...]")
		os.Exit(2)
	}
	allCame, err := run(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "download:", err)
	}
	if err != nil || !allCame {
		os.Exit(1)
	}
}
