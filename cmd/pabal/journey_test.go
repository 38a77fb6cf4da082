package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/traffic"
	"github.com/pabal-dev/pabal/kafka"
)

// TestJourney operates the order system from the command line, on the broker of
// pabal up and SQLite.
func TestJourney(t *testing.T) {
	t.Parallel()
	r := startUp(t)
	folder := t.TempDir()
	j := startServices(t, r, kafka.Config{Brokers: []string{r.kafka}}, func(name string) string {
		return "sqlite:" + filepath.Join(folder, name+".db")
	})
	j.run(t)
}

// TestJourneyOnRealServers is the same beside services on Apache Kafka and
// PostgreSQL, under a prefix of its own.
func TestJourneyOnRealServers(t *testing.T) {
	t.Parallel()
	brokers, database := testenv.Kafka(t), testenv.Postgres(t)
	prefix := testenv.Prefix(t)
	r := startUp(t, "--kafka="+strings.Join(brokers, ","), "--kafka-prefix="+prefix)
	j := startServices(t, r, kafka.Config{Brokers: brokers, Prefix: prefix}, func(string) string { return database })
	j.run(t)
}

// journey is a console and the services it sees.
type journey struct {
	*running
	prefix string
	order  string // the order service's address
	sample traffic.Sample
}

// startServices starts the four, and opens a shop.
func startServices(t *testing.T, r *running, cluster kafka.Config, database func(name string) string) journey {
	t.Helper()
	at := map[string]string{}
	for _, d := range orders.System().Definitions {
		s, err := orders.System().New(d.Name, service.Config{
			Listen: "127.0.0.1:0", Database: database(d.Name), Kafka: cluster,
			Schema: d.Name,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			if err := s.Stop(ctx); err != nil {
				t.Error(err)
			}
		})
		at[d.Name] = "http://" + s.Addr()
	}
	ledger, err := traffic.OpenLedger(filepath.Join(t.TempDir(), "accepted"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ledger.Close() })
	shop := traffic.New(traffic.Config{
		Addresses: traffic.Addresses{Order: at["order"], Payment: at["payment"], Restaurant: at["restaurant"], Customer: at["customer"]},
		Run:       "journey", Seed: 1, Rate: 1, MaxOpen: 1, Tracker: traffic.NewTracker(), Ledger: ledger,
	})
	if err := shop.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return journey{r, cluster.Prefix, at["order"], shop.Sample()}
}

func (j journey) run(t *testing.T) {
	testenv.Wait(t, "the services in the console", 30*time.Second, func() bool {
		n := 0
		for _, s := range answer[[]api.Service](t, j.running, "services") {
			if s.Problem == "" && s.Status != nil {
				n++
			}
		}
		return n == 4
	})
	j.trace(t, j.place(t), true)
	j.stuck(t)
	j.redrive(t)
	j.replay(t)
}

// place places an order and returns its id.
func (j journey) place(t *testing.T) string {
	t.Helper()
	body := fmt.Sprintf(`{"customerId":%q,"restaurantId":%q,"items":[{"productId":%q,"quantity":1}],"price":%d}`,
		j.sample.Customer, j.sample.Restaurant, j.sample.Product, j.sample.Price)
	res, err := http.Post(j.order+"/orders", "application/json", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var placed struct{ OrderID string }
	if err := json.NewDecoder(res.Body).Decode(&placed); err != nil || placed.OrderID == "" {
		t.Fatalf("%s: %v", res.Status, err)
	}
	return placed.OrderID
}

// trace waits until the transaction is as it should be.
func (j journey) trace(t *testing.T, id string, complete bool) api.Trace {
	t.Helper()
	var last result
	var trace api.Trace
	testenv.Wait(t, "the trace of "+id, 60*time.Second, func() bool {
		last = pabal(t, "trace", id, "--server="+j.server, "--output=json")
		trace = api.Trace{}
		if last.code != exitOK || json.Unmarshal([]byte(last.stdout), &trace) != nil {
			return false
		}
		if complete {
			return trace.Complete && len(trace.Hops) > 8
		}
		return trace.Stuck != nil && trace.Stuck.Cause == api.CauseRelayStopped && trace.Stuck.Action != nil
	})
	return trace
}

// stuck pauses a relay, finds the order that waits for it, and does what the trace
// says.
func (j journey) stuck(t *testing.T) {
	j.good(t, "outbox", "pause", "payment", "--reason=a look")
	id := j.place(t)
	command := j.trace(t, id, false).Stuck.Action.Command
	text := j.good(t, "trace", id)
	if !strings.Contains(text, "Stuck: (relay-stopped)") || !strings.Contains(text, command) {
		t.Errorf("%s", text)
	}
	if got := j.good(t, "outbox"); !strings.Contains(got, "paused") {
		t.Errorf("%s", got)
	}
	j.good(t, strings.Fields(command)[1:]...)
	j.trace(t, id, true)
}

// redrive sends a message nobody can handle, and mends it in the redrive.
func (j journey) redrive(t *testing.T) {
	const bad = `{"id":"0190a0a0-0000-7000-8000-000000000001","paymentOrderStatus":"NONSENSE"}`
	j.good(t, "produce", j.prefix+"payment-request", bad, "--key=0190a0a0-0000-7000-8000-000000000001", "--type=payment-request")
	var kind api.Fingerprint
	testenv.Wait(t, "the dead letter", 30*time.Second, func() bool {
		page := answer[api.Page[api.Fingerprint]](t, j.running, "dead-letters")
		if len(page.Items) == 1 {
			kind = page.Items[0]
		}
		return kind.Open == 1
	})
	letter := answer[api.Page[api.DeadLetter]](t, j.running, "dead-letters", "letters", kind.ID).Items[0]
	if shown := j.good(t, "dead-letters", "show", letter.ID); !strings.Contains(shown, "NONSENSE") {
		t.Errorf("%s", shown)
	}
	plan := answer[api.Redrive](t, j.running, "dead-letters", "redrive", "--fingerprint", kind.ID, "--dry-run")
	if plan.Total != 1 || plan.State != "planned" {
		t.Errorf("%+v", plan)
	}
	mended := filepath.Join(t.TempDir(), "value.json")
	value := fmt.Sprintf(`{"id":"0190a0a0-0000-7000-8000-000000000001","customerId":%q,"price":1,"paymentOrderStatus":"CANCELLING","createdAt":"2026-01-01T00:00:00Z"}`, j.sample.Customer)
	if err := os.WriteFile(mended, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	job := answer[api.Redrive](t, j.running, "dead-letters", "redrive", letter.ID, "--value-file="+mended, "--reason=mended", "--rate=10")
	testenv.Wait(t, "the redrive to be handled", 60*time.Second, func() bool {
		now := answer[api.Redrive](t, j.running, "dead-letters", "jobs", job.ID)
		return now.State == "done" && now.Handled == 1
	})
}

// replay moves a service's consumer back: first only in thought.
func (j journey) replay(t *testing.T) {
	group := j.prefix + "restaurant-service"
	args := []string{"groups", "reset", group, "--topic=" + j.prefix + "order-approval-request", "--to=earliest"}
	plan := answer[api.ResetPlan](t, j.running, append(args, "--dry-run")...)
	if !plan.Replay || !plan.DryRun || len(plan.Moves) == 0 {
		t.Errorf("%+v", plan)
	}
	done := answer[api.ResetPlan](t, j.running, args...)
	if !done.Replay || done.DryRun {
		t.Errorf("%+v", done)
	}
	testenv.Wait(t, "the group to be at the end again", 60*time.Second, func() bool {
		return answer[api.Group](t, j.running, "groups", "show", group).Lag == 0
	})
}
