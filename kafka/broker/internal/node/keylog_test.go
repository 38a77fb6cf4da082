package node

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs/simfs"
)

// coordinator appends sets under a lock that done needs too, as real ones do.
type coordinator struct {
	mu       sync.Mutex
	node     *Node
	appended int
	answered []error
	all      sync.WaitGroup
}

// append keeps a set of records whose keys say which of the set they are.
func (c *coordinator) append(records int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set := make([]keylog.Record, records)
	for i := range set {
		set[i] = keylog.Record{Key: fmt.Appendf(nil, "%d/%d/%d", c.appended, i, records), Value: []byte("v")}
	}
	number := c.appended
	c.appended++
	c.all.Add(1)
	c.node.KeyLog(Txns).Append(set, func(err error) {
		defer c.all.Done()
		c.mu.Lock()
		defer c.mu.Unlock()
		if number != len(c.answered) {
			err = errors.Join(err, fmt.Errorf("set %d is answered after %d", number, len(c.answered)))
		}
		c.answered = append(c.answered, err)
	})
}

// sets returns how many sets the log has, and fails where one is torn or out of order.
func sets(t *testing.T, n *Node) (count int) {
	t.Helper()
	rest := 0
	err := n.Replay(Txns, func(r keylog.Record) error {
		var set, i, records int
		if _, err := fmt.Sscanf(string(r.Key), "%d/%d/%d", &set, &i, &records); err != nil {
			return err
		}
		if rest == 0 && (i != 0 || set != count) || rest > 0 && (set != count || i != records-rest) {
			return fmt.Errorf("%s after %d sets and %d records more", r.Key, count, rest)
		}
		if rest = records - i - 1; rest == 0 {
			count++
		}
		return nil
	})
	if err != nil || rest != 0 {
		t.Fatalf("%d records are missing: %v", rest, err)
	}
	return count
}

func TestKeyLogOrder(t *testing.T) {
	n := open(t, Options{})
	c := &coordinator{node: n}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 100 {
				c.append(1 + i%3)
			}
		})
	}
	group.Wait()
	c.all.Wait()
	if err := errors.Join(c.answered...); err != nil || len(c.answered) != 800 {
		t.Fatalf("%d answers: %v", len(c.answered), err)
	}
	if got := sets(t, n); got != 800 {
		t.Errorf("%d sets", got)
	}
}

// TestKeyLogAnswersMayAppend though the partition has its turn, and the group is full.
func TestKeyLogAnswersMayAppend(t *testing.T) {
	n := open(t, Options{FS: simfs.New(), Dir: "data"})
	topic := create(t, n, "t", 1)
	done := make(chan error)
	n.KeyLog(Txns).Append([]keylog.Record{keylog.ProducerIDs(1)}, func(error) {
		done <- put(topic.Partition(0), "from an answer") // waits for the journal
	})
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestKeyLogFailure has everything after a failure fail, and nothing after it written.
func TestKeyLogFailure(t *testing.T) {
	for _, kind := range []string{"write", "sync"} {
		for after := range 6 {
			t.Run(fmt.Sprint(kind, " ", after), func(t *testing.T) { testKeyLogFailure(t, kind, after) })
		}
	}
}

func testKeyLogFailure(t *testing.T, kind string, after int) {
	fs := simfs.New()
	o := Options{FS: fs, Dir: "data"}
	n := open(t, o)
	c := &coordinator{node: n}
	var mu sync.Mutex
	seen := 0
	fs.Hook(func(op simfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if op.Kind != kind {
			return nil
		}
		if seen++; seen == after+1 {
			return errDisk
		}
		return nil
	})
	for range 20 {
		c.append(2)
		if after%2 == 0 {
			c.all.Wait()
		}
	}
	c.all.Wait()
	good := 0
	for good < len(c.answered) && c.answered[good] == nil {
		good++
	}
	for i, err := range c.answered[good:] {
		if !errors.Is(err, errDisk) || strings.Contains(err.Error(), "is answered after") {
			t.Errorf("set %d after the failure: %v", i, err)
		}
	}
	fs.Hook(nil)
	n.Kill()
	again := open(t, o)
	if got := sets(t, again); got < good || got > 20 || good == 20 && got != 20 {
		t.Errorf("%d sets were acknowledged, %d are there", good, got)
	}
}

// TestKeyLogCrash has the power go at any operation: sets are there whole, in order, and
// all that were answered.
func TestKeyLogCrash(t *testing.T) {
	const seed = 3
	rnd := rand.New(rand.NewPCG(seed, 0))
	fs := simfs.New()
	c := &coordinator{node: open(t, Options{FS: fs, Dir: "data"})}
	type clone struct {
		fs       *simfs.FS
		answered int
	}
	var mu sync.Mutex
	var clones []clone
	fs.Hook(func(simfs.Op) error {
		mu.Lock()
		defer mu.Unlock()
		if len(clones) < 60 && rnd.IntN(2) == 0 {
			c.mu.Lock()
			answered := len(c.answered)
			c.mu.Unlock()
			clones = append(clones, clone{fs.Crash(rnd), answered})
		}
		return nil
	})
	for i := range 200 {
		c.append(1 + i%4)
		if i%5 == 0 {
			c.all.Wait()
		}
	}
	c.all.Wait()
	fs.Hook(nil)
	for i, l := range clones {
		n := open(t, Options{FS: l.fs, Dir: "data"})
		if got := sets(t, n); got < l.answered {
			t.Errorf("clone %d: %d sets were answered, %d are there", i, l.answered, got)
		}
		n.Kill()
	}
}

// TestKeyLogEnd answers all that wait, and those that come later.
func TestKeyLogEnd(t *testing.T) {
	for _, kill := range []bool{false, true} {
		n := open(t, Options{FS: simfs.New(), Dir: "data"})
		c := &coordinator{node: n}
		for range 50 {
			c.append(1)
		}
		if kill {
			n.Kill()
		} else if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		c.append(1)
		c.all.Wait()
		if last := c.answered[50]; !errors.Is(last, ErrClosed) {
			t.Errorf("kill %v: a set after the end: %v", kill, last)
		}
		if err := errors.Join(c.answered[:50]...); !kill && err != nil {
			t.Error(err)
		}
	}
}

func TestKeyLogTooLarge(t *testing.T) {
	n := open(t, Options{})
	value := make([]byte, 1<<20)
	set := make([]keylog.Record, 101)
	for i := range set {
		set[i] = keylog.Record{Key: []byte("k"), Value: value}
	}
	done := make(chan error)
	n.KeyLog(Security).Append(set, func(err error) { done <- err })
	if err := <-done; err == nil || !strings.Contains(err.Error(), Security) {
		t.Errorf("a set of 101 MiB: %v", err)
	}
}

// TestReplayKeeps has records that were handed out stay as they are, while more is read.
func TestReplayKeeps(t *testing.T) {
	n := open(t, Options{})
	kept := make(chan error, 1)
	const count = 40
	for i := range count {
		value := strings.Repeat(string(rune('a'+i%26)), 100_000)
		n.KeyLog(Offsets).Append([]keylog.Record{{Key: fmt.Append(nil, i), Value: []byte(value)}, {Key: fmt.Append(nil, -i)}}, func(err error) { kept <- err })
		if err := <-kept; err != nil {
			t.Fatal(err)
		}
	}
	var all []keylog.Record
	if err := n.Replay(Offsets, func(r keylog.Record) error { all = append(all, r); return nil }); err != nil || len(all) != 2*count {
		t.Fatalf("%d records, %v", len(all), err)
	}
	for i := range count {
		want := strings.Repeat(string(rune('a'+i%26)), 100_000)
		if r := all[2*i]; string(r.Key) != fmt.Sprint(i) || string(r.Value) != want {
			t.Fatalf("record %d is %s: %.20q", i, r.Key, r.Value)
		}
		if all[2*i+1].Value != nil {
			t.Fatalf("tombstone %d has a value", i)
		}
	}
}

func TestReplayDamaged(t *testing.T) {
	fs := simfs.New()
	n := open(t, Options{FS: fs, Dir: "data"})
	for i := range 3 {
		c := &coordinator{node: n, appended: i}
		c.answered = make([]error, i)
		c.append(1)
		c.all.Wait()
	}
	p := n.catalog.Load().byName[Txns].Partition(0)
	read, err := p.log.Read(0, 1<<20, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := batch.Parse(read.Data)
	if err != nil {
		t.Fatal(err)
	}
	file := p.folder() + "/00000000000000000000.log"
	if err := fs.Flip(file, int64(first.Size+first.Size-1), 1); err != nil {
		t.Fatal(err)
	}
	err = n.Replay(Txns, func(keylog.Record) error { return nil })
	if !errors.Is(err, batch.ErrCorrupt) || !strings.Contains(err.Error(), Txns+", offset 1") || !strings.Contains(err.Error(), file) {
		t.Errorf("a damaged record: %v", err)
	}
	wrong := errors.New("of a version that is not known")
	err = n.Replay(Txns, func(keylog.Record) error { return wrong })
	if !errors.Is(err, wrong) || !strings.Contains(err.Error(), Txns+", offset 0") {
		t.Errorf("a record that take refuses: %v", err)
	}
	if err := n.Replay("t", nil); err == nil {
		t.Error("there is no topic t")
	}
}

// TestAnswersInOrder, and nothing after a failure is told to be durable.
func TestAnswersInOrder(t *testing.T) {
	var a answers
	a.changed.L = &a.mu
	var got []string
	for i := range 4 {
		a.add([]set{{done: func(err error) { got = append(got, fmt.Sprintf("%d %v", i, err)) }}})
	}
	for _, i := range []uint64{3, 1, 0, 2} {
		err := error(nil)
		if i == 1 {
			err = errDisk
		}
		a.settle(i, err)
	}
	a.close()
	a.give()
	want := []string{"0 <nil>", fmt.Sprint("1 ", errDisk), fmt.Sprint("2 ", errDisk), fmt.Sprint("3 ", errDisk)}
	if !slices.Equal(got, want) {
		t.Errorf("answers: %q, want %q", got, want)
	}
}
