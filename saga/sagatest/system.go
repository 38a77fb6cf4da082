package sagatest

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

// system is a model at work. Worlds, instances and messages are kept once each and go
// by numbers; what follows from a pair of them is worked out once.
type system[W, S any] struct {
	model     Model[W, S]
	worlds    pool[W]
	instances pool[saga.Instance[S]]
	messages  pool[message]
	queues    map[string]int32
	known     map[cause][]outcome
	checked   map[[2]int32]error
	// twice counts down the runs that are repeated to see whether they are deterministic.
	twice int
}

// epoch is when a model's time begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// notBegun is the number of the instance that is not there yet.
const notBegun = 0

func newSystem[W, S any](m Model[W, S]) (*system[W, S], error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	s := &system[W, S]{
		model:  m.withDefaults(),
		queues: map[string]int32{}, known: map[cause][]outcome{}, checked: map[[2]int32]error{}, twice: 1000,
	}
	_, err := s.addInstance(saga.Instance[S]{}, nil)
	return s, err
}

// pool numbers values by their JSON.
type pool[T any] struct {
	numbers map[string]int32
	texts   []string
	values  []T
}

func (p *pool[T]) add(text string, value func() (T, error)) (int32, error) {
	if n, ok := p.numbers[text]; ok {
		return n, nil
	}
	v, err := value()
	if err != nil {
		return 0, err
	}
	if p.numbers == nil {
		p.numbers = map[string]int32{}
	}
	n := int32(len(p.values))
	p.numbers[text] = n
	p.texts, p.values = append(p.texts, text), append(p.values, v)
	return n, nil
}

// fresh is a copy that its receiver may change.
func (p *pool[T]) fresh(n int32) (T, error) { return decode[T](p.texts[n]) }

func decode[T any](text string) (v T, err error) {
	err = json.Unmarshal([]byte(text), &v)
	return v, err
}

func (s *system[W, S]) addWorld(w W, names renaming) (int32, error) {
	data, err := json.Marshal(w)
	if err != nil {
		return 0, fmt.Errorf("%w: the world as JSON: %w", ErrModel, err)
	}
	text := names.in(string(data))
	return s.worlds.add(text, func() (W, error) { return decode[W](text) })
}

func (s *system[W, S]) addInstance(i saga.Instance[S], names renaming) (int32, error) {
	data, err := json.Marshal(i)
	if err != nil {
		return 0, fmt.Errorf("the saga's state as JSON: %w", err)
	}
	text := names.in(string(data))
	return s.instances.add(text, func() (saga.Instance[S], error) { return decode[saga.Instance[S]](text) })
}

// check holds the invariant against a world and an instance.
func (s *system[W, S]) check(world, instance int32) error {
	if s.model.Invariant == nil {
		return nil
	}
	pair := [2]int32{world, instance}
	err, ok := s.checked[pair]
	if !ok {
		err = guard("Invariant", func() error {
			return s.model.Invariant(s.worlds.values[world], s.instances.values[instance])
		})
		s.checked[pair] = err
	}
	return err
}

// checkEnd is for a state in which nothing more happens by itself.
func (s *system[W, S]) checkEnd(world, instance int32) error {
	i := s.instances.values[instance]
	if instance != notBegun && !i.Status.Ended() && i.Status != saga.NeedsReview {
		return fmt.Errorf("the saga is stuck: it is %s, no message is under way and no timer runs", i.Status)
	}
	if s.model.Final == nil {
		return nil
	}
	return guard("Final", func() error { return s.model.Final(s.worlds.values[world], i) })
}

// guard makes an error of a panic in the user's code.
func guard(what string, run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s panicked: %v\n%s", what, p, debug.Stack())
		}
	}()
	return run()
}

// receivers of a topic's messages: 0 is the saga, n the participant n-1.
func (s *system[W, S]) receivers(topic string) (to []uint8) {
	if slices.ContainsFunc(s.model.Definition.Replies, func(r saga.Reply[S]) bool { return r.Topic == topic }) {
		to = append(to, 0)
	}
	for i, p := range s.model.Participants {
		if slices.Contains(p.Topics, topic) {
			to = append(to, uint8(i+1))
		}
	}
	return to
}

func (s *system[W, S]) receiver(to uint8) string {
	if to == 0 {
		return SagaName
	}
	return s.model.Participants[to-1].Name
}

// queue is the number of the messages that stay in order with this one.
func (s *system[W, S]) queue(m message, to uint8) int32 {
	name := fmt.Sprintf("%d %q %q", to, m.Topic, m.Key)
	if s.model.Unordered {
		name += " " + m.ID
	}
	n, ok := s.queues[name]
	if !ok {
		n = int32(len(s.queues))
		s.queues[name] = n
	}
	return n
}
