//go:build palitra_test_jobs

package palitra_test

// What a whole process does: signals and exits. The test program runs itself again as the process.
//
// Promise 10: the host's process stays as it is.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	palitra "palitra.example/bindings/go"
)

var processes = map[string]func(r *palitra.Runner){
	// As a program that knows nothing of signals.
	"waits": func(r *palitra.Runner) {
		fmt.Println("ready")
		_, err := r.Run(context.Background(), "test.never", nil)
		fmt.Println(err)
	},
	"is notified": func(r *palitra.Runner) {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		fmt.Println("ready")
		if _, err := r.Run(ctx, "test.never", nil); !errors.Is(err, context.Canceled) {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(33)
	},
	"exits": func(r *palitra.Runner) {
		for range 100 {
			if _, err := r.Submit(context.Background(), "test.never", nil); err != nil {
				os.Exit(1)
			}
		}
		go r.Run(context.Background(), "test.spin", []byte(`{"seconds": 60}`))
		fmt.Println("ready")
		os.Exit(33)
	},
}

func TestMain(m *testing.M) {
	if process, found := processes[os.Getenv("PALITRA_TEST_PROCESS")]; found {
		r, err := palitra.New()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		process(r)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// start runs a process until it reports that it is ready.
func start(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(soon(t), os.Args[0])
	command.Env = append(os.Environ(), "PALITRA_TEST_PROCESS="+name)
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	return command
}

func TestInterruptEndsAProgramThatWaits(t *testing.T) {
	command := start(t, "waits")
	time.Sleep(20 * time.Millisecond)
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	if status := command.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Error(command.ProcessState)
	}
}

func TestInterruptReachesAContext(t *testing.T) {
	command := start(t, "is notified")
	time.Sleep(20 * time.Millisecond)
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != 33 {
		t.Error(command.ProcessState)
	}
}

func TestProcessMayExitWithJobsInFlight(t *testing.T) {
	command := start(t, "exits")
	_ = command.Wait()
	if code := command.ProcessState.ExitCode(); code != 33 {
		t.Error(command.ProcessState)
	}
}
