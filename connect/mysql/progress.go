package mysql

import (
	"encoding/json"
	"slices"
)

// progress of a snapshot: which tables are read. It does not change.
type progress struct {
	// Done tables, by their names; Begun are also those of which a part is read.
	Done  []string `json:"done,omitempty"`
	Begun string   `json:"begun,omitempty"`
	// Key has the names of the columns that Begun is read by, and After what they were in the last row.
	Key   []string `json:"key,omitempty"`
	After []string `json:"after,omitempty"`
	// Defined is how many records of definitions were made, or allDefined.
	Defined int `json:"defined,omitempty"`
	seen    map[string]bool
}

func (p *progress) encode() string {
	b, err := json.Marshal(p)
	if err != nil { // of strings
		return "{}"
	}
	return string(b)
}

func decodeProgress(text string) (*progress, error) {
	p := &progress{}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, err
	}
	p.see()
	return p, nil
}

// begun says whether rows of a table were read.
func (p *progress) begun(name string) bool { return p.seen[name] }

// see makes the set of tables of which rows were read.
func (p *progress) see() {
	p.seen = map[string]bool{}
	for _, name := range append(slices.Clone(p.Done), p.Begun) {
		if name != "" {
			p.seen[name] = true
		}
	}
}
