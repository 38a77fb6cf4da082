package hello

import (
	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/journal"
)

// Entity types of the variants.
const (
	SourcedType = "HelloEvents"
	DurableType = "HelloState"
)

// registry names what is stored.
func registry() (*journal.Registry, error) {
	return journal.NewRegistry(journal.JSON(
		journal.TypeOf[Greeted]("greeted"), journal.TypeOf[MoodChanged]("mood-changed"), journal.TypeOf[CountReset]("count-reset"),
		journal.TypeOf[Forgotten]("forgotten"),
		journal.TypeOf[State]("hello-state"),
	))
}

// sourced is the variant whose state is the sum of its events.
func sourced(types *journal.Registry) entity.EventSourced[Command, Event, State, Reply] {
	return entity.EventSourced[Command, Event, State, Reply]{
		Type: SourcedType, Initial: initial, Apply: apply, Registry: types,
		Snapshot: journal.SnapshotPolicy{Every: 100},
		Decide: func(_ entity.Context, s State, c Command) (entity.Decision[Event, Reply], error) {
			events, reply, err := decide(s, c)
			return entity.Decision[Event, Reply]{Events: events, Reply: reply}, err
		},
	}
}

// durable is the variant of which the latest state is stored.
func durable(types *journal.Registry) entity.DurableState[Command, State, Reply] {
	return entity.DurableState[Command, State, Reply]{
		Type: DurableType, Initial: initial, Registry: types,
		Decide: func(_ entity.Context, s State, c Command) (entity.Change[State, Reply], error) {
			events, reply, err := decide(s, c)
			if err != nil || len(events) == 0 {
				return entity.Change[State, Reply]{Reply: reply}, err
			}
			s, gone, err := applyAll(s, events)
			if err != nil || gone {
				return entity.Change[State, Reply]{Delete: gone, Reply: reply}, err
			}
			return entity.Change[State, Reply]{Set: &s, Reply: reply}, nil
		},
	}
}
