// hello.go: two async jobs at the same time
package main

import (
	"context"
	"fmt"
	"log"

	palitra "palitra.example/bindings/go"
)

func main() {
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
	sleep, err := runner.Submit(ctx, "palitra.sleep", []byte(`{"seconds": 0.1}`))
	if err != nil {
		log.Fatal(err)
	}
	replies, err := palitra.Gather(ctx, echo, sleep)
	if err != nil {
		log.Fatal(err)
	}
	for _, reply := range replies {
		fmt.Println(reply)
	}
}
