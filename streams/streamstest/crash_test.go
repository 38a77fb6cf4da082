package streamstest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/semantics"
	"github.com/pabal-dev/pabal/streams/serde"
)

// TestCrashes cuts runs of every topology of package semantics at steps of their commits: the
// transaction is aborted or committed, the stores have their batch or not. What comes out
// is what comes out of an undisturbed run, once.
func TestCrashes(t *testing.T) {
	r := testenv.Rand(t)
	for _, c := range crashable() {
		cut(t, r, c, 1, func(steps int) (at [][]int) {
			for n := r.IntN(4); n < steps; n += 4 {
				at = append(at, []int{n})
			}
			return at
		})
	}
}

// TestCrashesEverywhere cuts at every step, twice in a run, and has several records in a
// transaction where these are in order however they come.
func TestCrashesEverywhere(t *testing.T) {
	testenv.Full(t)
	r := testenv.Rand(t)
	for range 8 {
		for _, c := range crashable() {
			cut(t, r, c, 1, func(steps int) (at [][]int) {
				for n := range steps {
					at = append(at, []int{n}, []int{n, n + 1 + r.IntN(4)})
				}
				return at
			})
			if simple(t, c) {
				cut(t, r, c, 3, func(steps int) (at [][]int) {
					for n := range steps {
						at = append(at, []int{n})
					}
					return at
				})
			}
		}
	}
}

// simple topologies are one task with one input.
func simple(t *testing.T, c semantics.Case) bool {
	topology, err := c.Topology()
	if err != nil {
		t.Fatal(err)
	}
	p := topology.Plan()
	return len(p.Subs) == 1 && len(p.Globals) == 0 && len(p.Subs[0].Sources()) == 1 && len(p.Subs[0].Sources()[0].Topics) == 1
}

// cut runs c undisturbed, and then with crashes at steps.
func cut(t *testing.T, r *rand.Rand, c semantics.Case, commitEvery int, choose func(steps int) [][]int) {
	inputs := randomInput(t, r, c)
	t.Run(c.Name, func(t *testing.T) {
		undisturbed := cutting{t: t, c: c, commitEvery: commitEvery}
		want, steps := undisturbed.run(inputs)
		if steps < 2*len(inputs)/3/commitEvery {
			t.Fatalf("%d steps of commits for %d records", steps, len(inputs))
		}
		for i, at := range choose(steps) {
			run := undisturbed
			run.at = at
			if i%2 == 0 {
				run.reopen = loseAll
			}
			got, _ := run.run(inputs)
			compare(t, fmt.Sprintf("crash at step %v of %d, stores lost %t", at, steps, i%2 == 0), got, want)
		}
	})
}

// TestCrashesOfTheMachine has stores on a disk that a crash leaves at any earlier batch.
func TestCrashesOfTheMachine(t *testing.T) {
	r := testenv.Rand(t)
	all := crashable()
	for range 12 {
		c := all[r.IntN(len(all))]
		inputs := randomInput(t, r, c)
		want, steps := (&cutting{t: t, c: c, commitEvery: 1}).run(inputs)
		for range 4 {
			fs := vfs.NewCrashableMem()
			db, err := openOn(fs)
			if err != nil {
				t.Fatal(err)
			}
			crash := func(old *local.DB) (*local.DB, error) {
				fs = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: rand.New(rand.NewPCG(1, 2))})
				old.Close()
				return openOn(fs)
			}
			at := r.IntN(steps)
			got, _ := (&cutting{t: t, c: c, commitEvery: 1, at: []int{at}, db: db, reopen: crash}).run(inputs)
			compare(t, fmt.Sprintf("%s, step %d", c.Name, at), got, want)
		}
	}
}

// crashable leaves out stores that are lost for good, and topics of random names.
func crashable() []semantics.Case {
	return slices.DeleteFunc(semantics.Cases(), func(c semantics.Case) bool {
		return strings.Contains(c.Name, "without a changelog") || c.Name == "to chosen topics"
	})
}

func openOn(fs vfs.FS) (*local.DB, error) {
	return local.Open(local.Options{Dir: "stores", FS: fs, MemoryBytes: 8 << 20})
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("%s: outputs differ from number %d on:\n got %v\nwant %v", what, i, got[min(i, len(got)):], want[min(i, len(want)):])
			return
		}
	}
}

// piped is a record of the input.
type piped struct {
	topic string
	r     streams.Record[string, string]
}

// randomInput has few keys, tombstones and null keys. Times of one topic are out of order; of
// several they are not, because what waits in both is processed in order of time.
func randomInput(t *testing.T, r *rand.Rand, c semantics.Case) []piped {
	topics, err := c.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	var all []piped
	var now int64
	for range 14 {
		now += int64(r.IntN(6)) + 1
		p := piped{topics[r.IntN(len(topics))], streams.Record[string, string]{
			Key: string(rune('a' + r.IntN(3))), Value: fmt.Sprintf("%c%d", 'a'+r.IntN(3), r.IntN(3)), Timestamp: now,
		}}
		if len(topics) == 1 {
			p.r.Timestamp = max(0, now-int64(r.IntN(12)))
		}
		p.r.NoValue = r.IntN(8) == 0
		p.r.NoKey = r.IntN(16) == 0
		all = append(all, p)
	}
	return all
}

// cutting is a run that crashes at some steps of its commits.
type cutting struct {
	t           testing.TB
	c           semantics.Case
	commitEvery int
	at          []int
	db          *local.DB
	reopen      func(*local.DB) (*local.DB, error)
}

// run returns what came out, and how many steps there were.
func (c *cutting) run(inputs []piped) (out []string, steps int) {
	topology, err := c.c.Topology()
	if err != nil {
		c.t.Fatal(err)
	}
	d := newDriver(c.t, topology.Plan(), WithCommitEvery(c.commitEvery))
	defer d.Close()
	if c.db != nil {
		d.db.Close()
		d.db = c.db
	}
	d.crash = func(string) bool { steps++; return slices.Contains(c.at, steps-1) }
	d.reopen = c.reopen
	if err := d.open(); err != nil {
		c.t.Fatal(err)
	}
	text := serde.String()
	for _, p := range inputs {
		if err := Input(d, p.topic, text, text).TryPipeRecord(p.r); err != nil {
			c.t.Fatal(err)
		}
	}
	for range 2 { // the first may be the one that is cut
		if err := d.TryCommit(); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, r := range Output(d, "out", text, text).ReadAll() {
		out = append(out, fmt.Sprintf("%s/%t=%s/%t@%d", r.Key, r.NoKey, r.Value, r.NoValue, r.Timestamp))
	}
	return out, steps
}
