package admin

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// Queries as parameters of a URL, each written and read here.

func writeRowQuery(q outbox.RowQuery) url.Values {
	v := url.Values{}
	put(v, "status", string(q.Status))
	put(v, "topic", q.Topic)
	put(v, "key", q.Key)
	put(v, "correlation", q.Correlation)
	for _, id := range q.EventIDs {
		v.Add("eventId", id)
	}
	putInt(v, "after", q.After)
	putInt(v, "limit", int64(q.Limit))
	if q.Payload {
		v.Set("payload", "true")
	}
	return v
}

func readRowQuery(v url.Values) (outbox.RowQuery, error) {
	p := params{v: v}
	q := outbox.RowQuery{
		Status: outbox.Status(p.text("status")), Topic: p.text("topic"), Key: p.text("key"), Correlation: p.text("correlation"),
		EventIDs: p.all("eventId"), After: p.int("after", 64), Limit: int(p.int("limit", 32)), Payload: p.bool("payload"),
	}
	return q, p.end()
}

func writeMarkQuery(ids []string) url.Values { return url.Values{"id": ids} }

func readMarkQuery(v url.Values) ([]string, error) {
	p := params{v: v}
	ids := p.all("id")
	return ids, p.end()
}

func writeWaitingQuery(q inbox.WaitingQuery) url.Values {
	v := url.Values{}
	put(v, "topic", q.Topic)
	put(v, "key", q.Key)
	if q.Partition != nil {
		v.Set("partition", strconv.FormatInt(int64(*q.Partition), 10))
	}
	if q.Offset != nil {
		v.Set("offset", strconv.FormatInt(*q.Offset, 10))
	}
	if q.After != nil {
		v.Set("afterTopic", q.After.Topic)
		v.Set("afterPartition", strconv.FormatInt(int64(q.After.Partition), 10))
		v.Set("afterOffset", strconv.FormatInt(q.After.Offset, 10))
	}
	putInt(v, "limit", int64(q.Limit))
	return v
}

func readWaitingQuery(v url.Values) (inbox.WaitingQuery, error) {
	p := params{v: v}
	q := inbox.WaitingQuery{Topic: p.text("topic"), Key: p.text("key"), Limit: int(p.int("limit", 32))}
	if v.Has("partition") {
		n := int32(p.int("partition", 32))
		q.Partition = &n
	}
	if v.Has("offset") {
		n := p.int("offset", 64)
		q.Offset = &n
	}
	if v.Has("afterTopic") {
		q.After = &inbox.Place{Topic: p.text("afterTopic"), Partition: int32(p.int("afterPartition", 32)), Offset: p.int("afterOffset", 64)}
	}
	return q, p.end()
}

func put(v url.Values, name, value string) {
	if value != "" {
		v.Set(name, value)
	}
}

func putInt(v url.Values, name string, value int64) {
	if value != 0 {
		v.Set(name, strconv.FormatInt(value, 10))
	}
}

// params reads parameters and remembers the first fault.
type params struct {
	v    url.Values
	used []string
	err  error
}

func (p *params) text(name string) string {
	p.used = append(p.used, name)
	if len(p.v[name]) > 1 {
		p.fault("%s is given %d times", name, len(p.v[name]))
	}
	return p.v.Get(name)
}

func (p *params) all(name string) []string {
	p.used = append(p.used, name)
	for _, value := range p.v[name] {
		if !utf8.ValidString(value) {
			p.fault("%s %q is not text", name, value)
		}
	}
	return p.v[name]
}

func (p *params) int(name string, bits int) int64 {
	text := p.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		p.fault("%s %.40q is no integer of %d bits", name, text, bits)
	}
	return n
}

func (p *params) bool(name string) bool {
	switch text := p.text(name); text {
	case "", "false":
		return false
	case "true":
		return true
	default:
		p.fault("%s %.40q is not true or false", name, text)
		return false
	}
}

// end is the first fault, or one for a parameter that nobody asked for.
func (p *params) end() error {
	for _, name := range slices.Sorted(maps.Keys(p.v)) {
		if !slices.Contains(p.used, name) && name != "afterPartition" && name != "afterOffset" {
			p.fault("%.40q is not a parameter of this request", name)
		}
	}
	return p.err
}

func (p *params) fault(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
	}
}
