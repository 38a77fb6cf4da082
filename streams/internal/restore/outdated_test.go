package restore

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// away makes a space that has the changelog's present contents, and a key whose tombstone was
// compacted away while it was gone.
func (e *env) away() {
	e.Helper()
	e.produce("a", "1", "b", "2", "c", "3")
	e.restore()
	b := e.db.NewBatch()
	b.Set(e.space, []byte("gone"), []byte("4"))
	e.must(b.Commit())
}

// fill has a job of either mode come to the end.
func (e *env) fill(mode Mode) {
	e.Helper()
	j := e.add(e.spec(mode))
	e.await(j.Done())
	e.must(j.Err())
	e.remove(j)
}

func TestSpaceThatMayLackDeletionsIsRestoredAnew(t *testing.T) {
	for _, c := range []struct {
		name   string
		away   time.Duration
		config map[string]string // of the changelog
		missed []string
		anew   bool
	}{
		{"long away", 25 * time.Hour, nil, []string{"a", "5", "b", "-"}, true},
		{"within the margin", 23*time.Hour + time.Minute, nil, []string{"a", "5", "b", "-"}, true},
		{"not so long", 22 * time.Hour, nil, []string{"a", "5", "b", "-"}, false},
		{"long away, and nothing happened", 1000 * time.Hour, nil, nil, false},
		{"long away, and the last record is missing", 1000 * time.Hour, nil, []string{"b", "-"}, false},
		{"deletions are kept longer", 25 * time.Hour, map[string]string{"delete.retention.ms": "172800000"}, []string{"a", "5", "b", "-"}, false},
		{"deletions are kept for a minute", 2 * time.Minute, map[string]string{"delete.retention.ms": "60000"}, []string{"a", "5", "b", "-"}, true},
		{"not compacted", 25 * time.Hour, map[string]string{"cleanup.policy": "delete"}, []string{"a", "5", "b", "-"}, false},
	} {
		for mode, name := range map[Mode]string{Active: "active", Standby: "standby"} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				e := inProcess(t)
				e.away()
				e.configure(c.config)
				e.produce(c.missed...)
				e.later(c.away)
				e.fill(mode)
				if _, kept := e.contents(e.space)["gone"]; kept == c.anew {
					t.Errorf("restored from the beginning: %v, want %v: %v", !kept, c.anew, e.contents(e.space))
				}
			})
		}
	}
}

func TestOutdatedSpaceOnApacheKafka(t *testing.T) {
	everywhere(t, func(e *env) {
		e.away()
		e.produce("a", "5", "b", "-")
		e.later(25 * time.Hour)
		e.restore()
		e.wantSpace(e.end(), "a", "5", "c", "3")
	})
}

// The offset of a transaction's last record is one before the changelog's end.
func TestOldSpaceOfATransactionIsKept(t *testing.T) {
	everywhere(t, func(e *env) {
		e.away()
		last := e.begin("last")
		last.produce("a", "5")
		last.end(kgo.TryCommit)
		testenv.Wait(t, "the transaction's end in the changelog", soon, func() bool { return e.end() == 5 })
		b := e.db.NewBatch()
		b.Set(e.space, []byte("a"), []byte("5"))
		b.SetOffset(e.space, e.end()-1)
		e.must(b.Commit())
		e.later(1000 * time.Hour)
		e.restore()
		e.wantSpace(e.end(), "a", "5", "b", "2", "c", "3", "gone", "4")
	})
}

func TestStandbyNotesThatItHasEverything(t *testing.T) {
	e := inProcess(t)
	e.away()
	j := e.add(e.spec(Standby))
	e.await(j.Done())
	e.later(20 * time.Hour)
	testenv.Wait(t, "a note", soon, func() bool { return e.now().Sub(e.space.Mark().AsOf) < time.Hour })
	e.remove(j)
	e.produce("a", "5", "b", "-")
	e.later(20 * time.Hour)
	e.fill(Standby)
	e.wantSpace(e.end(), "a", "5", "c", "3", "gone", "4")
}

// A process that slept for long, with its standbys, is no better off than one that was stopped.
func TestStandbyThatSleptLooksAgain(t *testing.T) {
	e := inProcess(t)
	e.away()
	j := e.add(e.spec(Standby))
	e.await(j.Done())
	unseen := e.begin("unseen")
	unseen.produce("a", "5", "b", "-")
	e.later(25 * time.Hour)
	testenv.Wait(t, "the space to be restored anew", soon, func() bool {
		_, kept := e.contents(e.space)["gone"]
		return !kept
	})
	unseen.end(kgo.TryCommit)
	e.await(j.Promote())
	e.wantSpace(e.end(), "a", "5", "c", "3")
}

func TestSpaceOfADeletedChangelogIsRestoredAnew(t *testing.T) {
	everywhere(t, func(e *env) {
		e.produce("a", "1", "b", "2")
		e.restore()
		e.anew()
		e.produce("c", "3", "d", "4", "e", "5") // the old offset is within
		e.restore()
		e.wantSpace(e.end(), "c", "3", "d", "4", "e", "5")
	})
}

// The task that is the first to write a store learns the changelog's id from the job.
func TestSpaceOfAnEmptyChangelogKnowsIt(t *testing.T) {
	e := inProcess(t)
	e.restore()
	b := e.db.NewBatch()
	b.Set(e.space, []byte("a"), []byte("1"))
	b.SetOffset(e.space, 1)
	e.must(b.Commit())
	e.anew()
	e.produce("b", "2", "c", "3")
	e.restore()
	e.wantSpace(e.end(), "b", "2", "c", "3")
}

func (e *env) configure(config map[string]string) {
	e.Helper()
	var changes []kadm.AlterConfig
	for name, value := range config {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	if len(changes) == 0 {
		return
	}
	answers, err := e.admin.AlterTopicConfigs(e.Context(), changes, e.topic)
	e.must(err)
	for _, a := range answers {
		e.must(a.Err)
	}
}
