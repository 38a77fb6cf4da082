package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/record"
)

func TestFilterLanguage(t *testing.T) {
	for _, tt := range []struct {
		text string
		want filter
		err  string
	}{
		{"", nil, ""},
		{"  Two  words ", filter{{text: "two"}, {text: "words"}}, ""},
		{`"a phrase" x`, filter{{text: "a phrase"}, {text: "x"}}, ""},
		{"key:A TYPE:b id:c correlation:d value:e", filter{{where: "key", text: "a"}, {where: "type", text: "b"}, {where: "id", text: "c"}, {where: "correlation", text: "d"}, {where: "value", text: "e"}}, ""},
		{`header:Name=X=Y key:"p q"`, filter{{where: "header", header: "name", text: "x=y"}, {where: "key", text: "p q"}}, ""},
		{"http://x keys:y", filter{{text: "http://x"}, {text: "keys:y"}}, ""},
		{`"key:x"`, filter{{text: "key:x"}}, ""},
		{"key:", nil, "nothing stands behind \"key\""},
		{"key: x", nil, "nothing stands behind"},
		{"header:x", nil, "write header:name=word"},
		{"header:=x", nil, "write header:name=word"},
		{"header:a b=x", nil, "write header:name=word"},
		{"header:a=", nil, "nothing stands behind \"header:a\""},
		{`"open`, nil, "not closed"},
		{`""`, nil, "empty"},
		{strings.Repeat("x ", 17), nil, "more than 16"},
		{strings.Repeat("x", 1025), nil, "1025 bytes"},
	} {
		got, err := parseFilter(tt.text)
		if tt.err == "" && (err != nil || !reflect.DeepEqual(got, tt.want)) {
			t.Errorf("%q: got %+v, %v", tt.text, got, err)
		}
		if tt.err != "" && (!errors.Is(err, api.ErrInvalid) || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%q: got %v, want %q", tt.text, err, tt.err)
		}
	}
}

func TestFilterLooksInItsPlaceOnly(t *testing.T) {
	m := api.Message{
		Key: record.Data([]byte("Key-1")), Value: record.Data([]byte(`{"주문":"VALUE"}`)),
		Headers: []api.Header{{Key: "Region", Value: record.Data([]byte("Seoul"))}, {Key: "raw", Value: record.Data([]byte("\x00bin"))}},
		Event:   &api.Event{ID: "e-1", Type: "Paid", CorrelationID: "c-1"},
	}
	for text, want := range map[string]bool{
		"key:key-1": true, "key:value": false, "value:value": true, "value:주문": true, "type:paid": true, "id:E-1": true, "id:c-1": false,
		"correlation:c-1": true, "header:region=seo": true, "header:raw=bin": true, "header:region=bin": false, "region": true, "seoul value key": true,
		"seoul nowhere": false, "": true,
	} {
		f, err := parseFilter(text)
		if err != nil || f.matches(&m) != want {
			t.Errorf("%q: got %v, %v, want %v", text, f.matches(&m), err, want)
		}
	}
	if f, _ := parseFilter("type:x"); f.matches(&api.Message{}) {
		t.Error("a record that is no event has no type")
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"", "a b", `key:"x`, "header:=", `""`, "value:\xff", "\u212a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseFilter(text)
		if err != nil && !errors.Is(err, api.ErrInvalid) {
			t.Fatal(err)
		}
		parsed.matches(&api.Message{})
	})
}

func TestCursorGoesWithItsQuery(t *testing.T) {
	q := api.MessageQuery{Topic: "t"}
	c := cursor{back: true, offsets: []partitionOffset{{0, 0}, {1, 1<<62 + 1}, {1 << 30, 7}}}
	q.From = c.encode(q)
	if got, err := parseCursor(q); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, %v", got, err)
	}
	one := int32(1)
	for _, other := range []api.MessageQuery{{Topic: "u", From: q.From}, {Topic: "t", Partition: &one, From: q.From}, {Topic: "t", From: q.From + "A"}, {Topic: "t", From: q.From[:len(q.From)-2]}} {
		if _, err := parseCursor(other); !errors.Is(err, api.ErrInvalid) {
			t.Errorf("%+v: got %v", other, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	q := api.MessageQuery{Topic: "t"}
	f.Add(cursor{offsets: []partitionOffset{{1, 2}}}.encode(q))
	f.Add("next:")
	f.Add("next:AAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseCursor(api.MessageQuery{Topic: "t", From: text})
		if err != nil {
			return
		}
		for _, p := range got.offsets {
			if p.partition < 0 || p.offset < 0 {
				t.Fatalf("%q gave %+v", text, p)
			}
		}
	})
}

func TestTargets(t *testing.T) {
	for text, want := range map[string]int64{
		"time:2026-03-01T12:00:00Z":           1772366400000,
		"time:2026-03-01T12:00:00.0001Z":      1772366400001,
		"time:2026-03-01T12:00:00.001Z":       1772366400001,
		"time:2026-03-01T21:00:00+09:00":      1772366400000,
		"time:1969-12-31T23:59:59Z":           0,
		"time:0001-01-01T00:00:00Z":           0,
		"time:9999-12-31T23:59:59.999999999Z": 253402300800000,
	} {
		if got, err := parseTarget("from", text); err != nil || got.millis() != want {
			t.Errorf("%s: got %d, %v, want %d", text, got.millis(), err, want)
		}
	}
}

func TestPlan(t *testing.T) {
	at := func(partition int32, committed, start, end, to int64) stand {
		return stand{place: place{"t", partition}, committed: committed, log: span{start: start, end: end}, found: found{offset: to}}
	}
	for _, tt := range []struct {
		name   string
		to     target
		replay bool
		stand  stand
		want   string // from>to, problem, warning
	}{
		{"back", target{kind: toOffset}, false, at(0, 7, 0, 9, 3), "7>3  up to 4 messages come again"},
		{"forward", target{kind: toOffset}, false, at(0, 2, 0, 9, 5), "2>5  up to 3 messages are skipped and never handled by this group"},
		{"before the start", target{kind: toOffset}, false, at(0, 7, 5, 9, 3), "7>5  up to 2 messages come again; offset 3 of partition 0 is gone: it goes to the start, 5"},
		{"past the end", target{kind: toOffset}, false, at(0, 9, 5, 9, 30), "9>9  offset 30 is past the end of partition 0: it goes to the end, 9"},
		{"nothing committed", target{kind: toEarliest}, false, at(0, -1, 5, 9, 5), "-1>5  "},
		{"committed before the start", target{kind: toEarliest}, false, at(0, 1, 5, 9, 5), "1>5  "},
		{"a replay back", target{kind: toOffset}, true, at(0, 7, 0, 9, 3), "7>3  up to 4 messages come again, and their handlers run again, each once: what they do beyond the database (mails, calls) is done again"},
		{"a replay forward", target{kind: toOffset}, true, at(0, 3, 0, 9, 7), "3>7 a replay only goes back: the consumer stands at 3, and going to 7 would skip 4 messages that its database has not handled "},
		{"a replay to where it is", target{kind: toOffset}, true, at(0, 3, 0, 9, 3), "3>3 the consumer stands at 3 already "},
		{"a replay of nothing", target{kind: toEarliest}, true, at(0, -1, 0, 9, 0), "-1>0 nothing of this partition was handled yet: there is nothing to replay "},
	} {
		p := plan(api.ResetRequest{Group: "g"}, tt.to, tt.replay, []stand{tt.stand})
		m := p.Moves[0]
		if got := fmt.Sprintf("%d>%d %s %s", m.From, m.To, m.Problem, p.Warning); got != tt.want || p.Replay != tt.replay {
			t.Errorf("%s:\ngot  %q\nwant %q", tt.name, got, tt.want)
		}
	}
	away := at(0, 1, 0, 0, 0)
	away.log.err = errors.New("no leader")
	if p := plan(api.ResetRequest{}, target{}, false, []stand{away}); !strings.Contains(p.Moves[0].Problem, "no leader") || hopeless(p) == nil {
		t.Errorf("no leader: got %+v", p)
	}
}

func TestConsumersAreRememberedWhileTheirServiceIsAway(t *testing.T) {
	known := map[string]consumer{}
	up := func(names ...string) api.Service {
		s := api.Service{Name: "payment", Status: &admin.Status{Prefix: "p."}}
		for _, n := range names {
			s.Status.Consumers = append(s.Status.Consumers, admin.ConsumerStatus{Name: n})
		}
		return s
	}
	away := api.Service{Name: "payment", Problem: "away"}
	for _, tt := range []struct {
		all  []api.Service
		want string
	}{
		{nil, "[]"},
		{[]api.Service{up("a", "b")}, "[p.a p.b]"},
		{[]api.Service{away}, "[p.a p.b]"},
		{[]api.Service{}, "[p.a p.b]"},
		{[]api.Service{up("a"), away}, "[p.a p.b]"},
		{[]api.Service{away, up("c")}, "[p.a p.b p.c]"},
		{[]api.Service{up("a"), up("c")}, "[p.a p.c]"},
	} {
		learn(known, tt.all)
		if got := fmt.Sprint(sortedKeys(known)); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.all, got, tt.want)
		}
	}
}

func TestOneQuestionForAllWhoAsk(t *testing.T) {
	c := cached[int]{age: time.Hour}
	asked := 0
	release := make(chan struct{})
	load := func(context.Context) (int, error) { asked++; <-release; return 7, nil }
	var work sync.WaitGroup
	for range 10 {
		work.Go(func() {
			if got, err := c.get(t.Context(), time.Minute, load); got != 7 || err != nil {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
	close(release)
	work.Wait()
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	c.forget()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := c.get(gone, time.Minute, load); got != 7 || err != nil || asked != 2 {
		t.Errorf("who asks first asks for all: got %d, %v", got, err)
	}
	c.forget()
	slow := func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }
	if _, err := c.get(t.Context(), time.Millisecond, slow); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
