// Command cmd runs another command with real servers around it:
//
//	go run ./internal/testservers/cmd [-only kafka,postgres] [--] go test ./...
//
// It starts Apache Kafka, PostgreSQL, Redis, MongoDB and MariaDB on 127.0.0.1, finds Kafka Connect
// with Debezium, kcat, kafkajs, Confluent's clients for Python and Java, a Pekko application,
// Kafka Streams and Chromium, tells the command about them in PABAL_TEST_* variables, stops all of
// it when the command ends, says what it ran against and exits with the command's code.
// PABAL_REQUIRE=kafka,kafka-tools,postgres,postgres18,redis,mongodb,mariadb,debezium,kcat,kafkajs,confluent-python,confluent-java,apicurio-java,pekko,kstreams,chromium
// names parts that must not be missing.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pabal-dev/pabal/internal/testservers"
)

const (
	// failed is the exit code of a run in which the command was not started.
	failed       = 2
	startTimeout = 2 * time.Minute
	grace        = 15 * time.Second
)

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	os.Exit(run(os.Args[1:], signals, os.Stderr))
}

func run(args []string, signals <-chan os.Signal, out io.Writer) int {
	command, only, err := parse(args, out)
	if err != nil {
		return failed
	}
	suite, err := start(only, signals)
	if err != nil {
		fmt.Fprintln(out, "testservers:", err)
		return failed
	}
	code, err := runIn(suite, command, signals, out)
	if err := suite.Close(); err != nil {
		fmt.Fprintln(out, "testservers:", err)
	}
	if err != nil {
		fmt.Fprintln(out, "testservers:", err)
		return failed
	}
	return code
}

func parse(args []string, out io.Writer) (command, only []string, err error) {
	flags := flag.NewFlagSet("testservers", flag.ContinueOnError)
	flags.SetOutput(out)
	names := flags.String("only", "", "`parts` to start or find, with commas: kafka, kafka-tools, postgres, postgres18, redis, mongodb, mariadb, debezium, kcat, kafkajs, confluent-python, confluent-java, apicurio-java, pekko, kstreams, chromium (default all)")
	flags.Usage = func() {
		fmt.Fprintln(out, "usage: testservers [-only parts] [--] command [arguments]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return nil, nil, err
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return nil, nil, flag.ErrHelp
	}
	if *names != "" {
		only = strings.Split(*names, ",")
	}
	return flags.Args(), only, nil
}

// start starts the suite; a signal meanwhile ends the attempt.
func start(only []string, signals <-chan os.Signal) (*testservers.Suite, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	ctx, interrupt := context.WithCancelCause(ctx)
	started := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case s := <-signals:
			interrupt(fmt.Errorf("got the signal %q", s))
		case <-started:
		}
	}()
	suite, err := testservers.StartSuite(ctx, only)
	close(started)
	<-watched
	if err == nil && ctx.Err() != nil {
		return nil, errors.Join(context.Cause(ctx), suite.Close())
	}
	return suite, err
}

func runIn(suite *testservers.Suite, command []string, signals <-chan os.Signal, out io.Writer) (int, error) {
	skips, err := os.CreateTemp("", "pabal-skips-")
	if err != nil {
		return 0, err
	}
	skips.Close()
	defer os.Remove(skips.Name())
	code, err := testservers.Run(command, append(suite.Env(), testservers.EnvSkips+"="+skips.Name()), signals, grace)
	fmt.Fprintln(out, suite.Summary())
	reportSkips(skips.Name(), out)
	return code, err
}

// reportSkips prints how many tests were skipped for want of what: go test
// itself does not show the skips of a package that passes.
func reportSkips(file string, out io.Writer) {
	data, err := os.ReadFile(file)
	if err != nil || len(data) == 0 {
		return
	}
	counts, order := map[string]int{}, []string{}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		reason := lines.Text()
		if counts[reason] == 0 {
			order = append(order, reason)
		}
		counts[reason]++
	}
	for _, reason := range order {
		fmt.Fprintf(out, "SKIPPED: %d × %s\n", counts[reason], reason)
	}
}
