package core

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Limits bound what one schema may be; see DefaultLimits.
type Limits struct {
	tree.Limits
	// References is how many schemas one may refer to, directly and not.
	References int
	// Text is how many bytes one may have.
	Text int
}

// State is what the records say so far. It is not safe for concurrent use, but its methods that
// change nothing may run side by side.
type State struct {
	limits   Limits
	fallback string // compatibility where none is configured
	subjects map[string]map[int]*Version
	configs  map[string]Config
	modes    map[string]Mode
	// named are the contexts that were made, besides the default one.
	named    map[string]bool
	contexts map[string]*ids
	// referrers are the versions that refer to a version, whether it exists or not.
	referrers map[place]map[place]*Version
	checked   checked
}

type place struct {
	subject string
	version int
}

// ids of one context.
type ids struct {
	byID   map[int]map[place]*Version
	byHash map[[md5.Size]byte]int
	// highest id that was ever given; kept is the highest that a NOOP record tells.
	highest, kept int
}

// New is the state of an empty topic.
func New(limits Limits, compatibility string) *State {
	return &State{
		limits: limits, fallback: compatibility,
		subjects: map[string]map[int]*Version{}, configs: map[string]Config{}, modes: map[string]Mode{},
		named: map[string]bool{}, contexts: map[string]*ids{}, referrers: map[place]map[place]*Version{},
	}
}

// Apply adds a record. An error is about a record that nobody understands, which is left out;
// what comes behind it can be applied.
func (s *State) Apply(r Record, millis int64) error {
	var key recordKey
	if err := json.Unmarshal(r.Key, &key); err != nil {
		return fmt.Errorf("a record's key is not the registry's: %w", err)
	}
	if key.Subject != "" {
		key.Subject = Normalize(key.Subject)
	}
	switch key.Type {
	case keySchema:
		return s.applySchema(key, r.Value, millis)
	case keyConfig:
		return apply(s.configs, key.Subject, r.Value)
	case keyMode:
		var v modeValue
		if r.Value != nil {
			if err := json.Unmarshal(r.Value, &v); err != nil {
				return fmt.Errorf("the mode of %q: %w", key.Subject, err)
			}
		}
		if v.Mode == "" {
			delete(s.modes, key.Subject)
		} else {
			s.modes[key.Subject] = v.Mode
		}
		return nil
	case keyContext:
		if r.Value == nil {
			delete(s.named, key.Context)
		} else {
			s.named[key.Context] = true
		}
		return nil
	case keyDeleteSubject, keyClearSubject:
		return s.applyDelete(key, r.Value)
	case keyNoop:
		return s.applyNoop(r.Value)
	}
	return nil // associations and what newer registries may write
}

func apply[V any](to map[string]V, subject string, value []byte) error {
	if value == nil {
		delete(to, subject)
		return nil
	}
	var v V
	if err := json.Unmarshal(value, &v); err != nil {
		return fmt.Errorf("the configuration of %q: %w", subject, err)
	}
	to[subject] = v
	return nil
}

func (s *State) applySchema(key recordKey, value []byte, millis int64) error {
	at := place{key.Subject, key.Version}
	if value == nil {
		s.forget(at)
		return nil
	}
	var given schemaValue
	if err := json.Unmarshal(value, &given); err != nil {
		return fmt.Errorf("version %d of %q: %w", key.Version, key.Subject, err)
	}
	v := &Version{
		Subject: at.subject, Version: at.version, ID: given.ID, Type: given.SchemaType, References: given.References,
		Metadata: given.Metadata, RuleSet: given.RuleSet, Schema: given.Schema, Deleted: given.Deleted, Time: millis,
	}
	if v.Type == "" {
		v.Type = Avro
	}
	if v.hash = v.sum(); len(given.MD5) == md5.Size {
		v.hash = [md5.Size]byte(given.MD5)
	}
	if other := s.AnyWithID(v.Subject, v.ID); other != nil && other.Schema != v.Schema {
		return fmt.Errorf("version %d of %q has the id %d of another schema, and is left out", v.Version, v.Subject, v.ID)
	}
	s.forget(at)
	s.keep(v)
	return nil
}

func (s *State) keep(v *Version) {
	at := place{v.Subject, v.Version}
	if s.subjects[at.subject] == nil {
		s.subjects[at.subject] = map[int]*Version{}
	}
	s.subjects[at.subject][at.version] = v
	c := s.ids(at.subject)
	if c.byID[v.ID] == nil {
		c.byID[v.ID] = map[place]*Version{}
	}
	c.byID[v.ID][at] = v
	c.byHash[v.hash] = v.ID
	c.highest = max(c.highest, v.ID)
	for _, r := range v.References {
		to := place{Qualify(v.Subject, r.Subject), r.Version}
		if s.referrers[to] == nil {
			s.referrers[to] = map[place]*Version{}
		}
		s.referrers[to][at] = v
	}
}

func (s *State) forget(at place) {
	v := s.subjects[at.subject][at.version]
	if v == nil {
		return
	}
	if delete(s.subjects[at.subject], at.version); len(s.subjects[at.subject]) == 0 {
		delete(s.subjects, at.subject)
	}
	c := s.ids(at.subject)
	if delete(c.byID[v.ID], at); len(c.byID[v.ID]) == 0 {
		delete(c.byID, v.ID)
	}
	for _, r := range v.References {
		to := place{Qualify(v.Subject, r.Subject), r.Version}
		if delete(s.referrers[to], at); len(s.referrers[to]) == 0 {
			delete(s.referrers, to)
		}
	}
}

func (s *State) ids(subject string) *ids {
	context, _ := Split(subject)
	c := s.contexts[context]
	if c == nil {
		c = &ids{byID: map[int]map[place]*Version{}, byHash: map[[md5.Size]byte]int{}}
		s.contexts[context] = c
	}
	return c
}

func (s *State) applyDelete(key recordKey, value []byte) error {
	if value == nil {
		return nil
	}
	var v subjectValue
	if err := json.Unmarshal(value, &v); err != nil {
		return fmt.Errorf("the deletion of %q: %w", key.Subject, err)
	}
	if key.Type == keyClearSubject {
		for _, v := range s.versions(func(v *Version) bool { return v.Deleted && covers(key.Subject, v.Subject) }) {
			s.forget(place{v.Subject, v.Version})
		}
		return nil
	}
	for _, old := range s.subjects[key.Subject] {
		if old.Version <= v.Version && !old.Deleted {
			s.keep(old.deleted())
		}
	}
	return nil
}

func (s *State) applyNoop(value []byte) error {
	if value == nil {
		return nil
	}
	var v noopValue
	if err := json.Unmarshal(value, &v); err != nil {
		return fmt.Errorf("the highest ids: %w", err)
	}
	for context, id := range v.HighestIDs {
		c := s.ids(Join(context, ""))
		c.highest, c.kept = max(c.highest, id), max(c.kept, id)
	}
	return nil
}

// versions that are wanted, in order.
func (s *State) versions(wanted func(*Version) bool) []*Version {
	var out []*Version
	for _, all := range s.subjects {
		for _, v := range all {
			if wanted(v) {
				out = append(out, v)
			}
		}
	}
	slices.SortFunc(out, compareVersions)
	return out
}

// finish adds a record with the highest ids, where what is removed, or was before, would take the
// last trace of one with it.
func (s *State) finish(records []Record, removed ...*Version) []Record {
	gone := map[place]bool{}
	for _, v := range removed {
		gone[place{v.Subject, v.Version}] = true
	}
	needed, all := false, map[string]int{}
	for name, c := range s.contexts {
		if c.highest == 0 {
			continue
		}
		all[name] = c.highest
		left := 0
		for at := range c.byID[c.highest] {
			if !gone[at] {
				left++
			}
		}
		needed = needed || left == 0 && c.kept < c.highest
	}
	if !needed || len(records) == 0 {
		return records
	}
	return append(records, Record{marshal(recordKey{Type: keyNoop}), marshal(noopValue{all})})
}
