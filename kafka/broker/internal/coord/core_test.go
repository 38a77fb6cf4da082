package coord_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/coord"
	"github.com/pabal-dev/pabal/kafka/broker/internal/coord/coordtest"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
)

var record = keylog.Record{Key: []byte("k")}

func TestAnswersWaitForTheLog(t *testing.T) {
	log := &coordtest.Log{Held: true}
	core := coord.NewCore(log, nil)
	var got []string
	say := func(what string) func(error) {
		return func(err error) { got = append(got, fmt.Sprint(what, err)) }
	}
	core.Do(func() { core.Reply(say("nothing kept ")) })
	core.Do(func() { core.Append(record); core.Reply(say("first ")); core.Now(func() { say("now ")(nil) }) })
	core.Do(func() { core.Append(record); core.Reply(say("second ")) })
	core.Do(func() { core.Reply(say("read ")) })
	want := []string{"nothing kept <nil>", "now <nil>"}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("before the log: %q", got)
	}
	log.Release(1)
	if want = append(want, "first <nil>"); !reflect.DeepEqual(got, want) {
		t.Fatalf("after one set: %q", got)
	}
	log.Release(1)
	if want = append(want, "second <nil>", "read <nil>"); !reflect.DeepEqual(got, want) {
		t.Fatalf("after both: %q", got)
	}
}

func TestAfterAFailureNothingIsConfirmed(t *testing.T) {
	broken := errors.New("no space")
	log := &coordtest.Log{Held: true}
	core := coord.NewCore(log, nil)
	var got []error
	keep := func(err error) { got = append(got, err) }
	core.Do(func() { core.Append(record); core.Reply(keep) })
	core.Do(func() { core.Append(record); core.Reply(keep) })
	log.Fail(broken)
	core.Do(func() { core.Append(record); core.Reply(keep) })
	if !reflect.DeepEqual(got, []error{broken, broken, broken}) || core.Err() != broken {
		t.Fatalf("answers %v, error %v", got, core.Err())
	}
	if len(log.Sets) != 0 {
		t.Errorf("kept %d sets", len(log.Sets))
	}
}

func TestDeadlinesFireInOrder(t *testing.T) {
	start := time.Unix(1000, 0)
	wakes := 0
	core := coord.NewCore(&coordtest.Log{}, func() { wakes++ })
	var fired []int
	set := func(key, seconds int) {
		core.Do(func() {
			core.Set(key, start.Add(time.Duration(seconds)*time.Second), func() { fired = append(fired, key) })
		})
	}
	for key, seconds := range []int{5, 3, 3, 9, 1} {
		set(key, seconds)
	}
	set(4, 4) // later than it was
	core.Do(func() { core.Cancel(2) })
	if wakes != 3 {
		t.Errorf("woken %d times, want 3: for 5 s, 3 s and 1 s", wakes)
	}
	if next, ok := core.NextDeadline(); !ok || !next.Equal(start.Add(3*time.Second)) {
		t.Errorf("next deadline %v, %v", next, ok)
	}
	core.Tick(start.Add(5 * time.Second))
	if want := []int{1, 4, 0}; !reflect.DeepEqual(fired, want) {
		t.Errorf("fired %v, want %v", fired, want)
	}
	core.Tick(start.Add(time.Hour))
	if _, ok := core.NextDeadline(); ok || len(fired) != 4 {
		t.Errorf("fired %v and something is left", fired)
	}
}
