package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/telemetry"
	"golang.org/x/term"
)

// Help is what --help says about the subcommand.
func (demoCommand) Help() string {
	return `Starts a Kafka broker in this process and the services order, payment,
restaurant and customer, each with a database of its own, and places orders:
most are approved; others lack credit, stock or a restaurant, name a wrong
price, are cancelled or sent twice. Nothing but this program is needed; --kafka
and --database put real servers under it.

When the time is over (or at Ctrl-C) it waits until every saga has ended, and
recomputes from the databases that no money, no piece of stock and no order was
lost or counted twice.

OTEL_EXPORTER_OTLP_ENDPOINT sends traces to a collector.`
}

type demoCommand struct {
	Rate      float64       `help:"Orders per second; default ${default}." default:"20" placeholder:"N"`
	Duration  time.Duration `help:"How long to place orders; 0, the default, is until Ctrl-C." default:"0s" placeholder:"TIME"`
	Seed      uint64        `help:"Repeats the traffic of an earlier run; 0, the default, takes a random one." default:"0" placeholder:"N"`
	DataDir   string        `help:"Folder that is kept and continued; else a fresh temporary one." type:"path" placeholder:"DIR"`
	Kafka     []string      `help:"Kafka brokers, separated by commas; else a broker in this process." placeholder:"HOST:PORT"`
	Database  string        `help:"sqlite, or postgres://USER:PASSWORD@HOST:PORT/DATABASE; default ${default}." default:"sqlite" placeholder:"URL"`
	Output    string        `help:"text or json: one object on standard output, all else on standard error." enum:"text,json" default:"text"`
	Chaos     bool          `help:"Run the services as processes of their own, kill one every few seconds and start it again."`
	KafkaPort int           `help:"Port of the broker in this process; 0 is any free one; default ${default}." default:"9092" placeholder:"PORT"`
	Port      int           `help:"Port of the first of the four services; 0 is any free ones; default ${default}." default:"8101" placeholder:"PORT"`
	LogLevel  slog.Level    `help:"DEBUG, INFO, WARN or ERROR: what goes to the log files in the data folder; default ${default}." default:"INFO" placeholder:"LEVEL"`
	MaxOpen   int           `help:"How many orders may be under way; above that the rate falls; default ${default}." default:"20000" placeholder:"N"`
	Drain     time.Duration `help:"How long to wait at the end until every order has ended; default ${default}." default:"60s" placeholder:"TIME"`

	CPUProfile string `name:"cpuprofile" hidden:"" help:"Write a CPU profile to this file."`
}

// Run is called by kong.
func (c *demoCommand) Run(ctx context.Context, s *streams) error {
	stop, err := telemetry.Start(ctx, "pabal-demo", version())
	if err != nil {
		return err
	}
	defer flush(ctx, stop)
	options, err := c.options(s)
	if err != nil {
		return err
	}
	interrupts, end := interrupts()
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
		Rate: c.Rate, Duration: c.Duration, Seed: c.Seed, DataDir: c.DataDir,
		Kafka: c.Kafka, Database: c.Database, JSON: c.Output == "json", Chaos: c.Chaos,
		KafkaPort: c.KafkaPort, Port: c.Port, LogLevel: c.LogLevel, MaxOpen: c.MaxOpen, Drain: c.Drain,
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

// interrupts are Ctrl-C and the request to terminate.
func interrupts() (<-chan struct{}, func()) {
	signals, out := make(chan os.Signal, 2), make(chan struct{}, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				select {
				case out <- struct{}{}:
				default: // two are enough
				}
			case <-done:
				return
			}
		}
	}()
	return out, func() { signal.Stop(signals); close(done) }
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
