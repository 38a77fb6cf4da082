// Command bulk is the bulk processor: it gathers lines and prints them batch by
// batch, once a batch is full or its first line has waited for a while. Ctrl-C
// flushes what is there.
//
//	go run ./examples/bulk               # lines it makes up
//	seq 1000 | go run ./examples/bulk -  # lines of the standard input
//	go run ./examples/bulk -kafka 127.0.0.1:9092  # as stream processing
//
// The last one gathers what comes on the topic bulk-lines as {"text": "…"}, in a store that
// survives restarts, and flushes to bulk-batches.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pabal-dev/pabal/batch"
	"github.com/pabal-dev/pabal/kafka"
)

// mostBytes of a batch's lines, as JSON: far below what Kafka takes in one record (1 MB).
const mostBytes = 512 << 10

func main() {
	items := flag.Int("items", 100, "lines in a full batch")
	linger := flag.Duration("linger", 3*time.Second, "how long the first line of a batch waits")
	pace := flag.Duration("pace", 100*time.Millisecond, "pause between the lines it makes up")
	brokers := flag.String("kafka", "", "Kafka brokers, separated by commas: gather lines of a topic")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if *brokers != "" {
		cluster := kafka.Config{Brokers: strings.Split(*brokers, ",")}
		exit(runTopology(ctx, cluster, limits{items: *items, bytes: mostBytes, linger: *linger}))
	}
	lines := greetings(ctx, *pace)
	if flag.Arg(0) == "-" {
		lines = linesOf(ctx, os.Stdin)
	}
	exit(run(ctx, batch.Config[string]{Name: "bulk", MaxItems: *items, Linger: *linger}, lines, os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bulk:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run hands lines in until they or ctx end, and flushes what is left.
func run(ctx context.Context, c batch.Config[string], lines iter.Seq2[string, error], out io.Writer) error {
	c.Size = func(line string) int { return len(line) }
	c.Attempts = 1   // what cannot be printed now cannot be printed later
	var broken error // the output's first; Stop waits for who sets it
	bulk := batch.New(c, func(_ context.Context, lines []string) ([]batch.Result[struct{}], error) {
		_, err := fmt.Fprintf(out, "%d lines, from %q to %q\n", len(lines), lines[0], lines[len(lines)-1])
		if broken == nil {
			broken = err
		}
		return nil, err
	})
	if err := bulk.Start(ctx); err != nil {
		return err
	}
	err := submitAll(ctx, bulk, lines)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, bulk.Stop(last), broken)
}

func submitAll(ctx context.Context, bulk *batch.Batcher[string, struct{}], lines iter.Seq2[string, error]) error {
	for line, err := range lines {
		if err != nil {
			return err
		}
		if _, err := bulk.Submit(ctx, line); err != nil {
			if ctx.Err() != nil {
				return nil // Ctrl-C
			}
			return err
		}
	}
	return nil
}

// greetings makes lines up until ctx ends.
func greetings(ctx context.Context, pace time.Duration) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for n := 1; yield(fmt.Sprintf("Hello %d", n), nil); n++ {
			select {
			case <-time.After(pace):
			case <-ctx.Done():
				return
			}
		}
	}
}

// linesOf reads lines until r or ctx ends. A read that waits for input is left
// behind when ctx ends: it ends with the program.
func linesOf(ctx context.Context, r io.Reader) iter.Seq2[string, error] {
	type read struct {
		line string
		err  error
	}
	reads := make(chan read)
	go func() {
		defer close(reads)
		scanner := bufio.NewScanner(r)
		send := func(next read) bool {
			select {
			case reads <- next:
				return true
			case <-ctx.Done():
				return false
			}
		}
		for scanner.Scan() {
			if !send(read{line: scanner.Text()}) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			send(read{err: err})
		}
	}()
	return func(yield func(string, error) bool) {
		for {
			select {
			case next, more := <-reads:
				if !more || !yield(next.line, next.err) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
