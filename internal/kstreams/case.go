package kstreams

import (
	"encoding/json"
	"fmt"
)

// Case is a topology and what is put into it. Its JSON is what the Java side reads
// (Case.java).
type Case struct {
	ID       int64   `json:"id"`
	Describe bool    `json:"describe,omitempty"`
	Disk     bool    `json:"disk,omitempty"`  // stores on disk (RocksDB) instead of in memory
	Cache    int64   `json:"cache,omitempty"` // bytes of the record cache
	Nodes    []Node  `json:"nodes"`
	Events   []Event `json:"events"`
}

// Node is an operator. Which fields it takes follows from Op.
type Node struct {
	ID         string   `json:"id"`
	Op         string   `json:"op"`
	In         []string `json:"in,omitempty"`
	Topic      string   `json:"topic,omitempty"`
	Name       string   `json:"name,omitempty"` // of a group
	Fn         string   `json:"fn,omitempty"`   // functions of the catalogue
	Fn2        string   `json:"fn2,omitempty"`
	Fn3        string   `json:"fn3,omitempty"`
	Fns        []string `json:"fns,omitempty"`
	Init       string   `json:"init"`
	Store      string   `json:"store,omitempty"`     // empty for an operator that need not have one
	Versioned  int64    `json:"versioned,omitempty"` // ms of history; 0 for a plain store
	Window     *Window  `json:"window,omitempty"`
	Join       string   `json:"join,omitempty"` // inner, left, outer
	Before     int64    `json:"before,omitempty"`
	After      int64    `json:"after,omitempty"`
	Grace      int64    `json:"grace,omitempty"`
	Emit       string   `json:"emit,omitempty"`  // close
	Until      string   `json:"until,omitempty"` // untilWindowCloses, untilTimeLimit
	Limit      int64    `json:"limit,omitempty"`
	MaxRecords int64    `json:"maxRecords,omitempty"`
	Full       string   `json:"full,omitempty"`   // emit, shutdown
	Branch     int      `json:"branch,omitempty"` // number; the rest is the last
}

// Window is tumbling, hopping, sliding or session; times are in ms.
type Window struct {
	Type    string `json:"type"`
	Size    int64  `json:"size"` // length, time difference or inactivity gap
	Advance int64  `json:"advance,omitempty"`
	Grace   int64  `json:"grace"`
}

// Event is a record of an input topic or, without a topic, a step of the wall clock.
type Event struct {
	Topic string  `json:"topic,omitempty"`
	Key   *string `json:"key,omitempty"`
	Value *string `json:"value,omitempty"`
	TS    int64   `json:"ts,omitempty"`
	Wall  int64   `json:"wall,omitempty"`
}

// Result is what came of a case.
type Result struct {
	// Steps holds, for each event, the records that came out, by topic.
	Steps []map[string][]Row `json:"steps"`
	// Stores holds the contents of the named ones at the end.
	Stores      map[string][]Row `json:"stores"`
	Description string           `json:"description,omitempty"`
	Error       string           `json:"error,omitempty"`
	// At is the number of the event that failed; -1 while the topology was built.
	At int `json:"at"`
}

// Row is a record: [key, value, timestamp] in JSON, with null where there is none.
type Row struct {
	Key, Value *string
	TS         int64
}

// UnmarshalJSON reads the array.
func (r *Row) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&r.Key, &r.Value, &r.TS})
}

func (r Row) String() string {
	return fmt.Sprintf("%s=%s@%d", text(r.Key), text(r.Value), r.TS)
}

func (e Event) String() string {
	if e.Topic == "" {
		return fmt.Sprintf("the clock goes on by %d ms", e.Wall)
	}
	return fmt.Sprintf("%s %s", e.Topic, Row{e.Key, e.Value, e.TS})
}

func text(s *string) string {
	if s == nil {
		return "∅"
	}
	return fmt.Sprintf("%q", *s)
}
