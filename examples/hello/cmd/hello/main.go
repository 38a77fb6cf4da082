// Command hello serves the variants of package hello:
//
//	pabal up &                      # or a Kafka of yours, see --kafka
//	go run ./examples/hello/cmd/hello
//	curl -X POST -d '{"message":"Hello"}' http://127.0.0.1:8105/topic/kim/hello
//	curl http://127.0.0.1:8105/streams/stores/hello-state-store/keys/HelloTopic%7Ckim
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pabal-dev/pabal/examples/hello"
	"github.com/pabal-dev/pabal/kafka"
)

const (
	startTimeout = time.Minute
	stopTimeout  = 20 * time.Second
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8105", "address to serve on")
	database := flag.String("database", "sqlite:hello.db", "sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE")
	brokers := flag.String("kafka", "127.0.0.1:9092", "Kafka brokers, separated by commas")
	redis := flag.String("redis", "", "redis://HOST:PORT that gets a copy of the table hello-state-store; none where empty")
	hash := flag.Bool("redis-hash", false, "keep the copy as one hash instead of a key for each entry")
	folder := flag.String("state-dir", "", "folder of the stream processing's stores; in the user's cache folder where empty")
	instance := flag.String("instance", "", "name of this process among those of the service; the host's name and -listen where empty")
	uncaught := flag.String("uncaught", "SHUTDOWN_CLIENT", "what an error in the stream processing leads to: REPLACE_THREAD, SHUTDOWN_CLIENT or SHUTDOWN_APPLICATION")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "hello: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	c := hello.Config{
		Listen: *listen, Database: *database, Kafka: kafka.Config{Brokers: strings.Split(*brokers, ",")},
		Redis: *redis, RedisHash: *hash, StateDir: *folder, Instance: *instance, OnUncaught: *uncaught,
	}
	if err := run(c); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", strings.ReplaceAll(err.Error(), "\n", "; ")+hint(err))
		os.Exit(1)
	}
}

// hint says what to do.
func hint(err error) string {
	switch {
	case errors.Is(err, kafka.ErrUnreachable):
		return "; start one with \"go run ./cmd/pabal up\", or say with --kafka where yours is"
	case errors.Is(err, syscall.EADDRINUSE):
		return "; choose another address with --listen"
	}
	return ""
}

func run(c hello.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := hello.New(c)
	if err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.Start(starting); err != nil {
		if ctx.Err() != nil {
			return nil // asked to end while starting
		}
		return err
	}
	fmt.Println("hello: ready at http://" + s.Addr())
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return s.Stop(stopping)
}
