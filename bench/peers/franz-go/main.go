// The upper anchor: a hand-written exactly-once loop on franz-go. State is a map, nothing of it is kept anywhere else.
// Runs one workload until stdin ends. Arguments: key=value, as bench/sides/side.ts writes them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

type spec map[string]string

func main() {
	s := spec{}
	for _, arg := range os.Args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		s[key] = value
	}
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	reportEnd()
}

func run(s spec) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	loops, err := loopsOf(ctx, s)
	if err != nil {
		return err
	}
	ended := make(chan error, len(loops))
	for _, l := range loops {
		session, err := open(s, l)
		if err != nil {
			return err
		}
		defer session.Close()
		go func() { ended <- l.run(ctx, session) }()
	}
	fmt.Printf("{\"event\":\"running\",\"at\":%d}\n", time.Now().UnixMilli())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	for range loops {
		if err := <-ended; err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}
