package demo

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/examples/hotel"
	"github.com/pabal-dev/pabal/examples/library"
	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/traffic"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
)

// scenario is a system with its customers. What it holds is given back by close.
type scenario interface {
	// prepare creates the first customers and what they need; the services run.
	prepare(ctx context.Context, on stage) error
	// run makes requests until stop is closed, and waits for their answers.
	run(ctx context.Context, stop <-chan struct{})
	// first is closed at the first success, which firstText names; nil where nobody
	// looks for it.
	first() (closed <-chan struct{}, text string)
	progress() progress
	// settled says whether nothing is under way any more.
	settled(ctx context.Context) (bool, error)
	// report counts everything again; the services have stopped.
	report(ctx context.Context, r *Report) error
	// try are commands that work as they stand while the demo runs.
	try() []string
	close() error
}

// stage is what a scenario works on.
type stage struct {
	cluster kafka.Config
	// registry is the URL of the schema registry, "" without one.
	registry string
	folder   *folder
	dbs      *databases
	redis    *redisServer      // nil where no scenario uses one
	at       map[string]string // host:port of each service
	begun    time.Time
	seed     uint64
	// rate and maxOpen are this scenario's share.
	rate    float64
	maxOpen int
}

func (s stage) url(service string) string { return "http://" + s.at[service] }

func (s stage) ledger(name string) (*traffic.Ledger, error) {
	path, err := s.folder.file(name)
	if err != nil {
		return nil, err
	}
	return traffic.OpenLedger(path)
}

// progress is how a scenario goes. latency is of what ended.
type progress struct {
	name    string
	counts  []count
	ended   int64
	lastEnd time.Time
	latency *traffic.Histogram
	// orders and stats are those of the scenario orders.
	orders traffic.Counts
	stats  traffic.Stats
}

// count is a number for people.
type count struct {
	what string
	n    int64
}

func (p progress) String() string {
	parts := make([]string, len(p.counts))
	for i, c := range p.counts {
		parts[i] = fmt.Sprintf("%s %d", c.what, c.n)
	}
	return strings.Join(parts, "  ")
}

// allScenarios stands for each of them.
const allScenarios = "all"

// offer is a scenario that can be chosen.
type offer struct {
	system service.System
	// work is what its rate counts.
	work string
	make func() scenario
	// build makes one of its services; nil is system.New.
	build func(settings, *slog.Logger) (lifecycle.Service, error)
	// redis says that it keeps something there.
	redis bool
}

// offered are in the order of their ports.
var offered = []offer{
	{system: orders.WithTopSelling(), work: "orders", make: func() scenario { return &ordersScenario{} }},
	{system: helloSystem(), work: "greetings", make: func() scenario { return &helloScenario{} }, build: buildHello, redis: true},
	{system: hotel.System(), work: "reservations", make: func() scenario { return &hotelScenario{} }},
	{system: library.System(), work: "rents", make: func() scenario { return &libraryScenario{} }},
}

// chosen are those that are to run; the first one where nobody says.
func (o Options) chosen() (all []offer) {
	for i, each := range offered {
		if each.system.Name == o.Scenario || o.Scenario == allScenarios || o.Scenario == "" && i == 0 {
			all = append(all, each)
		}
	}
	return all
}

// services are all that run, in the order of their ports.
func (o Options) services() (all []service.Definition) {
	for _, each := range o.chosen() {
		all = append(all, each.system.Definitions...)
	}
	return all
}

// work is what the rate counts, for people.
func (o Options) work() string {
	var works []string
	for _, each := range o.chosen() {
		works = append(works, each.work)
	}
	return and(works)
}

// and joins words.
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// requests are the invariants that only customers can know.
func requests(name string, repeats, failed int64, unanswered int64, firstFailure, more string) invariants.Result {
	r := invariants.Result{
		Name: name, OK: failed == 0 && unanswered == 0,
		Detail: fmt.Sprintf("%s%d requests repeated, %d failed", more, repeats, failed),
	}
	if firstFailure != "" {
		r.Detail += ": " + firstFailure
	}
	return r
}
