// Package hello is the smallest system with entities: somebody one can greet, in
// three variants that do the same. One is event-sourced, of another only the latest
// state is stored, and the third has neither database nor entity: its states are a table
// of stream processing. The states of the latter two are on the topic hello-log-store, and
// in the table hello-state-store that is made of it; Redis may have a copy.
//
// This file is what greeting means, without journal, Kafka or HTTP.
package hello

import (
	"fmt"

	"github.com/pabal-dev/pabal/entity"
)

// Mood is how somebody feels.
type Mood string

// The moods.
const (
	Happy Mood = "HAPPY"
	Angry Mood = "ANGRY"
)

// State is of one entity; it is also the value of a record of hello-log-store.
type State struct {
	Mood Mood `json:"state"`
	// HelloCount is since the last reset, HelloTotalCount since the beginning.
	HelloCount      int64 `json:"helloCount"`
	HelloTotalCount int64 `json:"helloTotalCount"`
}

// Command is one of the types below.
type Command interface{ command() }

// The commands.
type (
	// Hello greets. Somebody happy answers to "Hello" only; anything else is refused.
	Hello struct{ Message string }
	// ChangeState sets the mood.
	ChangeState struct{ Mood Mood }
	// ResetCount sets HelloCount to zero.
	ResetCount struct{}
	// Forget deletes the state: the next greeting is the first.
	Forget struct{}
	// GetCount and GetTotalCount ask.
	GetCount      struct{}
	GetTotalCount struct{}
)

func (Hello) command()         {}
func (ChangeState) command()   {}
func (ResetCount) command()    {}
func (Forget) command()        {}
func (GetCount) command()      {}
func (GetTotalCount) command() {}

// Event is one of the types below.
type Event interface{ event() }

// The events.
type (
	Greeted     struct{}
	MoodChanged struct {
		Mood Mood `json:"mood"`
	}
	CountReset struct{}
	Forgotten  struct{}
)

func (Greeted) event()     {}
func (MoodChanged) event() {}
func (CountReset) event()  {}
func (Forgotten) event()   {}

// Reply is what a command is answered with: a text or a number.
type Reply struct {
	Message string `json:"message,omitempty"`
	Count   *int64 `json:"count,omitempty"`
}

// decide is what a command does, for all variants.
func decide(s State, command Command) ([]Event, Reply, error) {
	switch c := command.(type) {
	case Hello:
		return greet(s, c.Message)
	case ChangeState:
		if c.Mood != Happy && c.Mood != Angry {
			return nil, Reply{}, entity.Refuse("unknown-state", "there is no state %q, it is %s or %s", c.Mood, Happy, Angry)
		}
		if c.Mood == s.Mood {
			return nil, Reply{Message: "I am " + string(c.Mood)}, nil
		}
		return []Event{MoodChanged{c.Mood}}, Reply{Message: "I am " + string(c.Mood)}, nil
	case ResetCount:
		if s.HelloCount == 0 {
			return nil, number(0), nil
		}
		return []Event{CountReset{}}, number(0), nil
	case Forget:
		return []Event{Forgotten{}}, Reply{Message: "Bye"}, nil
	case GetCount:
		return nil, number(s.HelloCount), nil
	case GetTotalCount:
		return nil, number(s.HelloTotalCount), nil
	}
	return nil, Reply{}, entity.Refuse("unknown-command", "there is no command %T", command)
}

func greet(s State, message string) ([]Event, Reply, error) {
	switch {
	case s.Mood == Angry:
		return nil, Reply{Message: "Don't talk to me!"}, nil
	case message != "Hello":
		return nil, Reply{}, entity.Refuse("not-a-greeting", "I answer to %q, not to %.40q", "Hello", message)
	}
	return []Event{Greeted{}}, Reply{Message: "Kotlin"}, nil
}

func number(n int64) Reply { return Reply{Count: &n} }

// apply is the state after an event.
func apply(s State, e Event) (State, error) {
	switch e := e.(type) {
	case Greeted:
		s.HelloCount++
		s.HelloTotalCount++
	case MoodChanged:
		s.Mood = e.Mood
	case CountReset:
		s.HelloCount = 0
	case Forgotten:
		s = initial("")
	default:
		return s, fmt.Errorf("unknown event %T", e)
	}
	return s, nil
}

// applyAll is the state after events; gone says that it is deleted.
func applyAll(s State, events []Event) (after State, gone bool, err error) {
	for _, e := range events {
		if s, err = apply(s, e); err != nil {
			return s, false, err
		}
		_, gone = e.(Forgotten)
	}
	return s, gone, nil
}

func initial(string) State { return State{Mood: Happy} }
