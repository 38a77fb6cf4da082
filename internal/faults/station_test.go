//go:build unix

package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/internal/traffic"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

var serviceNames = []string{"order", "payment", "restaurant", "customer"}

// station is the four services under test, their databases seen from outside,
// and the customers.
type station struct {
	testing.TB
	services map[string]*program
	dbs      map[string]storage.DB
	files    map[string]string // of SQLite
	postgres bool
	cluster  kafka.Config
	traffic  *traffic.Traffic
	ledger   *traffic.Ledger
	tracker  *traffic.Tracker
	rounds   int
}

// surroundings are what a station runs on.
type surroundings struct {
	brokers  []string
	postgres string // URL; SQLite where empty
	folder   string // of SQLite's files; a temporary one where empty
	// direct leaves the proxy before Kafka out, as several brokers need it.
	direct bool
}

// patience is for one thing that must come, on a machine with much to do.
const patience = 3 * time.Minute

func newStation(t testing.TB, on surroundings, seed uint64) *station {
	t.Helper()
	s := &station{
		TB: t, services: map[string]*program{}, dbs: map[string]storage.DB{}, files: map[string]string{},
		postgres: on.postgres != "", tracker: traffic.NewTracker(),
		cluster: kafka.Config{Brokers: on.brokers, Prefix: testenv.Prefix(t), Logger: quiet},
	}
	if on.folder == "" {
		on.folder = t.TempDir()
	}
	schemas, _ := systemtest.Registry(t, s.cluster)
	addresses := map[string]string{}
	for _, name := range serviceNames {
		addresses[name] = s.add(name, on, schemas)
	}
	for _, name := range serviceNames {
		s.awaitReady(name, addresses[name])
	}
	var err error
	if s.ledger, err = traffic.OpenLedger(filepath.Join(t.TempDir(), "accepted.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.ledger.Close() })
	base := func(name string) string { return "http://" + addresses[name] }
	s.traffic = traffic.New(traffic.Config{
		Addresses: traffic.Addresses{Order: base("order"), Payment: base("payment"), Restaurant: base("restaurant"), Customer: base("customer")},
		Run:       "f", Seed: seed, GiveUp: patience, Tracker: s.tracker, Ledger: s.ledger,
	})
	if err := s.traffic.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// add starts one service and opens its database beside it.
func (s *station) add(name string, on surroundings, schemas string) (address string) {
	s.Helper()
	address, err := testservers.FreeAddr()
	if err != nil {
		s.Fatal(err)
	}
	p := &program{name: name}
	s.services[name] = p
	database, through := "sqlite:"+filepath.Join(on.folder, name+".db"), ""
	s.files[name] = filepath.Join(on.folder, name+".db")
	brokers := strings.Join(on.brokers, ",")
	if on.postgres != "" {
		database = on.postgres
		through = hostOf(s.TB, on.postgres)
	}
	schema := strings.ReplaceAll(name, "-", "_")
	// The first to open it makes the tables.
	if s.dbs[name], err = open.DB(s.Context(), database, open.Config{Schema: schema, Logger: quiet}); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { s.dbs[name].Close() })
	if !on.direct {
		p.line(s.TB, on.brokers[0], through)
		brokers = p.kafka.Addr()
		if p.db != nil {
			database = throughProxy(s.TB, database, p.db.Addr())
		}
	}
	p.start(s.TB, roleService, []string{name,
		"--listen=" + address, "--database=" + database, "--schema=" + schema, "--instance=faults-" + name,
		"--kafka=" + brokers, "--kafka-prefix=" + s.cluster.Prefix, "--registry=" + schemas, "--poll-interval=200ms", "--log-level=WARN",
	})
	return address
}

func hostOf(t testing.TB, where string) string {
	t.Helper()
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func throughProxy(t testing.TB, where, proxy string) string {
	t.Helper()
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = proxy
	return u.String()
}

func (s *station) awaitReady(name, address string) {
	s.Helper()
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	p := s.services[name]
	testenv.Wait(s.TB, "the service "+name, patience, func() bool {
		if n := p.ends.Load(); n > 0 {
			s.Fatalf("%s does not start: it ended %d times", name, n)
		}
		resp, err := client.Get("http://" + address + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (s *station) databases() invariants.Databases {
	return invariants.Databases{
		Order: s.dbs["order"], Payment: s.dbs["payment"], Restaurant: s.dbs["restaurant"], Customer: s.dbs["customer"],
		Postgres: s.postgres,
	}
}

// ordersPerRound is enough for several messages under way at once.
const ordersPerRound = 6

// round places orders, waits until nothing is under way and recomputes the
// invariants.
func (s *station) round(what string) {
	s.Helper()
	s.rounds++
	s.traffic.Burst(s.Context(), ordersPerRound)
	s.settle(what)
}

// settle waits until nothing is under way, and judges.
func (s *station) settle(what string) {
	s.Helper()
	var last string
	within(s.TB, "every order of the round "+what+" ends", &last, func() bool {
		rest, err := invariants.Remaining(s.Context(), s.databases())
		last = fmt.Sprintf("%+v %v", rest, err)
		return err == nil && rest.Settled()
	})
	s.judge(what)
}

// judge recomputes the invariants from the databases.
func (s *station) judge(what string) {
	s.Helper()
	if stats := s.traffic.Stats(); stats.Failed > 0 || stats.Mismatches > 0 {
		s.Errorf("%s: customers were answered wrongly: %+v", what, stats)
	}
	results, err := invariants.Check(s.Context(), s.databases(), s.ledger.Read)
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
	for _, r := range results {
		if !r.OK {
			s.Errorf("%s: %s is violated: %s", what, r.Name, r.Detail)
		}
	}
	if s.Failed() {
		s.FailNow()
	}
}

// finish looks at the log too, and says what was done.
func (s *station) finish(what string) {
	s.Helper()
	s.judge(what)
	messages := s.onceInTheLog()
	tally.rounds.Add(int64(s.rounds))
	tally.orders.Add(s.tracker.Counts().Placed)
	tally.messages.Add(int64(messages))
	var kills int64
	for _, p := range s.services {
		kills += p.kills.Load()
	}
	s.Logf("%s: %d rounds, %d kills, %d orders, %d messages, none lost, none twice",
		what, s.rounds, kills, s.tracker.Counts().Placed, messages)
}

// topics that the services write.
var topics = []string{"payment-request", "payment-response", "order-approval-request", "order-approval-response",
	"customer-created", "order-changed", "restaurant-changed"}

// onceInTheLog reads what was published and counts it.
func (s *station) onceInTheLog() (messages int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	for _, topic := range topics {
		seen := map[string]bool{}
		for _, r := range readCommitted(ctx, s.TB, s.cluster, topic) {
			if seen[r.ID] {
				s.Errorf("message %s is in %s twice", r.ID, topic)
			}
			seen[r.ID] = true
			messages++
		}
	}
	return messages
}
