package kstreams

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/state"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

// session is a run of a case on our test driver.
type session struct {
	driver  *streamstest.Driver
	inputs  map[string]*streamstest.InputTopic[string, string]
	outputs map[string]*streamstest.OutputTopic[string, string]
}

// probe stands for the test in a driver whose failures are results.
type probe struct {
	testing.TB
	cleanups []func()
}

func (p *probe) Helper()          {}
func (p *probe) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }
func (p *probe) Fatalf(format string, args ...any) {
	panic(fmt.Errorf(format, args...))
}
func (p *probe) Errorf(format string, args ...any) {
	panic(fmt.Errorf(format, args...))
}

// runOurs does what Runner.java does.
func runOurs(t testing.TB, c *Case) (result *Result, err error) {
	topology, stores, err := build(c)
	if errors.Is(err, errInvalid) {
		return nil, err
	}
	r := &Result{At: -1, Stores: map[string][]Row{}}
	if err != nil {
		r.Error = err.Error()
		return r, nil
	}
	p := &probe{TB: t}
	defer func() {
		for _, f := range slices.Backward(p.cleanups) {
			f()
		}
	}()
	defer func() {
		if e, ok := recover().(error); ok {
			r.Error, result, err = e.Error(), r, nil
		}
	}()
	if c.Describe {
		r.Description = topology.Describe()
	}
	s := &session{inputs: map[string]*streamstest.InputTopic[string, string]{}, outputs: map[string]*streamstest.OutputTopic[string, string]{}}
	s.driver = streamstest.New(p, topology, streamstest.WithClock(time.UnixMilli(0)),
		streamstest.WithConfig(streams.Config{ApplicationID: "reference", CacheBytes: c.Cache}))
	for _, n := range c.Nodes {
		for _, topic := range sinkTopics(n) {
			s.outputs[topic] = streamstest.Output(s.driver, topic, str, str)
		}
	}
	for _, e := range c.Events {
		r.At++
		if err := s.put(e); err != nil {
			r.Error = err.Error()
			return r, nil
		}
		r.Steps = append(r.Steps, s.step())
	}
	for name, rows := range stores {
		r.Stores[name] = rows(s)
	}
	return r, nil
}

func (s *session) put(e Event) error {
	if e.Topic == "" {
		return s.driver.TryAdvance(ms(e.Wall))
	}
	if s.inputs[e.Topic] == nil {
		s.inputs[e.Topic] = streamstest.Input(s.driver, e.Topic, str, str)
	}
	return s.inputs[e.Topic].TryPipeRecord(nullable(streams.Record[string, string]{Timestamp: e.TS}, e.Key, e.Value))
}

// step is what came out since the last one.
func (s *session) step() map[string][]Row {
	out := map[string][]Row{}
	for topic, o := range s.outputs {
		for _, r := range o.ReadAll() {
			out[topic] = append(out[topic], Row{keyOf(r), valueOf(r), r.Timestamp})
		}
	}
	return out
}

// noTime is the timestamp in a Row of a store that keeps none.
const noTime = -1

// tableOf reads a table's store.
func tableOf[V any](name string) contents {
	return func(s *session) (out []Row) {
		for e, err := range streamstest.Store[state.ReadOnlyKeyValue[string, state.Timestamped[V]]](s.driver, name).All() {
			if err != nil {
				panic(err)
			}
			out = append(out, Row{&e.Key, some(fmt.Sprint(e.Value.Value)), e.Value.Timestamp})
		}
		return out
	}
}

// valuesOf reads the store of a processor.
func valuesOf(name string) contents {
	return func(s *session) (out []Row) {
		for e, err := range streamstest.Store[state.ReadOnlyKeyValue[string, string]](s.driver, name).All() {
			if err != nil {
				panic(err)
			}
			out = append(out, Row{&e.Key, &e.Value, noTime})
		}
		return out
	}
}

// versionsOf reads a versioned store at the times of all events.
func versionsOf[V any](c *Case, name string) contents {
	return func(s *session) (out []Row) {
		store := streamstest.Store[state.ReadOnlyVersioned[string, V]](s.driver, name)
		for _, key := range keysOf(c) {
			var last *Row
			for _, ts := range timesOf(c) {
				v, ok, err := store.GetAsOf(key, ts)
				if err != nil {
					panic(err)
				}
				var row *Row
				if ok {
					row = &Row{&key, some(fmt.Sprint(v.Value)), v.Timestamp}
				}
				if row != nil && (last == nil || row.String() != last.String()) {
					out = append(out, *row)
				}
				last = row
			}
		}
		return out
	}
}

// keysOf may be in a store, timesOf its versions.
func keysOf(c *Case) []string {
	keys := map[string]bool{}
	for _, e := range c.Events {
		if e.Key != nil {
			keys[*e.Key] = true
		}
		if e.Value != nil {
			keys[*e.Value] = true
			if *e.Value != "" {
				keys[head(*e.Value)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

func timesOf(c *Case) []int64 {
	times := map[int64]bool{}
	for _, e := range c.Events {
		times[e.TS] = true
	}
	return slices.Sorted(maps.Keys(times))
}
