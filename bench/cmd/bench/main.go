// Bench runs one benchmark by name, from the folder of its module:
//
//	go run ./cmd/bench demo-orders
//
// Its last line of output is one JSON object with the figures.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/pabal-dev/pabal/bench/avro"
	"github.com/pabal-dev/pabal/bench/brokers"
	"github.com/pabal-dev/pabal/bench/cdc"
	"github.com/pabal-dev/pabal/bench/demoorders"
	"github.com/pabal-dev/pabal/bench/eventstore"
	"github.com/pabal-dev/pabal/bench/outboxrelay"
	"github.com/pabal-dev/pabal/bench/sagas"
	"github.com/pabal-dev/pabal/bench/streams"
)

// benchmarks write how they get on to w and return their figures.
var benchmarks = map[string]func(ctx context.Context, args []string, w io.Writer) (map[string]float64, error){
	"avro": avro.Run,

	"broker-footprint": brokers.Footprint,
	"broker-fsync":     brokers.Fsync,
	"broker-produce":   brokers.Produce,
	"broker-txn":       brokers.Txn,

	"cdc-mariadb":           cdc.MariaDB,
	"cdc-mongodb":           cdc.MongoDB,
	"cdc-postgres-snapshot": cdc.PostgresSnapshot,
	"cdc-postgres-stream":   cdc.PostgresStream,

	"demo-orders":    demoorders.Run,
	"journal-append": eventstore.Append,
	"journal-replay": eventstore.Replay,
	"outbox-relay":   outboxrelay.Run,
	"projection":     eventstore.Projection,

	"saga-three-step": sagas.ThreeStep,
	"saga-timers":     sagas.Timers,

	"streams-count":   streams.Count,
	"streams-join":    streams.Join,
	"streams-latency": streams.Latency,
	"streams-restore": streams.Restore,
	"streams-window":  streams.Window,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == outboxrelay.ChildName {
		return outboxrelay.Child(ctx, args[1:], os.Stdin, os.Stdout)
	}
	names := strings.Join(slices.Sorted(maps.Keys(benchmarks)), ", ")
	if len(args) == 0 {
		return fmt.Errorf("which benchmark? There are: %s", names)
	}
	benchmark, ok := benchmarks[args[0]]
	if !ok {
		return fmt.Errorf("there is no benchmark %q; there are: %s", args[0], names)
	}
	figures, err := benchmark(ctx, args[1:], os.Stdout)
	if err != nil {
		return err
	}
	last, err := json.Marshal(struct {
		Bench   string             `json:"bench"`
		Figures map[string]float64 `json:"figures"`
	}{args[0], figures})
	if err != nil {
		return err
	}
	fmt.Println(string(last))
	return nil
}
