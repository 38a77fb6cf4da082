package kstreams

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

var caseCount = flag.Int64("cases", 0, "how many cases of the seed; 0 is the test's choice")

var onlyCase = flag.Int64("case", -1, "run this case of the seed alone")

// Random topologies with random inputs give, record by record, what Kafka Streams makes of
// them.
func TestDifferential(t *testing.T) { differential(t, 400) }

func TestDifferentialLong(t *testing.T) {
	testenv.Full(t)
	differential(t, 30_000)
}

// What differed once stays as it is now.
func TestKnownCases(t *testing.T) {
	peer := Start(t)
	lines, err := os.ReadFile("testdata/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		c := new(Case)
		if err := json.Unmarshal(line, c); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var covered coverage
		check(t, peer, c, &covered)
		if len(covered.refused) > 0 {
			t.Errorf("case %d is none any more: %v", c.ID, covered.refused)
		}
	}
}

// enough differences are printed.
const enough = 3

func differential(t *testing.T, cases int64) {
	if *caseCount > 0 {
		cases = *caseCount
	}
	seed := testenv.Rand(t).Uint64()
	if *onlyCase >= 0 {
		check(t, Start(t), caseOf(seed, *onlyCase), &coverage{})
		return
	}
	var next, found atomic.Int64
	var covered coverage
	var workers sync.WaitGroup
	for range 2 {
		peer := Start(t)
		workers.Go(func() {
			for n := next.Add(1) - 1; n < cases && found.Load() < enough; n = next.Add(1) - 1 {
				if !check(t, peer, caseOf(seed, n), &covered) {
					found.Add(1)
				}
			}
		})
	}
	workers.Wait()
	covered.report(t, cases)
}

// check compares a case and, where it differs, prints a smaller one that does.
func check(t *testing.T, peer *Peer, c *Case, covered *coverage) bool {
	d, theirs, err := compare(t, peer, c)
	if err != nil {
		t.Errorf("case %d: %v", c.ID, err)
		return false
	}
	covered.add(c, theirs)
	if d == "" {
		return true
	}
	small := shrink(c, func(c *Case) bool {
		oneStreamTime(c)
		d, _, err := compare(t, peer, c)
		return err == nil && d != ""
	})
	d, _, err = compare(t, peer, small)
	line, _ := json.Marshal(small)
	t.Errorf("case %d (repeat it with -case %d) differs, made smaller as\n%s\n%v %v\n%s", c.ID, c.ID, listing(small), d, err, line)
	return false
}

// compare runs a case on both sides. There is no difference in what is no topology for Kafka
// Streams.
func compare(t *testing.T, peer *Peer, c *Case) (d string, theirs *Result, err error) {
	theirs, err = peer.Run(c)
	if err != nil || theirs.Error != "" && theirs.At < 0 {
		return "", theirs, err
	}
	ours, err := runOurs(t, c)
	if errors.Is(err, errInvalid) {
		theirs.Error = err.Error()
		return "", theirs, nil
	}
	if err != nil {
		return "", theirs, err
	}
	d = difference(c, theirs, ours)
	if d != "" && !c.Disk {
		// Ours is like the store on disk where Kafka Streams' stores differ among themselves.
		onDisk := *c
		onDisk.Disk = true
		if other, err := peer.Run(&onDisk); err != nil || difference(c, other, ours) == "" {
			return "", theirs, err
		}
	}
	return d, theirs, nil
}

// listing is a case for people.
func listing(c *Case) string {
	var b strings.Builder
	for _, n := range c.Nodes {
		line, _ := json.Marshal(n)
		fmt.Fprintf(&b, "  %s\n", line)
	}
	for i, e := range c.Events {
		fmt.Fprintf(&b, "  %d: %s\n", i, e)
	}
	return b.String()
}

// coverage counts the cases in which an operator was, and those with output.
type coverage struct {
	mu           sync.Mutex
	cases, fruit map[string]int
	refused      []string // errors of cases that Kafka Streams or ours cannot run
}

func (v *coverage) add(c *Case, theirs *Result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cases == nil {
		v.cases, v.fruit = map[string]int{}, map[string]int{}
	}
	if theirs.Error != "" && theirs.At < 0 {
		v.refused = append(v.refused, theirs.Error)
	}
	came := slices.ContainsFunc(theirs.Steps, func(s map[string][]Row) bool { return len(s) > 0 })
	for _, n := range c.Nodes {
		name := n.Op
		if n.Window != nil {
			name += " " + n.Window.Type + " " + n.Emit
		}
		name += n.Join + n.Until
		v.cases[name]++
		if came {
			v.fruit[name]++
		}
	}
}

// report fails where an operator was left out.
func (v *coverage) report(t *testing.T, cases int64) {
	for _, op := range slices.Sorted(maps.Keys(v.cases)) {
		t.Logf("%-32s %5d nodes, %5d in cases with output", op, v.cases[op], v.fruit[op])
	}
	for _, e := range explained {
		t.Logf("not compared: %s (%s)", e.what, e.how)
	}
	for _, e := range v.refused[:min(len(v.refused), 5)] {
		t.Logf("refused: %.300s", e)
	}
	if int64(len(v.refused)) > cases/50 {
		t.Errorf("%d of %d cases were refused", len(v.refused), cases)
	}
	for op := range operators {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(v.fruit)), func(name string) bool { return strings.HasPrefix(name, op) }) {
			t.Errorf("no case with operator %s had output", op)
		}
	}
}
