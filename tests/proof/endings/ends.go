// See tests/proof/endings.py.
package main

import (
	"context"
	"os"

	palitra "palitra.example/bindings/go"
)

func main() {
	ctx := context.Background()
	runner, err := palitra.Global()
	if err != nil {
		panic(err)
	}
	for range 8 {
		if _, err := runner.Submit(ctx, "palitra.sleep", []byte(`{"seconds": 100}`)); err != nil {
			panic(err)
		}
	}
	if reply, err := runner.Run(ctx, "palitra.echo", []byte("hello")); err != nil || reply.String() != "hello" {
		panic("no echo")
	}
	os.Exit(7)
}
