package admin

import (
	"net/url"
	"time"

	"github.com/pabal-dev/pabal/saga"
)

func writeSagaQuery(q saga.Query) url.Values {
	v := url.Values{}
	put(v, "name", q.Name)
	put(v, "id", q.ID)
	put(v, "correlation", q.CorrelationID)
	for _, s := range q.Status {
		v.Add("status", string(s))
	}
	putTime(v, "startedBefore", q.StartedBefore)
	if q.After != nil {
		v.Set("afterStarted", q.After.Started.UTC().Format(time.RFC3339Nano))
		v.Set("afterName", q.After.Name)
		v.Set("afterId", q.After.ID)
	}
	putInt(v, "limit", int64(q.Limit))
	return v
}

func readSagaQuery(v url.Values) (saga.Query, error) {
	p := params{v: v}
	q := saga.Query{
		Name: p.text("name"), ID: p.text("id"), CorrelationID: p.text("correlation"),
		StartedBefore: p.time("startedBefore"), Limit: int(p.int("limit", 32)),
	}
	for _, s := range p.all("status") {
		q.Status = append(q.Status, saga.Status(s))
	}
	if started, name, id := p.time("afterStarted"), p.text("afterName"), p.text("afterId"); v.Has("afterStarted") {
		q.After = &saga.Place{Started: started, Name: name, ID: id}
	}
	return q, p.end()
}

func putTime(v url.Values, name string, t time.Time) {
	if !t.IsZero() {
		v.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}

func (p *params) time(name string) time.Time {
	text := p.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		p.fault("%s %.40q is no time like 2006-01-02T15:04:05Z", name, text)
	}
	return t.UTC()
}
