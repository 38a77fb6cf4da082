package hello

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/state"
)

// message is a command on the topic Commands.
type message struct {
	// ID is of the question, for who asks. Partition of Answers is where that one reads.
	ID        string `json:"id"`
	Partition int32  `json:"partition"`
	// Key is the customer's Idempotency-Key; "" is none.
	Key  string `json:"idempotencyKey,omitempty"`
	Kind string `json:"kind"`
	Text string `json:"message,omitempty"`
	Mood Mood   `json:"state,omitempty"`
}

// Kinds of messages.
const (
	kindHello  = "hello"
	kindMood   = "change-state"
	kindReset  = "reset-count"
	kindForget = "forget"
	kindCount  = "get-count"
	kindTotal  = "get-total-count"
	kindState  = "get-state"
)

// messageOf a command.
func messageOf(command Command) message {
	switch c := command.(type) {
	case Hello:
		return message{Kind: kindHello, Text: c.Message}
	case ChangeState:
		return message{Kind: kindMood, Mood: c.Mood}
	case ResetCount:
		return message{Kind: kindReset}
	case Forget:
		return message{Kind: kindForget}
	case GetCount:
		return message{Kind: kindCount}
	case GetTotalCount:
		return message{Kind: kindTotal}
	}
	return message{Kind: fmt.Sprintf("%T", command)}
}

// command is nil where the kind is not known.
func (m message) command() Command {
	switch m.Kind {
	case kindHello:
		return Hello{m.Text}
	case kindMood:
		return ChangeState{m.Mood}
	case kindReset:
		return ResetCount{}
	case kindForget:
		return Forget{}
	case kindCount:
		return GetCount{}
	case kindTotal:
		return GetTotalCount{}
	}
	return nil
}

// asks says that the same is wanted.
func (m message) asks(other message) bool {
	return m.Kind == other.Kind && m.Text == other.Text && m.Mood == other.Mood
}

// answer is what a message is answered with, on the topic Answers under the question's id.
type answer struct {
	Reply Reply  `json:"reply"`
	State *State `json:"state,omitempty"`
	// Refused is a refusal's code, and Reason its text.
	Refused string `json:"refused,omitempty"`
	Reason  string `json:"reason,omitempty"`

	partition int32
}

func (a answer) err() error {
	if a.Refused == "" {
		return nil
	}
	return entity.Refuse(a.Refused, "%s", a.Reason)
}

// outcome is what a command does.
type outcome struct {
	// Changed: the state is now State, or deleted.
	Changed, Gone bool
	State         State
	// By is the offset of the command.
	By     int64
	ID     string
	Answer answer
}

// byHeader has the offset of the command that made a record of Topic.
const byHeader = "hello-command"

// changes are the record of Topic that an outcome leads to.
func changes(r streams.Record[string, outcome]) []streams.Record[string, State] {
	if !r.Value.Changed {
		return nil
	}
	by := kgo.RecordHeader{Key: byHeader, Value: strconv.AppendInt(nil, r.Value.By, 10)}
	return []streams.Record[string, State]{{Key: r.Key, Value: r.Value.State, NoValue: r.Value.Gone, Timestamp: r.Timestamp, Headers: []kgo.RecordHeader{by}}}
}

func answers(r streams.Record[string, outcome]) []streams.Record[string, answer] {
	return []streams.Record[string, answer]{{Key: r.Value.ID, Value: r.Value.Answer, Timestamp: r.Timestamp}}
}

// lead is a state that the table does not have yet: the record is on its way through Topic.
type lead struct {
	State State `json:"state"`
	Gone  bool  `json:"gone,omitempty"`
	By    int64 `json:"by"`
}

// handled is what a command with an Idempotency-Key was answered.
type handled struct {
	Message message `json:"message"`
	Answer  answer  `json:"answer"`
}

// commander handles commands, one at a time for each key.
type commander struct {
	c        streams.Context[string, outcome]
	table    state.KeyValueStore[string, state.Timestamped[State]]
	ahead    state.KeyValueStore[string, lead]
	answered state.WindowStore[string, handled]
}

func (p *commander) Init(c streams.Context[string, outcome]) (err error) {
	p.c = c
	if p.table, err = streams.StoreOf[state.KeyValueStore[string, state.Timestamped[State]]](c, Store); err != nil {
		return err
	}
	if p.ahead, err = streams.StoreOf[state.KeyValueStore[string, lead]](c, aheadStore); err != nil {
		return err
	}
	p.answered, err = streams.StoreOf[state.WindowStore[string, handled]](c, memoryStore)
	return err
}

func (p *commander) Close() error { return nil }

func (p *commander) Process(r streams.Record[string, message]) error {
	if r.NoKey || r.NoValue {
		return nil // nobody waits for it
	}
	out, err := p.handle(r)
	if err != nil {
		return err
	}
	out.ID, out.Answer.partition = r.Value.ID, r.Value.Partition
	return p.c.Forward(streams.Record[string, outcome]{Key: r.Key, Value: out, Timestamp: r.Timestamp})
}

func (p *commander) handle(r streams.Record[string, message]) (outcome, error) {
	before, err := p.before(r.Key, r.Value)
	switch {
	case err != nil:
		return outcome{}, err
	case before != nil && !before.Message.asks(r.Value):
		return outcome{Answer: answer{Refused: "idempotency-key", Reason: "this Idempotency-Key was used for another command"}}, nil
	case before != nil:
		return outcome{Answer: before.Answer}, nil
	}
	out, err := p.obey(r)
	if err == nil && r.Value.Key != "" {
		err = p.answered.Put(memoryKey(r.Key, r.Value), r.Timestamp, handled{r.Value, out.Answer})
	}
	return out, err
}

// before is what the same command was answered; nil where it is new.
func (p *commander) before(id string, m message) (*handled, error) {
	if m.Key == "" {
		return nil, nil
	}
	for found, err := range p.answered.FetchRange(memoryKey(id, m), 0, math.MaxInt64) {
		return &found.Value, err
	}
	return nil, nil
}

// memoryKey: an id has no zero byte.
func memoryKey(id string, m message) string { return id + "\x00" + m.Key }

func (p *commander) obey(r streams.Record[string, message]) (outcome, error) {
	s, err := p.state(r.Key)
	if err != nil {
		return outcome{}, err
	}
	if r.Value.Kind == kindState {
		return outcome{Answer: answer{State: &s}}, nil
	}
	events, reply, err := decide(s, r.Value.command())
	var refusal *entity.Refusal
	switch {
	case errors.As(err, &refusal):
		return outcome{Answer: answer{Refused: refusal.Code, Reason: refusal.Reason}}, nil
	case err != nil:
		return outcome{}, err
	case len(events) == 0:
		return outcome{Answer: answer{Reply: reply}}, nil
	}
	s, gone, err := applyAll(s, events)
	if err != nil {
		return outcome{}, err
	}
	_, _, offset, _ := p.c.Source()
	out := outcome{Changed: true, Gone: gone, State: s, By: offset, Answer: answer{Reply: reply}}
	return out, p.ahead.Put(r.Key, lead{s, gone, offset})
}

// state is the present one: that on its way, else that of the table.
func (p *commander) state(id string) (State, error) {
	ahead, ok, err := p.ahead.Get(id)
	if err != nil || ok {
		return ahead.State, err
	}
	stored, ok, err := p.table.Get(id)
	if err != nil || ok {
		return stored.Value, err
	}
	return initial(id), nil
}

// follower sees what the table has got, and forgets that it was on its way.
type follower struct {
	ahead state.KeyValueStore[string, lead]
}

func (f *follower) Init(c streams.Context[string, State]) (err error) {
	f.ahead, err = streams.StoreOf[state.KeyValueStore[string, lead]](c, aheadStore)
	return err
}

func (f *follower) Close() error { return nil }

func (f *follower) Process(r streams.Record[string, State]) error {
	by, ok := madeBy(r.Headers)
	if !ok {
		return nil
	}
	ahead, ok, err := f.ahead.Get(r.Key)
	if err != nil || !ok || by < ahead.By {
		return err
	}
	_, _, err = f.ahead.Delete(r.Key)
	return err
}

func madeBy(headers []kgo.RecordHeader) (offset int64, ok bool) {
	for _, h := range headers {
		if h.Key == byHeader {
			n, err := strconv.ParseInt(string(h.Value), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
