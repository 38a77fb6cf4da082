package projection

import (
	"fmt"
	"maps"
	"testing"
	"time"
)

func offset(id string, seqNr int64, at time.Time) Offset {
	return Offset{PersistenceID: id, SeqNr: seqNr, Time: at}
}

func (m *memory) numbers() map[string]int64 {
	all := map[string]int64{}
	for id, k := range m.last {
		all[id] = k.seqNr
	}
	return all
}

// The facts of Pekko's OffsetStoreStateSpec.
func TestMemory(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ms := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Millisecond) }
	m := newMemory([]Offset{offset("p1", 1, t0), offset("p1", 2, ms(1)), offset("p1", 3, ms(2))}, 10)
	m.put(offset("p2", 2, ms(1)))
	if !m.newest.Equal(ms(2)) || !maps.Equal(m.numbers(), map[string]int64{"p1": 3, "p2": 2}) {
		t.Errorf("%v, newest %v", m.numbers(), m.newest)
	}
	m.put(offset("p3", 10, ms(3)))
	if !m.newest.Equal(ms(3)) {
		t.Errorf("newest %v", m.newest)
	}
	// of one time, the higher number stays whatever came last
	same := newMemory([]Offset{offset("p4", 9, t0), offset("p2", 2, t0), offset("p3", 5, t0), offset("p2", 1, t0), offset("p1", 3, t0)}, 10)
	if !maps.Equal(same.numbers(), map[string]int64{"p1": 3, "p2": 2, "p3": 5, "p4": 9}) {
		t.Errorf("%v", same.numbers())
	}
	// an earlier number with an earlier time does not count
	m.put(offset("p1", 2, ms(1)))
	if m.last["p1"].seqNr != 3 {
		t.Error("an old offset replaced a new one")
	}
	// one that is later does: the entity began anew
	m.put(offset("p1", 1, ms(9)))
	if m.last["p1"].seqNr != 1 {
		t.Error("the offset of an entity that began anew is not remembered")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := newMemory(nil, 8)
	for n := range 10 {
		m.put(offset(fmt.Sprint("p", n), 1, t0.Add(time.Duration(n)*time.Second)))
	}
	m.evict()
	if len(m.last) != 10 || !m.all {
		t.Fatalf("%d entities after ten, all %t: it may keep a quarter more than 8 for a while", len(m.last), m.all)
	}
	m.put(offset("p10", 1, t0.Add(time.Minute)))
	m.evict()
	_, oldest := m.last["p2"]
	_, newest := m.last["p10"]
	if len(m.last) != 8 || m.all || oldest || !newest {
		t.Errorf("%v", m.numbers())
	}
	// all of one time
	m = newMemory(nil, 8)
	for n := range 11 {
		m.put(offset(fmt.Sprint("p", n), 1, t0))
	}
	if m.evict(); len(m.last) != 8 {
		t.Errorf("%d entities of one time", len(m.last))
	}
	// what was loaded may be a part
	if full := newMemory(make([]Offset, 8), 8); full.all {
		t.Error("it takes a part for all")
	}
}
