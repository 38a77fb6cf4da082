package core

import (
	"maps"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
)

// Which versions a list has.
type Which int

// Lists of versions and subjects.
const (
	Undeleted Which = iota
	All
	DeletedOnly
)

func (w Which) has(deleted bool) bool { return w == All || deleted == (w == DeletedOnly) }

// HasSubjects tells whether a subject, or a context, or anything, has versions.
func (s *State) HasSubjects(scope string, deleted bool) bool {
	for subject, all := range s.subjects {
		if !covers(scope, subject) {
			continue
		}
		for _, v := range all {
			if deleted || !v.Deleted {
				return true
			}
		}
	}
	return false
}

func (s *State) hasSubject(subject string, deleted bool) bool {
	for _, v := range s.subjects[subject] {
		if deleted || !v.Deleted {
			return true
		}
	}
	return false
}

// Subjects whose names begin with a prefix, which may begin with AnyContext. A subject counts as
// deleted where all of its versions are.
func (s *State) Subjects(prefix string, which Which) []string {
	out := []string{}
	for subject := range s.subjects {
		if hasPrefix(subject, prefix) && which.has(!s.hasSubject(subject, false)) {
			out = append(out, subject)
		}
	}
	slices.SortFunc(out, compareSubjects)
	return out
}

func hasPrefix(subject, prefix string) bool {
	context, name := Split(subject)
	if rest, ok := strings.CutPrefix(prefix, AnyContext); ok {
		return strings.HasPrefix(name, rest)
	}
	wanted, rest := Split(prefix)
	return context == wanted && strings.HasPrefix(name, rest)
}

// Versions of a subject, in ascending order.
func (s *State) Versions(subject string, which Which) []*Version {
	var out []*Version
	for _, v := range s.subjects[subject] {
		if which.has(v.Deleted) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, compareVersions)
	return out
}

// SubjectVersions is Versions, or an error where the subject has none.
func (s *State) SubjectVersions(subject string, which Which) ([]*Version, error) {
	if !s.hasSubject(subject, which != Undeleted) {
		return nil, subjectNotFound(subject)
	}
	return s.Versions(subject, which), nil
}

// latest is the highest version that is not deleted, nil without.
func (s *State) latest(subject string) *Version {
	all := s.Versions(subject, Undeleted)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// Version of a subject; a deleted one where that is wanted.
func (s *State) Version(subject string, version int, deleted bool) (*Version, error) {
	v := s.subjects[subject][version]
	if version == Latest {
		v = s.latest(subject)
	}
	if v != nil && (!v.Deleted || deleted) {
		return v, nil
	}
	if !s.hasSubject(subject, deleted) {
		return nil, subjectNotFound(subject)
	}
	return nil, versionNotFound(version)
}

// AllVersions of subjects that begin with a prefix.
func (s *State) AllVersions(prefix string, deleted, latestOnly bool) []*Version {
	var out []*Version
	all := s.versions(func(v *Version) bool { return hasPrefix(v.Subject, prefix) && (deleted || !v.Deleted) })
	for i, v := range all {
		if !latestOnly || i+1 == len(all) || all[i+1].Subject != v.Subject {
			out = append(out, v)
		}
	}
	return out
}

// AnyWithID is a version with an id in the context of a subject, nil without.
func (s *State) AnyWithID(subject string, id int) *Version {
	context, _ := Split(subject)
	c := s.contexts[context]
	if c == nil {
		return nil
	}
	return preferred(slices.Collect(maps.Values(c.byID[id])))
}

// preferred is the first that is not deleted.
func preferred(all []*Version) *Version {
	slices.SortFunc(all, func(a, b *Version) int {
		if a.Deleted != b.Deleted {
			if b.Deleted {
				return -1
			}
			return 1
		}
		return compareVersions(a, b)
	})
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// ByID finds a schema by its id. scope is empty, a context, or a subject: then the one that this
// subject has is meant, in its context or another, and else any in its context.
func (s *State) ByID(scope string, id int) (*Version, error) {
	context, name := Split(scope)
	if name != "" {
		contexts := []string{context}
		if context == DefaultContext {
			contexts = append(contexts, slices.Sorted(maps.Keys(s.named))...)
		}
		for _, c := range contexts {
			if v := s.withID(Join(c, name), id); v != nil {
				return v, nil
			}
		}
		if context != DefaultContext {
			return nil, errorf(SchemaNotFound, "Schema %d not found", id)
		}
	}
	if v := s.AnyWithID(scope, id); v != nil {
		return v, nil
	}
	return nil, errorf(SchemaNotFound, "Schema %d not found", id)
}

func (s *State) withID(subject string, id int) *Version {
	var found []*Version
	for _, v := range s.subjects[subject] {
		if v.ID == id {
			found = append(found, v)
		}
	}
	return preferred(found)
}

// VersionsByID are the versions that have the id of a schema, in its context.
func (s *State) VersionsByID(scope string, id int, deleted bool) ([]*Version, error) {
	v, err := s.ByID(scope, id)
	if err != nil {
		return nil, errorf(SchemaNotFound, "Schema not found")
	}
	return s.sharing(v, deleted), nil
}

func (s *State) sharing(v *Version, deleted bool) []*Version {
	context, _ := Split(v.Subject)
	var out []*Version
	for _, other := range s.contexts[context].byID[v.ID] {
		if deleted || !other.Deleted {
			out = append(out, other)
		}
	}
	slices.SortFunc(out, compareVersions)
	return out
}

// HighestID that was given in a context.
func (s *State) HighestID(subject string) int {
	context, _ := Split(subject)
	if c := s.contexts[context]; c != nil {
		return c.highest
	}
	return 0
}

// ByGUID finds a schema in any context.
func (s *State) ByGUID(guid string) (*Version, error) {
	if found := s.AllByGUID(guid); len(found) > 0 {
		return found[0], nil
	}
	return nil, errorf(SchemaNotFound, "Schema %s not found", guid)
}

// AllByGUID are the schemas with a GUID, one per context.
func (s *State) AllByGUID(guid string) []*Version {
	var out []*Version
	for _, context := range s.Contexts() {
		c := s.contexts[context]
		if c == nil {
			continue
		}
		for hash, id := range c.byHash {
			if v := preferred(slices.Collect(maps.Values(c.byID[id]))); v != nil && v.hash == hash && v.GUID() == guid {
				out = append(out, v)
			}
		}
	}
	return out
}

// Contexts that there are.
func (s *State) Contexts() []string {
	return append([]string{DefaultContext}, slices.Sorted(maps.Keys(s.named))...)
}

// referring are the versions that refer to one.
func (s *State) referring(v *Version, deleted bool) []*Version {
	var out []*Version
	for _, r := range s.referrers[place{v.Subject, v.Version}] {
		if deleted || !r.Deleted {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, compareVersions)
	return out
}

// ReferencedBy are the ids of the schemas that refer to a version.
func (s *State) ReferencedBy(v *Version, deleted bool) []int {
	var out []int
	for _, r := range s.referring(v, deleted) {
		out = append(out, r.ID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Text of a schema in a format: "resolved" writes out what an Avro schema refers to; formats that
// are not known are those of the stored text.
func (s *State) Text(v *Version, format string) (string, error) {
	if format != "resolved" || v.Type != Avro {
		return v.Schema, nil
	}
	f, err := s.parse(v)
	if err != nil {
		return "", err
	}
	return f.(*avro.Schema).Resolved(), nil
}
