package journal_test

import (
	"math"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

func TestValidate(t *testing.T) {
	event20 := journal.Payload{Serializer: 20, Data: []byte("x")}
	write := func(change func(*journal.Write)) journal.Write {
		w := journal.Write{PersistenceID: "a|1", Events: []journal.NewEvent{{Payload: event20}}}
		change(&w)
		return w
	}
	state := func(change func(*journal.StateWrite)) journal.StateWrite {
		w := journal.StateWrite{PersistenceID: "a|1", Revision: 1, Payload: event20}
		change(&w)
		return w
	}
	long := strings.Repeat("é", 256)
	topicless := []outbox.Message{{Event: event.New("t", "k", 1)}}
	for name, c := range map[string]struct {
		value interface{ Validate() error }
		want  string
	}{
		"a write":                  {write(func(*journal.Write) {}), ""},
		"255 characters":           {write(func(w *journal.Write) { w.Writer = long[2:] }), ""},
		"no id":                    {write(func(w *journal.Write) { w.PersistenceID = "" }), "empty"},
		"no events":                {write(func(w *journal.Write) { w.Events = nil }), "no events"},
		"after -1":                 {write(func(w *journal.Write) { w.After = -1 }), "-1"},
		"after the last number":    {write(func(w *journal.Write) { w.After = math.MaxInt64 }), "no sequence number"},
		"a long writer":            {write(func(w *journal.Write) { w.Writer = long }), "256 characters"},
		"a long manifest":          {write(func(w *journal.Write) { w.After = 6; w.Events[0].Payload.Manifest = long }), "event 7 of a|1"},
		"a metadata's manifest":    {write(func(w *journal.Write) { w.Events[0].Metadata = &journal.Payload{Manifest: "\x00"} }), "zero bytes"},
		"a tag":                    {write(func(w *journal.Write) { w.Events[0].Tags = []string{"ok", "\xff"} }), "a tag"},
		"a message":                {write(func(w *journal.Write) { w.Messages = topicless }), "topic is missing"},
		"a state":                  {state(func(*journal.StateWrite) {}), ""},
		"a deleted state":          {state(func(w *journal.StateWrite) { w.Delete, w.Payload = true, journal.Payload{} }), ""},
		"a mark that is not meant": {state(func(w *journal.StateWrite) { w.Payload = journal.Payload{} }), "mark of a deleted state"},
		"revision 0":               {state(func(w *journal.StateWrite) { w.Revision = 0 }), "begin at 1"},
		"a state's tag":            {state(func(w *journal.StateWrite) { w.Tags = []string{"\x00"} }), "a tag"},
		"a state's message":        {state(func(w *journal.StateWrite) { w.Messages = topicless }), "topic is missing"},
		"a snapshot":               {journal.Snapshot{PersistenceID: "a|1", Payload: event20}, ""},
		"a snapshot's manifest":    {journal.Snapshot{PersistenceID: "a|1", SeqNr: 3, Payload: journal.Payload{Manifest: long}}, "snapshot 3 of a|1"},
		"a snapshot without an id": {journal.Snapshot{}, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.value.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
		})
	}
}
