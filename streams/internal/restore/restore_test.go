package restore

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

func TestRestoreIsExact(t *testing.T) {
	everywhere(t, func(e *env) {
		e.produce("a", "1", "b", "1", "a", "2", "b", "-", "c", "3")
		aborted := e.begin("aborted")
		aborted.produce("a", "no", "d", "no", "c", "-")
		aborted.end(kgo.TryAbort)
		committed := e.begin("committed")
		committed.produce("e", "5", "a", "4")
		committed.end(kgo.TryCommit)
		e.restore()
		e.wantSpace(e.end(), "a", "4", "c", "3", "e", "5")

		// What comes later is all that is read then.
		e.produce("c", "-", "f", "6")
		j := e.add(e.spec(Active))
		e.await(j.Done())
		if p := j.Progress(); p.Records != 2 || !p.Done || p.Lag() != 0 {
			e.Errorf("%+v", p)
		}
		e.wantSpace(e.end(), "a", "4", "e", "5", "f", "6")
	})
}

func TestEmptyChangelogIsDoneAtOnce(t *testing.T) {
	everywhere(t, func(e *env) {
		e.restore()
		if _, ok := e.space.Offset(); ok {
			e.Error("there is an offset of nothing")
		}
	})
}

// The offsets of an open transaction may be committed while its marker has not reached the
// changelog yet: so its end is waited for.
func TestOpenTransactionIsWaitedFor(t *testing.T) {
	everywhere(t, func(e *env) {
		e.produce("a", "1")
		open := e.begin("open")
		open.produce("a", "2")
		j := e.add(e.spec(Active))
		testenv.Wait(t, "what is before the transaction", soon, func() bool { return j.Progress().Next == 1 })
		select {
		case <-j.Done():
			e.Fatal("done in front of an open transaction")
		default:
		}
		open.end(kgo.TryCommit)
		e.await(j.Done())
		if got := e.contents(e.space)["a"]; got != "2" {
			e.Errorf("a is %s", got)
		}
	})
}

func TestDoesNotFitIsClearedAndRestored(t *testing.T) {
	everywhere(t, func(e *env) {
		e.produce("a", "1", "b", "2", "c", "3", "d", "4")
		e.restore()

		// Past the end: the changelog was made anew, shorter.
		b := e.db.NewBatch()
		b.Set(e.space, []byte("old"), []byte("old"))
		b.SetOffset(e.space, e.end()+7)
		e.must(b.Commit())
		e.restore()
		e.wantSpace(e.end(), "a", "1", "b", "2", "c", "3", "d", "4")

		// In front of the beginning: tombstones may be gone.
		b.Set(e.space, []byte("old"), []byte("old"))
		b.SetOffset(e.space, 1)
		e.must(b.Commit())
		cut, err := e.admin.DeleteRecords(e.Context(), kadm.Offsets{e.topic: {0: {Topic: e.topic, Partition: 0, At: 2}}})
		e.must(errors.Join(err, cut.Error()))
		e.restore()
		e.wantSpace(e.end(), "c", "3", "d", "4")
	})
}

// A standby's changelog is cut, or made anew, while it follows.
func TestChangelogIsCutUnderAStandby(t *testing.T) {
	everywhere(t, func(e *env) {
		e.produce("a", "1", "b", "2")
		j := e.add(e.spec(Standby))
		e.await(j.Done())
		e.anew()
		e.produce("c", "3", "d", "4", "e", "5")
		testenv.Wait(t, "the new one's contents", soon, func() bool {
			got := e.contents(e.space)
			return len(got) == 3 && got["e"] == "5"
		})
	})
}

func TestStandbyFollowsAndIsPromoted(t *testing.T) {
	everywhere(t, func(e *env) {
		e.produce("a", "1")
		j := e.add(e.spec(Standby))
		e.await(j.Done())
		open := e.begin("open")
		open.produce("a", "2", "b", "2")
		open.end(kgo.TryCommit)
		testenv.Wait(t, "the standby to follow", soon, func() bool { return e.contents(e.space)["b"] == "2" })
		if p := j.Progress(); p.Mode != Standby || p.Records != 3 {
			e.Errorf("%+v", p)
		}
		e.produce("b", "3", "c", "3")
		e.await(j.Promote())
		e.must(j.Err())
		e.wantSpace(e.end(), "a", "2", "b", "3", "c", "3")
		if p := j.Progress(); p.Mode != Active || p.Records != 5 || !p.Done {
			e.Errorf("%+v", p)
		}
		end := e.end()
		e.produce("c", "late")
		if next := e.remove(j); next != end {
			e.Errorf("handed over at %d, the end was %d", next, end)
		}
		e.wantSpace(end, "a", "2", "b", "3", "c", "3")
		if len(e.restorer.Progress()) != 0 {
			e.Error("the removed job is shown")
		}
	})
}

// A sourced changelog is another's topic: what the group has not committed yet will be
// processed, so it must not be in the store before.
func TestSourcedStopsAtWhatIsCommitted(t *testing.T) {
	everywhere(t, func(e *env) {
		spec, sourced := e.spec(Standby), *counts
		sourced.Source = &plan.Topic{Name: "changelog"}
		spec.Store = &sourced
		e.produce("a", "1", "b", "2", "c", "3", "d", "4")
		e.commit(2)
		j := e.add(spec)
		e.await(j.Done())
		e.wantSpace(2, "a", "1", "b", "2")
		e.commit(3)
		testenv.Wait(t, "the standby to follow", soon, func() bool { return len(e.contents(e.space)) == 3 })
		e.commit(4)
		e.await(j.Promote())
		e.wantSpace(4, "a", "1", "b", "2", "c", "3", "d", "4")
		e.remove(j)
	})
}

func (e *env) commit(at int64) {
	e.Helper()
	o := kadm.Offsets{}
	o.AddOffset(e.topic, 0, at, -1)
	e.must(e.admin.CommitAllOffsets(e.Context(), e.group, o))
}

func TestUnknownRecordEndsTheJob(t *testing.T) {
	e := inProcess(t)
	e.produce("a", "1", "b", "poison")
	j := e.add(e.spec(Active))
	e.await(j.Done())
	if err := j.Err(); !errors.Is(err, errRecord) || !strings.Contains(err.Error(), "changelog/0") {
		t.Errorf("%v", err)
	}
}

func TestJobsOfOneSpaceExclude(t *testing.T) {
	e := inProcess(t)
	j := e.add(e.spec(Standby))
	if _, err := e.restorer.Add(e.spec(Active)); !errors.Is(err, ErrTwice) {
		t.Errorf("%v", err)
	}
	e.remove(j)
	if err := j.Err(); !errors.Is(err, ErrStopped) {
		t.Errorf("%v", err)
	}
	e.restore()
	e.must(e.restorer.Stop(t.Context()))
	if _, err := e.restorer.Add(e.spec(Active)); !errors.Is(err, ErrStopped) {
		t.Errorf("%v", err)
	}
}

func TestMissingTopicIsSaid(t *testing.T) {
	e := inProcess(t)
	spec := e.spec(Active)
	spec.Topic = "nowhere"
	j := e.add(spec)
	testenv.Wait(t, "the problem to be said", soon, func() bool { return j.Progress().Problem != nil })
	if err := j.Progress().Problem; !strings.Contains(err.Error(), "nowhere") {
		t.Error(err)
	}
	e.remove(j)
}

// What cannot be decoded was skipped when the topic was read.
func TestUndecodableRecordsOfASourceAreLeftOut(t *testing.T) {
	e := inProcess(t)
	spec, sourced := e.spec(Standby), *counts
	sourced.Source = &plan.Topic{Name: "changelog"}
	sourced.Decodes = func(rec *kgo.Record) error {
		if string(rec.Value) == "poison" {
			return errors.New("poison")
		}
		return nil
	}
	spec.Store = &sourced
	e.produce("a", "1", "a", "poison", "b", "2", "c", "poison", "d", "4")
	e.commit(5)
	j := e.add(spec)
	e.await(j.Done())
	e.wantSpace(5, "a", "1", "b", "2", "d", "4")
	if p := j.Progress(); p.Records != 5 || p.LeftOut != 2 {
		t.Errorf("%+v", p)
	}
	e.remove(j)
}
