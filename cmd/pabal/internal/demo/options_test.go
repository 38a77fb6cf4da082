package demo

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/invariants"
)

func TestRedact(t *testing.T) {
	for database, want := range map[string]string{
		"sqlite":                             "sqlite",
		"postgres://u:secret@there:5432/x":   "postgres://u@there:5432/x",
		"postgres://there/x?password=secret": "postgres://there/x",
		"postgres://u:sec ret@there/x":       "postgres://…",
		"postgres://u:sec%ret@there/x":       "postgres://…",
	} {
		if got := redact(database); got != want {
			t.Errorf("redact(%q) is %q, want %q", database, got, want)
		}
	}
}

// TestReportIsStable holds the form that other programs read.
func TestReportIsStable(t *testing.T) {
	r := Report{
		Backends: Backends{Kafka: "embedded", Database: "sqlite"}, Outbox: "relay", Codec: "avro", Orders: Orders{4, 2, 1, 1}, Latency: Latency{1.5, 20},
		Rate: 19.9, Crashes: 3, Invariants: []invariants.Result{{Name: "money", OK: true, Detail: "a < b"}},
	}
	var out strings.Builder
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `{"backends":{"kafka":"embedded","database":"sqlite"},"outbox":"relay","codec":"avro","orders":{"placed":4,"approved":2,"cancelled":1,"stuck":1},` +
		`"latency_ms":{"p50":1.5,"p99":20},"rate_per_s":19.9,"crashes":3,"invariants":[{"name":"money","ok":true,"detail":"a < b"}]}` + "\n"
	if out.String() != want {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
	if r.OK() {
		t.Error("a report with a stuck order is good")
	}
	r.Hello = &invariants.HelloCounts{In: 7, Keys: 3, Stuck: 2, RedisEqual: true}
	r.Backends.Redis = "embedded"
	r.Hotel = &invariants.HotelCounts{Reserved: 9, Confirmed: 5, Failed: 2, Cancelled: 1, Stuck: 1}
	r.Library = &invariants.LibraryCounts{Rents: 8, Returned: 4, Compensated: 2, NeedsReview: 1, Stuck: 3}
	out.Reset()
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	want = `"hello":{"in":7,"keys":3,"stuck":2,"redis_equal":true},"hotel":{"reserved":9,"confirmed":5,"failed":2,"cancelled":1,"stuck":1},"library":{"rents":8,"returned":4,"compensated":2,"needs_review":1,"stuck":3}`
	if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), `"database":"sqlite","redis":"embedded"}`) {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
	r.Orders.Stuck = 0
	for _, stuck := range []*int64{&r.Hello.Stuck, &r.Hotel.Stuck, &r.Library.NeedsReview, &r.Library.Stuck} {
		if r.OK() {
			t.Error("a report with something stuck is good")
		}
		*stuck = 0
	}
	if !r.OK() {
		t.Error("a report without a fault is not good")
	}
	r.Hello.RedisEqual = false
	if r.OK() {
		t.Error("a report of a wrong copy is good")
	}
	r.Hello.RedisEqual = true
	r.Invariants[0].OK = false
	if r.OK() {
		t.Error("a report with a violated invariant is good")
	}
}

// TestInterruptWhileStarting leaves nothing.
func TestInterruptWhileStarting(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "demo")
	interrupts := make(chan struct{}, 1)
	interrupts <- struct{}{}
	var out strings.Builder
	err := Run(t.Context(), Options{
		Rate: 20, Seed: 1, DataDir: folder, Kafka: []string{"192.0.2.1:9092"}, // answers nobody
		Database: sqlite, MaxOpen: 10, Drain: 1, Stdout: &out, Stderr: &out, Interrupts: interrupts,
	})
	if !errors.Is(err, ErrAborted) {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is still there (%v)", err)
	}
}

func TestFolderKeepsItsNames(t *testing.T) {
	o := Options{DataDir: filepath.Join(t.TempDir(), "demo"), Database: "postgres://u:secret@there/x"}
	first, err := openFolder(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(o); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("opened twice: %v", err)
	}
	if err := errors.Join(first.begin(), first.close(false)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(o.DataDir, manifestName))
	if err != nil || strings.Contains(string(data), "secret") || !json.Valid(data) {
		t.Fatalf("%v\n%s", err, data)
	}
	o.Database = "postgres://u:changed@there/x" // a password may change
	second, err := openFolder(o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.close(false)
	if second.manifest.Run != first.manifest.Run || second.manifest.Starts != 1 || second.key() == "" {
		t.Errorf("%+v, then %+v", first.manifest, second.manifest)
	}
}
