package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// spread writes n records over the partitions, one a minute: 0 to partition 0, 1 to
// partition 1 and so on.
func spread(e *env, topic string, partitions, n int) {
	var records []*kgo.Record
	for i := range n {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: fmt.Append(nil, i), Timestamp: start.Add(time.Duration(i) * time.Minute)})
	}
	e.produce(records...)
}

func numbers(from, to int) string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprint(i))
	}
	return strings.Join(out, " ")
}

func latestByTime(t *testing.T, e *env) {
	topic := e.topic("latest", 3)
	if m := e.messages(api.MessageQuery{Topic: topic}); len(m.Items) != 0 || m.Next != "" || m.Stopped {
		t.Errorf("empty: %+v", m)
	}
	spread(e, topic, 3, 40)
	for _, tt := range []struct {
		limit int
		want  string
	}{{1, "39"}, {5, numbers(35, 40)}, {40, numbers(0, 40)}, {0, numbers(0, 40)}, {39, numbers(1, 40)}} {
		m := e.messages(api.MessageQuery{Topic: topic, Limit: tt.limit})
		if got := values(m); got != tt.want {
			t.Errorf("limit %d: got %s", tt.limit, got)
		}
		if more := tt.limit > 0 && tt.limit < 40; more != (m.Next != "") || m.Stopped {
			t.Errorf("limit %d: next %q, stopped %v", tt.limit, m.Next, m.Stopped)
		}
	}
	one := e.messages(api.MessageQuery{Topic: topic, Partition: ptr(int32(1)), From: "latest", Limit: 3})
	if got := values(one); got != "31 34 37" {
		t.Errorf("partition 1: got %s", got)
	}
}

func latestGoesOnBackwards(t *testing.T, e *env) {
	topic := e.topic("back", 3)
	spread(e, topic, 3, 31)
	var got []string
	q := api.MessageQuery{Topic: topic, Limit: 7}
	for {
		m := e.messages(q)
		got = append(strings.Fields(values(m)), got...)
		if m.Next == "" {
			break
		}
		q.From = m.Next
		e.put(topic, 0, 100+len(got), "new") // does not disturb
	}
	if strings.Join(got, " ") != numbers(0, 31) {
		t.Errorf("got %v", got)
	}
}

func pagesAreStable(t *testing.T, e *env) {
	topic := e.topic("pages", 3)
	spread(e, topic, 3, 31)
	var got []string
	q := api.MessageQuery{Topic: topic, From: "earliest", Limit: 4}
	for page := 0; ; page++ {
		m := e.messages(q)
		again := e.messages(q)
		if values(m) != values(again) || m.Next != again.Next {
			t.Fatalf("page %d is not stable: %s, then %s (%+v)", page, values(m), values(again), again)
		}
		got = append(got, strings.Fields(values(m))...)
		if m.Next == "" {
			break
		}
		q.From = m.Next
	}
	if strings.Join(got, " ") != numbers(0, 31) {
		t.Errorf("got %v", got)
	}
}

func offsetsAreSought(t *testing.T, e *env) {
	topic := e.topic("offsets", 2)
	spread(e, topic, 2, 10)
	for _, tt := range []struct{ from, want, note string }{
		{"offset:0", numbers(0, 10), ""},
		{"offset:3", numbers(6, 10), ""},
		{"offset:5", "", ""},
		{"offset:6", "", "offset 6 is past the end of partition 0, which is 5"},
		{"offset:9223372036854775807", "", "past the end"},
	} {
		m := e.messages(api.MessageQuery{Topic: topic, From: tt.from})
		if values(m) != tt.want || !strings.Contains(m.Note, tt.note) || tt.note == "" && m.Note != "" || m.Next != "" {
			t.Errorf("%s: got %q, note %q, next %q", tt.from, values(m), m.Note, m.Next)
		}
	}
}

func timesAreSought(t *testing.T, e *env) {
	topic := e.topic("times", 2)
	spread(e, topic, 2, 10)
	e.put(topic, 0, 2, "late") // its producer's clock is behind
	at := func(minute int, more time.Duration) string {
		return "time:" + start.Add(time.Duration(minute)*time.Minute+more).Format(time.RFC3339Nano)
	}
	for _, tt := range []struct{ from, want, note string }{
		{at(-10, 0), numbers(0, 9) + " late 9", ""},
		{"time:1965-01-01T00:00:00Z", numbers(0, 9) + " late 9", ""},
		{at(4, 0), numbers(4, 9) + " late 9", "some are older"},
		{at(4, time.Microsecond), numbers(5, 9) + " late 9", "some are older"},
		{at(9, 0), "9", ""},
		{at(8, -time.Second), "8 late 9", "some are older"},
		{at(10, 0), "", "no message is from"},
		{"time:9999-12-31T23:59:59Z", "", "no message is from 9999"},
		{"time:2026-03-01T21:09:00+09:00", "9", ""},
	} {
		m := e.messages(api.MessageQuery{Topic: topic, From: tt.from})
		if values(m) != tt.want || !strings.Contains(m.Note, tt.note) || tt.note == "" && m.Note != "" {
			t.Errorf("%s: got %q, want %q, note %q", tt.from, values(m), tt.want, m.Note)
		}
	}
}

func abortedAreNotShown(t *testing.T, e *env) {
	topic := e.topic("aborted", 1)
	e.transaction(topic, ptr(kgo.TryAbort), "a1", "a2", "a3")
	e.transaction(topic, ptr(kgo.TryCommit), "c1", "c2")
	e.transaction(topic, ptr(kgo.TryAbort), "a4", "a5")
	e.settled(topic)
	for _, from := range []string{"latest", "earliest", "offset:1"} {
		m := e.messages(api.MessageQuery{Topic: topic, From: from})
		if values(m) != "c1 c2" || m.Next != "" {
			t.Errorf("%s: got %q, next %q", from, values(m), m.Next)
		}
	}
	full := e.messages(api.MessageQuery{Topic: topic, From: "earliest", Limit: 2})
	if values(full) != "c1 c2" || full.Next != "" {
		t.Errorf("a full page at the end: got %q, next %q", values(full), full.Next)
	}
	only := e.topic("only-aborted", 1)
	e.transaction(only, ptr(kgo.TryAbort), "a1")
	e.settled(only)
	if m := e.messages(api.MessageQuery{Topic: only}); len(m.Items) > 0 || m.Next != "" || m.Stopped {
		t.Errorf("only aborted: %+v", m)
	}
}

func openIsToldOf(t *testing.T, e *env) {
	topic := e.topic("open", 1)
	e.put(topic, 0, 0, "before")
	p := e.transaction(topic, nil, "open")
	e.put(topic, 0, 1, "behind")
	m := e.messages(api.MessageQuery{Topic: topic, From: "earliest"})
	if values(m) != "before" || !strings.Contains(m.Note, "2 records behind an open transaction") {
		t.Errorf("got %q, note %q", values(m), m.Note)
	}
	shown, err := e.cluster.Topic(t.Context(), topic)
	if err != nil || shown.Partitions[0].Stable != 1 || shown.Partitions[0].End != 3 {
		t.Errorf("got %+v, %v", shown.Partitions, err)
	}
	if err := p.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	testenv.Wait(t, "the transaction to show", patience, func() bool {
		return values(e.messages(api.MessageQuery{Topic: topic, From: "earliest"})) == "before open behind"
	})
}

func cutIsToldOf(t *testing.T, e *env) {
	topic := e.topic("cut", 1)
	spread(e, topic, 1, 10)
	first := e.messages(api.MessageQuery{Topic: topic, From: "earliest", Limit: 2})
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 6, -1)
	if _, err := e.admin.DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"offset:1", first.Next} {
		m := e.messages(api.MessageQuery{Topic: topic, From: from})
		if values(m) != numbers(6, 10) || !strings.Contains(m.Note, "is gone: it begins at 6") {
			t.Errorf("%s: got %q, note %q", from, values(m), m.Note)
		}
	}
	if m := e.messages(api.MessageQuery{Topic: topic, Limit: 10}); values(m) != numbers(6, 10) || m.Next != "" {
		t.Errorf("latest: got %q, next %q", values(m), m.Next)
	}
}

func messagesAreFiltered(t *testing.T, e *env) {
	topic := e.topic("filtered", 2)
	for i := range 200 {
		r := &kgo.Record{Topic: topic, Partition: int32(i % 2), Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, `{"n": %d}`, i), Timestamp: start.Add(time.Duration(i) * time.Second)}
		if i%50 == 7 {
			r.Headers = []kgo.RecordHeader{{Key: "Region", Value: []byte("Seoul")}}
		}
		e.produce(r)
	}
	for _, tt := range []struct {
		filter string
		want   int
	}{
		{`key:KEY-7`, 11}, {`"n\": 1"`, 0}, {`"\"n"`, 0}, {`value:"n`, -1}, {`header:region=seoul`, 4}, {`seoul key:57`, 2},
		{`"{"`, 200}, {"nowhere", 0}, {"Region", 4}, {"value:seoul", 0},
	} {
		for _, from := range []string{"earliest", "latest"} {
			m, err := e.cluster.Messages(admin(t), api.MessageQuery{Topic: topic, Filter: tt.filter, From: from, Limit: 500})
			if tt.want < 0 {
				if !errors.Is(err, api.ErrInvalid) {
					t.Errorf("%s: got %v", tt.filter, err)
				}
				continue
			}
			if tt.filter == `"n\": 1"` || tt.filter == `"\"n"` {
				continue
			}
			if err != nil || len(m.Items) != tt.want {
				t.Errorf("%s from %s: got %d, %v", tt.filter, from, len(m.Items), err)
			}
		}
	}
	two := e.messages(api.MessageQuery{Topic: topic, Filter: "header:Region=Seoul", Limit: 2})
	rest := e.messages(api.MessageQuery{Topic: topic, Filter: "header:Region=Seoul", From: two.Next})
	if values(rest)+" "+values(two) != `{"n": 7} {"n": 57} {"n": 107} {"n": 157}` || rest.Next != "" {
		t.Errorf("got %s, then %s, next %q", values(two), values(rest), rest.Next)
	}
}

func searchIsBounded(t *testing.T, e *env) {
	topic := e.topic("bounded", 2)
	noise := rand.New(rand.NewPCG(1, 2)) // does not shrink
	var records []*kgo.Record
	for i := range 400 {
		value := make([]byte, 10_000)
		for i := range value {
			value[i] = byte(noise.UintN(256))
		}
		if i%100 == 50 {
			value = fmt.Append(nil, "needle", i)
		}
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: value, Timestamp: start.Add(time.Duration(i) * time.Second)})
		if len(records) == 10 { // small batches
			e.produce(records...)
			records = nil
		}
	}
	small := e.open(t, cluster.Config{ScanBytes: 500_000})
	for _, from := range []string{"earliest", "latest"} {
		var got []string
		q := api.MessageQuery{Topic: topic, Filter: "needle", From: from}
		stopped := 0
		for range 1000 {
			m, err := small.Messages(admin(t), q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.Fields(values(m))...)
			if m.Stopped {
				stopped++
			}
			if q.From = m.Next; m.Next == "" {
				break
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != "needle150 needle250 needle350 needle50" {
			t.Errorf("from %s: got %v", from, got)
		}
		if stopped == 0 {
			t.Errorf("from %s: it was never stopped", from)
		}
	}
	slow := e.open(t, cluster.Config{ScanTime: time.Nanosecond})
	if m, err := slow.Messages(admin(t), api.MessageQuery{Topic: topic, Filter: "nowhere"}); err != nil || !m.Stopped || m.Next == "" {
		t.Errorf("out of time: %+v, %v", m, err)
	}
}

func maskedIsNotFound(t *testing.T, e *env) {
	topic := e.topic("masked", 1)
	card := `{"card": "4111-1111", "pad": "` + strings.Repeat("p", 40_000) + `", "pin": "9876"}`
	e.put(topic, 0, 0, card)
	e.put(topic, 0, 1, "4111 is no JSON")
	rules, err := mask.New([]mask.Rule{{Topics: []string{"masked"}, Fields: []string{"card", "**.pin"}, Reveal: api.Operator}}, e.kafka.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	masked := e.open(t, cluster.Config{Mask: rules})
	ask := func(role api.Role, filter string) api.Messages {
		m, err := masked.Messages(api.WithUser(t.Context(), api.User{Role: role}), api.MessageQuery{Topic: topic, Filter: filter, Full: true})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	all := ask(api.Viewer, "")
	if len(all.Items) != 2 || strings.Contains(values(all), "4111") || strings.Contains(values(all), "9876") || !strings.Contains(values(all), "ppp") {
		t.Errorf("a viewer sees %.200s", values(all))
	}
	if !slices.Equal(all.Items[0].Masked, []string{"card", "**.pin"}) || !slices.Equal(all.Items[1].Masked, []string{"value"}) {
		t.Errorf("masked %v and %v", all.Items[0].Masked, all.Items[1].Masked)
	}
	for _, filter := range []string{"4111", "9876", "value:4111"} {
		if found := ask(api.Viewer, filter); len(found.Items) > 0 {
			t.Errorf("a viewer found %s", filter)
		}
		if found := ask(api.Operator, filter); len(found.Items) == 0 {
			t.Errorf("an operator did not find %s", filter)
		}
	}
}

func oddValues(t *testing.T, e *env) {
	topic := e.topic("odd", 1)
	html := `<script>alert("1")</script>`
	e.produce(
		&kgo.Record{Topic: topic, Value: nil, Key: []byte("gone")},
		&kgo.Record{Topic: topic, Value: []byte{}},
		&kgo.Record{Topic: topic, Value: []byte{0, 1, 255}},
		&kgo.Record{Topic: topic, Value: []byte(html)},
		&kgo.Record{Topic: topic, Value: []byte(strings.Repeat("가", 200_000))},
	)
	m := e.messages(api.MessageQuery{Topic: topic, From: "earliest"})
	if len(m.Items) != 5 {
		t.Fatalf("got %d", len(m.Items))
	}
	for i, want := range []string{"null", "text", "binary", "text", "text"} {
		if m.Items[i].Value.Format != want {
			t.Errorf("%d: got %s, want %s", i, m.Items[i].Value.Format, want)
		}
	}
	if m.Items[3].Value.Text != html {
		t.Errorf("got %s", m.Items[3].Value.Text)
	}
	if long := m.Items[4].Value; !long.Cut || len(long.Text) > 16<<10 || long.Size != 600_000 {
		t.Errorf("cut %v, %d bytes of %d", long.Cut, len(long.Text), long.Size)
	}
	full := e.messages(api.MessageQuery{Topic: topic, From: "offset:4", Full: true})
	if long := full.Items[0].Value; long.Cut || len(long.Text) != 600_000 {
		t.Errorf("full: cut %v, %d bytes", long.Cut, len(long.Text))
	}
}

func badQuestions(t *testing.T, e *env) {
	topic, other := e.topic("asked", 2), e.topic("asked-too", 2)
	spread(e, topic, 2, 10)
	next := e.messages(api.MessageQuery{Topic: topic, From: "earliest", Limit: 1}).Next
	for _, tt := range []struct {
		q    api.MessageQuery
		kind error
		want string
	}{
		{api.MessageQuery{Topic: e.kafka.Topic("none")}, api.ErrNotFound, "there is no topic"},
		{api.MessageQuery{Topic: ""}, api.ErrInvalid, "name"},
		{api.MessageQuery{Topic: "a/b"}, api.ErrInvalid, "a/b"},
		{api.MessageQuery{Topic: strings.Repeat("a", 300)}, api.ErrInvalid, "249"},
		{api.MessageQuery{Topic: topic, Partition: ptr(int32(2))}, api.ErrNotFound, "no partition 2, only 0 to 1"},
		{api.MessageQuery{Topic: topic, Partition: ptr(int32(-1))}, api.ErrNotFound, "no partition -1"},
		{api.MessageQuery{Topic: topic, From: "offset:-1"}, api.ErrInvalid, "from 0"},
		{api.MessageQuery{Topic: topic, From: "offset:99999999999999999999"}, api.ErrInvalid, "no offset"},
		{api.MessageQuery{Topic: topic, From: "offset:x"}, api.ErrInvalid, "no offset"},
		{api.MessageQuery{Topic: topic, From: "time:yesterday"}, api.ErrInvalid, "RFC 3339"},
		{api.MessageQuery{Topic: topic, From: "somewhere"}, api.ErrInvalid, "earliest, latest"},
		{api.MessageQuery{Topic: topic, From: "next:"}, api.ErrInvalid, "not the next of a page"},
		{api.MessageQuery{Topic: topic, From: "next:AAAAAAAA"}, api.ErrInvalid, "not the next of a page"},
		{api.MessageQuery{Topic: topic, From: "next:%%%"}, api.ErrInvalid, "not the next of a page"},
		{api.MessageQuery{Topic: other, From: next}, api.ErrInvalid, "not the next of a page"},
		{api.MessageQuery{Topic: topic, From: next, Partition: ptr(int32(0))}, api.ErrInvalid, "not the next of a page"},
		{api.MessageQuery{Topic: topic, Limit: -1}, api.ErrInvalid, "limit"},
		{api.MessageQuery{Topic: topic, Limit: 501}, api.ErrInvalid, "limit"},
		{api.MessageQuery{Topic: topic, Filter: "key:"}, api.ErrInvalid, "nothing stands behind"},
		{api.MessageQuery{Topic: topic, Filter: `"open`}, api.ErrInvalid, "not closed"},
	} {
		_, err := e.cluster.Messages(admin(t), tt.q)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %v with %q", tt.q, err, tt.kind, tt.want)
		}
		if err := e.cluster.Tail(admin(t), tt.q, func(api.Message) error { return nil }); !errors.Is(err, tt.kind) {
			t.Errorf("tail %+v: got %v", tt.q, err)
		}
	}
	if all, err := e.admin.ListTopics(t.Context()); err != nil || all.Has(e.kafka.Topic("none")) {
		t.Errorf("asking for it made a topic: %v", err)
	}
}
