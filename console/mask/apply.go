package mask

import (
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
)

// sum is all that is hidden of one message.
type sum struct {
	paths  []fieldPath
	names  []string // of headers
	keys   bool
	masked []string // what was hidden
}

func (s *sum) note(what string) {
	if !slices.Contains(s.masked, what) {
		s.masked = append(s.masked, what)
	}
}

// value hides fields, or the whole value where it is no JSON object or array:
// a JSON string may be JSON again.
func (s *sum) value(m *api.Message) {
	if len(s.paths) == 0 || m.Value.Format == "null" {
		return
	}
	schema := quiet(m.Value.Schema)
	if m.Value.Format == "json" && !m.Value.Cut {
		if text, found, ok := rewrite(m.Value.Text, s.paths); ok {
			m.Value.Text, m.Value.Size, m.Value.Schema = text, len(text), schema
			for _, f := range found {
				s.note(f)
			}
			return
		}
	}
	m.Value = hidden()
	m.Value.Schema = schema
	s.note("value")
}

// quiet is a schema without what is wrong with the bytes: that may quote them.
func quiet(s *api.DataSchema) *api.DataSchema {
	if s == nil || s.Problem == "" {
		return s
	}
	out := *s
	out.Problem = ""
	return &out
}

func (s *sum) headers(m *api.Message) {
	for i := range m.Headers {
		h := &m.Headers[i]
		key := s.keys && h.Key == inbox.HeaderRawKey
		if (key || s.names != nil && s.header(h.Key)) && h.Value.Format != "null" {
			h.Value = hidden()
			s.note("header:" + h.Key)
		}
	}
}

// header says whether a header is hidden, also as a dead letter carries it.
func (s *sum) header(name string) bool {
	plain := strings.TrimPrefix(name, inbox.HeaderRaw)
	return slices.ContainsFunc(s.names, func(n string) bool {
		return n == "*" || strings.EqualFold(n, name) || strings.EqualFold(n, plain)
	})
}

// event hides attributes that are copies of the key and of headers.
func (s *sum) event(e *api.Event) {
	if s.keys && e.Key != "" {
		e.Key = Hidden
	}
	for _, a := range []struct {
		header string
		value  *string
	}{
		{"ce_id", &e.ID}, {"ce_type", &e.Type}, {"ce_source", &e.Source},
		{"ce_correlationid", &e.CorrelationID}, {"ce_causationid", &e.CausationID},
	} {
		if *a.value != "" && s.header(a.header) {
			*a.value = Hidden
		}
	}
}

// source is the topic a dead letter came from, "" for another message.
func source(m *api.Message) string {
	for _, h := range m.Headers {
		if h.Key == inbox.HeaderTopic {
			return h.Value.Text
		}
	}
	return ""
}
