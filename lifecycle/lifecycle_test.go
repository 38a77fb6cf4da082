package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/lifecycle"
)

// part records what is done to it.
type part struct {
	name              string
	log               *[]string
	failStart, failed error
}

func (p part) Start(context.Context) error {
	*p.log = append(*p.log, "start "+p.name)
	return p.failStart
}

func (p part) Stop(context.Context) error {
	*p.log = append(*p.log, "stop "+p.name)
	return p.failed
}

func Example() {
	var log []string
	var g lifecycle.Group
	g.Add("database", part{name: "database", log: &log})
	g.Add("relay", part{name: "relay", log: &log})
	ctx := context.Background()
	fmt.Println(g.Start(ctx), g.Stop(ctx), g.Stop(ctx))
	fmt.Println(strings.Join(log, ", "))
	// Output:
	// <nil> <nil> <nil>
	// start database, start relay, stop relay, stop database
}

func TestFailedStartStopsThoseBefore(t *testing.T) {
	broken := errors.New("port busy")
	var log []string
	var g lifecycle.Group
	g.Add("a", part{name: "a", log: &log})
	g.Add("b", part{name: "b", log: &log, failStart: broken})
	g.Add("c", part{name: "c", log: &log})
	err := g.Start(t.Context())
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "b: port busy") {
		t.Errorf("got %v", err)
	}
	if got := strings.Join(log, ", "); got != "start a, start b, stop a" {
		t.Errorf("got %s", got)
	}
}

func TestStopReachesAllThoughOneFails(t *testing.T) {
	stuck := errors.New("stuck")
	var log []string
	var g lifecycle.Group
	g.Add("a", part{name: "a", log: &log})
	g.Add("b", part{name: "b", log: &log, failed: stuck})
	if err := g.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.Stop(t.Context()); !errors.Is(err, stuck) {
		t.Errorf("got %v", err)
	}
	if got := strings.Join(log, ", "); got != "start a, start b, stop b, stop a" {
		t.Errorf("got %s", got)
	}
}
