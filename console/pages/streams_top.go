package pages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

const (
	// topRead is how many entries are looked at, topShown how many are shown.
	topRead  = 5000
	topShown = 20
	// topColumns of the values are shown.
	topColumns = 6
)

// topBody is a store's largest entries by a number of their values; of a window store those of
// the newest window.
type topBody struct {
	Application, Store string
	part[topList]
}

type topList struct {
	// By is the field that ranks, Fields are those that could.
	By      string
	Fields  []string
	Columns []string
	Lines   []topLine
	// From and To bound the window, zero where there is none.
	From, To time.Time
	// Entries were looked at; More says that the store has others.
	Entries int
	More    bool
	Masked  []string
}

// topLine is an entry. Share is Amount in percent of the largest.
type topLine struct {
	Key    string
	Cells  []string
	Amount float64
	Share  int64
}

func (h *handler) top(ctx context.Context, r *http.Request) (content, error) {
	b := topBody{Application: r.PathValue("application"), Store: r.PathValue("store")}
	c := content{template: "top", title: b.Store, section: "streams", body: b}
	if h.Engines.Streams == nil {
		return c, errorf(api.ErrNotFound, "there is no application %s", b.Application)
	}
	app, err := h.Engines.Streams.StreamsApp(ctx, b.Application)
	if err == nil {
		var l topList
		l, err = readTop(ctx, h.Engines.Streams, b, streamTime(app), param(r, "by"))
		b.part = ask(l, err)
	} else {
		b.Problem = problemOf(err)
	}
	c.body = b
	return c, onlyFatal(err)
}

// streamTime is the latest that a task has seen; now where none has.
func streamTime(a api.StreamsApp) (latest time.Time) {
	for _, p := range a.Parts {
		for _, t := range p.Tasks {
			if t.StreamTime.After(latest) {
				latest = t.StreamTime
			}
		}
	}
	if latest.IsZero() {
		return time.Now()
	}
	return latest
}

// readTop reads what is in the window of that time and the one before; of a store without
// windows everything, up to topRead entries.
func readTop(ctx context.Context, s api.Streams, b topBody, at time.Time, by string) (topList, error) {
	q := admin.StoreQuery{Application: b.Application, Store: b.Store, Limit: 1}
	page, err := s.QueryStore(ctx, api.StoreQuery{StoreQuery: q})
	if err != nil || len(page.Entries) == 0 {
		return topList{}, err
	}
	if size := windowSize(page.Entries[0]); size > 0 {
		q.TimeFrom = strconv.FormatInt(max(0, at.UnixMilli()-2*size+1), 10)
	}
	q.Limit = admin.MaxStoreEntries
	var entries []admin.StoreEntry
	for {
		if page, err = s.QueryStore(ctx, api.StoreQuery{StoreQuery: q}); err != nil {
			return topList{}, err
		}
		entries, q.Cursor = append(entries, page.Entries...), page.Next
		if q.Cursor == "" || len(entries) >= topRead {
			l := rank(entries, by)
			l.More, l.Masked = q.Cursor != "", page.Masked
			return l, nil
		}
	}
}

// windowSize in ms; 0 where it has none.
func windowSize(e admin.StoreEntry) int64 {
	if e.WindowStart == nil || e.WindowEnd == nil {
		return 0
	}
	return *e.WindowEnd - *e.WindowStart
}

// rank orders the entries of the newest window by a field, the first one with numbers where by
// is "".
func rank(entries []admin.StoreEntry, by string) topList {
	l := topList{By: by, Entries: len(entries)}
	entries = newestWindow(entries)
	if len(entries) > 0 && windowSize(entries[0]) > 0 {
		l.From, l.To = time.UnixMilli(*entries[0].WindowStart).UTC(), time.UnixMilli(*entries[0].WindowEnd).UTC()
	}
	fields := make([][]field, len(entries))
	for i, e := range entries {
		fields[i] = fieldsOfValue(e.Value)
		for _, f := range fields[i] {
			if len(l.Columns) < topColumns && !slices.Contains(l.Columns, f.name) {
				l.Columns = append(l.Columns, f.name)
			}
			if f.isNumber && slices.Contains(l.Columns, f.name) && !slices.Contains(l.Fields, f.name) {
				l.Fields = append(l.Fields, f.name)
			}
		}
	}
	if !slices.Contains(l.Fields, by) && len(l.Fields) > 0 {
		l.By = l.Fields[0]
	}
	for i, e := range entries {
		l.Lines = append(l.Lines, lineOf(plainJSON(e.Key), fields[i], l))
	}
	slices.SortStableFunc(l.Lines, func(x, y topLine) int { return cmp.Or(cmp.Compare(y.Amount, x.Amount), cmp.Compare(x.Key, y.Key)) })
	l.Lines = l.Lines[:min(len(l.Lines), topShown)]
	for i := range l.Lines {
		if most := l.Lines[0].Amount; most > 0 {
			l.Lines[i].Share = int64(max(0, l.Lines[i].Amount/most*100))
		}
	}
	return l
}

// newestWindow are the entries of the window that begins last; all where there are none.
func newestWindow(entries []admin.StoreEntry) []admin.StoreEntry {
	newest := int64(-1)
	for _, e := range entries {
		if windowSize(e) > 0 {
			newest = max(newest, *e.WindowStart)
		}
	}
	if newest < 0 {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e admin.StoreEntry) bool { return windowSize(e) == 0 || *e.WindowStart != newest })
}

func lineOf(key string, fields []field, l topList) topLine {
	line := topLine{Key: key, Cells: make([]string, len(l.Columns))}
	for _, f := range fields {
		if at := slices.Index(l.Columns, f.name); at >= 0 {
			line.Cells[at] = f.text
		}
		if f.name == l.By && f.isNumber {
			line.Amount = f.amount
		}
	}
	return line
}

// field is a number, text or truth of a value.
type field struct {
	name, text string
	isNumber   bool
	amount     float64
}

// fieldsOfValue are those of an object, in its order, without what is nested; of a plain value it is
// "value".
func fieldsOfValue(value json.RawMessage) (all []field) {
	d := json.NewDecoder(bytes.NewReader(value))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return plainField(nil, "value", value)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return all
		}
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return all
		}
		all = plainField(all, name.(string), raw)
	}
	return all
}

func plainField(all []field, name string, raw json.RawMessage) []field {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return all
	}
	switch v := v.(type) {
	case json.Number:
		f := field{name: name, text: v.String(), isNumber: true}
		f.amount, _ = v.Float64() // the largest there is where it is too large
		if n, err := v.Int64(); err == nil && n >= 0 {
			f.text = number(n)
		}
		return append(all, f)
	case string:
		return append(all, field{name: name, text: v})
	case bool:
		return append(all, field{name: name, text: strconv.FormatBool(v)})
	}
	return all
}
