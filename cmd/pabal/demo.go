package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/telemetry"
	"golang.org/x/term"
)

// Help is what --help says about the subcommand.
func (demoCommand) Help() string {
	return `Starts a Kafka broker in this process and the services of a system, each
with a database of its own, and behaves as their customers. Nothing but this
program is needed; --kafka and --database put real servers under it.

  orders   order, payment, restaurant, customer: most orders are approved; others
           lack credit, stock or a restaurant, name a wrong price, are cancelled
           or sent twice; topselling, which has no database, counts from the log
           which restaurants sell most
  hello    hello: people greet entities in three variants, change their moods and
           forget them; the states are a table of stream processing with a copy in
           Redis (--redis, else one in this process)
  hotel    reservation, room: most stays are confirmed; others find no room, are
           cancelled at once, later or twice
  library  rental, book, member, bestbook: most books are rented and returned;
           others are wanted by two, do not exist, come back late, and the fee is
           paid or cannot be
  all      each of them, on one broker; each gets the same share of --rate and
           --max-open

When the time is over (or at Ctrl-C) it waits until every saga has ended, and
recomputes from the databases that no money, no piece of stock, no night, no
book, no point and no order was lost or counted twice, and from the topic that
hello's table and its copy in Redis are what was answered.

--outbox=cdc runs no relay: a connector (Debezium's for PostgreSQL with its outbox
event router, in this process, without a JVM) reads the databases' log and
publishes what the services have written. Its replication slot is dropped at the end.
With --outbox=cdc-message they write messages to the log only, not to their outboxes.

A schema registry beside the broker has the schemas of what is written in Avro, which
are the .avsc files of the examples. With --kafka it is in this process, too, and its
topic on the brokers, with the demo's prefix.

OTEL_EXPORTER_OTLP_ENDPOINT sends traces to a collector.`
}

type demoCommand struct {
	Scenario     string        `help:"orders, hello, hotel, library or all; default ${default}." enum:"orders,hello,hotel,library,all" default:"orders" placeholder:"NAME"`
	Rate         float64       `help:"Orders, greetings, reservations and rents per second, all together; default ${default}." default:"20" placeholder:"N"`
	Duration     time.Duration `help:"How long customers come; 0, the default, is until Ctrl-C." default:"0s" placeholder:"TIME"`
	Seed         uint64        `help:"Repeats the traffic of an earlier run; 0, the default, takes a random one." default:"0" placeholder:"N"`
	DataDir      string        `help:"Folder that is kept and continued; else a fresh temporary one." type:"path" placeholder:"DIR"`
	Kafka        []string      `help:"Kafka brokers, separated by commas; else a broker in this process." placeholder:"HOST:PORT"`
	Database     string        `help:"sqlite, or postgres://USER:PASSWORD@HOST:PORT/DATABASE; default ${default}." default:"sqlite" placeholder:"URL"`
	Outbox       string        `help:"How messages leave the databases: by a relay in each service, or by a connector for change data capture, from the outboxes (cdc) or from the log alone (cdc-message), which needs --database=postgres://… with wal_level=logical; default ${default}." enum:"relay,cdc,cdc-message" default:"relay" placeholder:"WAY"`
	Codec        string        `help:"What services write their events in, avro or json; the default is avro for orders and json for hotel and library. Both are read, whatever it is." enum:",avro,json" default:"" placeholder:"NAME"`
	Redis        string        `help:"Redis for the copy of hello's table, HOST:PORT or redis://USER:PASSWORD@HOST:PORT/NUMBER; else one in this process." placeholder:"ADDR"`
	Output       string        `help:"text or json: one object on standard output, all else on standard error." enum:"text,json" default:"text"`
	Chaos        bool          `help:"Run the services as processes of their own, kill one every few seconds and start it again; with --data-dir the broker in this process, too."`
	KafkaPort    int           `help:"Port of the broker in this process; 0 is any free one; default ${default}." default:"9092" placeholder:"PORT"`
	Port         int           `help:"Port of the service order; the others are as far from it as by default (hello 8105, hotel 8106, 8107, library 8108 to 8111, topselling 8112); 0 is any free ones; default ${default}." default:"8101" placeholder:"PORT"`
	ConsolePort  int           `help:"Port of the console; 0 is any free one; default ${default}." default:"8080" placeholder:"PORT"`
	ConnectPort  int           `help:"Port of the connectors' REST API, with --outbox=cdc or cdc-message; 0 is any free one; default ${default}." default:"8083" placeholder:"PORT"`
	RegistryPort int           `help:"Port of the schema registry; 0 is any free one, as is the default where another program has it; default ${default}." default:"8081" placeholder:"PORT"`
	NoConsole    bool          `help:"Start no console."`
	LogLevel     slog.Level    `help:"DEBUG, INFO, WARN or ERROR: what goes to the log files in the data folder; default ${default}." default:"INFO" placeholder:"LEVEL"`
	MaxOpen      int           `help:"How many orders, greetings, reservations and rents may be under way, all together; above that the rate falls; default ${default}." default:"20000" placeholder:"N"`
	Drain        time.Duration `help:"How long to wait at the end until everything has ended; default ${default}." default:"60s" placeholder:"TIME"`

	CPUProfile string `name:"cpuprofile" hidden:"" help:"Write a CPU profile to this file."`
}

// Run is called by kong.
func (c *demoCommand) Run(ctx context.Context, s *streams) error {
	stop, err := telemetry.Start(ctx, "pabal-demo", version(), "")
	if err != nil {
		return err
	}
	defer flush(ctx, stop)
	options, err := c.options(s)
	if err != nil {
		return err
	}
	interrupts, end := interrupt.Signals()
	defer end()
	options.Interrupts = interrupts
	profiled, err := c.profile()
	if err != nil {
		return err
	}
	defer profiled()
	return demo.Run(ctx, options)
}

func (c *demoCommand) options(s *streams) (demo.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return demo.Options{}, fmt.Errorf("find this program to run services with: %w", err)
	}
	o := demo.Options{
		Scenario: c.Scenario, Rate: c.Rate, Duration: c.Duration, Seed: c.Seed, DataDir: c.DataDir,
		Kafka: c.Kafka, Database: c.Database, Outbox: c.Outbox, Redis: c.Redis, JSON: c.Output == "json", Chaos: c.Chaos,
		KafkaPort: c.KafkaPort, Port: c.Port, ConsolePort: c.ConsolePort, ConnectPort: c.ConnectPort, Codec: c.Codec, RegistryPort: c.RegistryPort, NoConsole: c.NoConsole, LogLevel: c.LogLevel, MaxOpen: c.MaxOpen, Drain: c.Drain,
		Version: version(), Stdout: s.out, Stderr: s.err, Self: []string{self},
	}
	if o.Seed == 0 {
		o.Seed = randomSeed()
	}
	text := s.out
	if o.JSON {
		text = s.err
	}
	if file, ok := text.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		o.Live = true
		o.Width = func() int { width, _, _ := term.GetSize(int(file.Fd())); return width }
	}
	return o, nil
}

// randomSeed is short enough to be typed.
func randomSeed() uint64 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return uint64(binary.LittleEndian.Uint32(b[:])) + 1
}

func (c *demoCommand) profile() (stop func(), err error) {
	if c.CPUProfile == "" {
		return func() {}, nil
	}
	f, err := os.Create(c.CPUProfile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

const flushTimeout = 5 * time.Second

// flush sends the last spans; where the collector is away they are lost.
func flush(ctx context.Context, stop func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := stop(ctx); err != nil {
		slog.Warn("send the last traces", "error", err)
	}
}
