package streams

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tidwall/btree"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/state"
)

// pendingStore holds what waits for its time: unmatched records of joins, suppressed
// changes of tables. It is a key-value store, with everything that entails (changelog,
// transactions, restoring), and has the order of its entries in memory.
type pendingStore struct {
	plan.StateStore
	entries state.KeyValueStore[[]byte, []byte]
	layout  pendingLayout
	// topic by which serdes are chosen.
	topic string
	// times of the join whose store it is.
	times  joinTimes
	memory plan.Memory
	order  *btree.Set[string]
	held   int64 // bytes of order, as counted with memory
	size   int64 // of the entries, by layout
}

// pendingLayout is how entries are ordered and counted.
type pendingLayout struct {
	// time of an entry; those of a time are in order of their keys.
	time func(key, value []byte) int64
	// keyed says that the key begins with the time, as 8 bytes, itself.
	keyed bool
	// size of an entry, to limit them; nil is not counted.
	size func(key, value []byte) int64
}

// pending makes stores that wait out of key-value stores of bytes.
func pending(s *plan.Store, layout pendingLayout) *plan.Store {
	out, make := *s, s.New
	out.New = func(c plan.StoreContext) (plan.StateStore, error) {
		inner, err := make(c)
		if err != nil {
			return nil, err
		}
		topic := c.ChangelogTopic
		if topic == "" {
			topic = s.Name
		}
		return &pendingStore{
			StateStore: inner, entries: inner.(state.KeyValueStore[[]byte, []byte]),
			layout: layout, topic: topic, memory: c.Memory,
			times: joinTimes{stream: -1, min: math.MaxInt64},
		}, nil
	}
	return &out
}

// load reads the order of what is there, once.
func (s *pendingStore) load() error {
	if s.order != nil {
		return nil
	}
	s.order = new(btree.Set[string])
	for e, err := range s.entries.All() {
		if err != nil {
			s.forget()
			return err
		}
		s.note(e.Key, e.Value)
	}
	return nil
}

// orderKeyBytes estimates what a key takes in the order, beside its bytes.
const orderKeyBytes = 40

func (s *pendingStore) note(key, value []byte) {
	k := s.orderKey(key, value)
	s.order.Insert(k)
	s.count(int64(len(k) + orderKeyBytes))
	if s.layout.size != nil {
		s.size += s.layout.size(key, value)
	}
}

func (s *pendingStore) unnote(key, value []byte) {
	k := s.orderKey(key, value)
	s.order.Delete(k)
	s.count(-int64(len(k) + orderKeyBytes))
	if s.layout.size != nil {
		s.size -= s.layout.size(key, value)
	}
}

func (s *pendingStore) count(n int64) {
	s.held += n
	if s.memory != nil {
		s.memory.Add(n)
	}
}

func (s *pendingStore) orderKey(key, value []byte) string {
	if s.layout.keyed {
		return string(key)
	}
	k := make([]byte, 8, 8+len(key))
	binary.BigEndian.PutUint64(k, uint64(s.layout.time(key, value)))
	return string(append(k, key...))
}

// get returns an entry's value, the caller's.
func (s *pendingStore) get(key []byte) ([]byte, bool, error) { return s.entries.Get(key) }

// put sets an entry; old is what was there (nil: none).
func (s *pendingStore) put(key, old, value []byte) error {
	if err := s.load(); err != nil {
		return err
	}
	if err := s.entries.Put(key, value); err != nil {
		return err
	}
	if old != nil {
		s.unnote(key, old)
	}
	s.note(key, value)
	return nil
}

// delete takes an entry away, if it is there.
func (s *pendingStore) delete(key []byte) error {
	if err := s.load(); err != nil {
		return err
	}
	if s.layout.keyed && !s.order.Contains(string(key)) {
		return nil
	}
	old, ok, err := s.entries.Delete(key)
	if ok && err == nil {
		s.unnote(key, old)
	}
	return err
}

// len is the number of entries.
func (s *pendingStore) len() (int, error) {
	if err := s.load(); err != nil {
		return 0, err
	}
	return s.order.Len(), nil
}

// first is the earliest entry's time and key.
func (s *pendingStore) first() (time int64, key []byte, ok bool, err error) {
	if err := s.load(); err != nil {
		return 0, nil, false, err
	}
	k, ok := s.order.Min()
	if !ok {
		return math.MaxInt64, nil, false, nil
	}
	time = int64(binary.BigEndian.Uint64([]byte(k[:8])))
	if s.layout.keyed {
		return time, []byte(k), true, nil
	}
	return time, []byte(k[8:]), true, nil
}

// ascend calls f with the entries' order until it returns false.
func (s *pendingStore) ascend(f func(key string) bool) error {
	if err := s.load(); err != nil {
		return err
	}
	s.order.Scan(f)
	return nil
}

// Discard forgets the changes, so the order is read anew.
func (s *pendingStore) Discard() {
	s.StateStore.Discard()
	s.forget()
}

// Close releases memory.
func (s *pendingStore) Close() {
	s.StateStore.Close()
	s.forget()
}

func (s *pendingStore) forget() {
	s.count(-s.held)
	s.order, s.size = nil, 0
}

// pendingOf is a task's store of what waits.
func pendingOf(c plan.Context, name string) (*pendingStore, error) {
	s, err := c.Store(name)
	if err != nil {
		return nil, err
	}
	p, ok := s.(*pendingStore)
	if !ok {
		return nil, fmt.Errorf("store %s is a %T, not one of what waits", name, s)
	}
	return p, nil
}

// onIdle has f called when stream time moves on without a record.
func onIdle(c plan.Context, node string, f func(streamTime int64) error) {
	c.OnIdle(func(streamTime int64) (err error) {
		defer recovered(c, node, &err)
		if err := f(streamTime); err != nil {
			return decide(c, node, err)
		}
		return nil
	})
}
