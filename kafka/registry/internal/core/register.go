package core

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
)

// Request to register a schema, to look one up, or to compare one.
type Request struct {
	Schema     string
	Type       string // AVRO where empty
	References []Reference
	Metadata   *Metadata
	RuleSet    json.RawMessage
	// ID is the id to import the schema with; 0 where the registry gives one.
	ID int
	// Version to register as; 0 is the next one, and an equal schema is found instead.
	Version int
	// Normalize the text first; the configuration may want it, too.
	Normalize bool
	// Force registers what is not compatible.
	Force bool
}

// Register answers the version that has the schema: one that is there, or a new one with the
// records that make it.
func (s *State) Register(subject string, r Request) (*Version, []Record, error) {
	if err := CheckSubject(subject, false); err != nil {
		return nil, nil, err
	}
	if err := s.checkRegister(subject, r.ID > 0); err != nil {
		return nil, nil, err
	}
	imports := s.ModeInScope(subject).imports()
	if !imports {
		r = s.inherit(subject, r)
	}
	v, f, err := s.accept(subject, r, true, !imports)
	if err != nil {
		return nil, nil, err
	}
	id := r.ID
	if known := s.known(v); known > 0 && (id == 0 || id == known) {
		id = known
	}
	if r.Version == 0 {
		if found := s.equal(v, f, id, false); found != nil {
			return found, nil, nil
		}
	}
	if !imports && !r.Force {
		reasons, err := s.check(s.ConfigInScope(subject), f, v, s.Versions(subject, Undeleted))
		if err != nil {
			return nil, nil, err
		}
		if len(reasons) > 0 {
			return nil, nil, errorf(Incompatible, "Schema being registered is incompatible with an earlier schema for subject \"%s\", details: [%s]", subject, strings.Join(reasons, ", "))
		}
	}
	if v.Version, err = s.number(subject, r.Version, imports); err != nil {
		return nil, nil, err
	}
	if v.ID, err = s.identify(v, id); err != nil {
		return nil, nil, err
	}
	return v, s.write(v), nil
}

// inherit fills in what a request leaves out from the latest version.
func (s *State) inherit(subject string, r Request) Request {
	before := s.latest(subject)
	if before == nil {
		return r
	}
	if strings.TrimSpace(r.Schema) == "" {
		r.Schema, r.Type, r.References = before.Schema, before.Type, before.References
	}
	if r.Metadata == nil {
		r.Metadata = before.Metadata
	}
	if r.RuleSet == nil {
		r.RuleSet = before.RuleSet
	}
	return r
}

// accept parses a request and brings it into the form in which it is stored.
func (s *State) accept(subject string, r Request, isNew, validate bool) (*Version, format, error) {
	v := s.given(subject, r)
	if strings.TrimSpace(v.Schema) == "" {
		return nil, nil, errorf(InvalidSchema, "Empty schema")
	}
	c, err := s.checkOf(v, !isNew)
	if err != nil {
		return nil, nil, err
	}
	f, err := c.read()
	if err != nil {
		return nil, nil, err
	}
	if validate {
		if err := c.validate(); err != nil {
			return nil, nil, errorf(InvalidSchema, "Invalid schema of type %s, details: %v", v.Type, err)
		}
	}
	v = s.given(subject, r) // what was checked is shared
	// What is imported stays as it is.
	if (r.Normalize || s.ConfigInScope(subject).Normalize()) && (validate || !isNew) {
		slices.SortFunc(v.References, func(a, b Reference) int { return strings.Compare(a.Name, b.Name) })
		v.Schema = f.Normalized()
		refs, err := s.resolve(v, !isNew)
		if err != nil {
			return nil, nil, err
		}
		if f, err = parsed(v, refs, s.limits.Limits); err != nil {
			return nil, nil, err
		}
	}
	v.Schema = f.Canonical()
	v.hash = v.sum()
	return v, f, nil
}

// known is the id that the schema has in its context, 0 without.
func (s *State) known(v *Version) int {
	context, _ := Split(v.Subject)
	c := s.contexts[context]
	if c == nil {
		return 0
	}
	if id := c.byHash[v.hash]; len(c.byID[id]) > 0 {
		return id
	}
	return 0
}

// equal finds a version of the subject that says the same: the same text, or for Avro the same with
// the types of other schemas written out, as its serializers send it.
func (s *State) equal(v *Version, f format, id int, deleted bool) *Version {
	all := s.Versions(v.Subject, Undeleted)
	if deleted {
		all = s.Versions(v.Subject, All)
	}
	for _, old := range slices.Backward(all) {
		if old.hash == v.hash && (id == 0 || old.ID == id) {
			return old
		}
	}
	for _, old := range slices.Backward(all) {
		if id > 0 && old.ID != id || old.Type != v.Type || !sameMeta(old, v) {
			continue
		}
		if old.Schema == v.Schema && slices.EqualFunc(old.References, v.References, func(a, b Reference) bool {
			return a.Name == b.Name && a.Version == b.Version && Qualify(v.Subject, a.Subject) == Qualify(v.Subject, b.Subject)
		}) {
			return old
		}
		if len(v.References) > 0 || len(old.References) == 0 {
			continue
		}
		if parsed, err := s.parse(old); err == nil {
			if full, ok := parsed.(*avro.Schema); ok && full.Resolved() == f.Canonical() {
				return old
			}
		}
	}
	return nil
}

func sameMeta(a, b *Version) bool {
	x, y := Version{Metadata: a.Metadata, RuleSet: a.RuleSet}, Version{Metadata: b.Metadata, RuleSet: b.RuleSet}
	return x.sum() == y.sum()
}

// number is the version of a new schema.
func (s *State) number(subject string, given int, imports bool) (int, error) {
	next := 1
	for version := range s.subjects[subject] {
		next = max(next, version+1)
	}
	switch {
	case given <= 0:
		return next, nil
	case given != next && !imports:
		return 0, errorf(InvalidSchema, "Version is not one more than previous version")
	}
	return given, nil
}

// identify is the id of a new version: given, or the next one of the context.
func (s *State) identify(v *Version, id int) (int, error) {
	if id > 0 {
		if other := s.AnyWithID(v.Subject, id); other != nil && other.hash != v.hash {
			return 0, errorf(NotPermitted, "Overwrite new schema with id %d in context %s is not permitted.", id, contextOf(v.Subject))
		}
		return id, nil
	}
	if s.HighestID(v.Subject) >= math.MaxInt32 {
		return 0, errorf(StoreFailed, "There are no ids left in the context %s", contextOf(v.Subject))
	}
	return s.HighestID(v.Subject) + 1, nil
}

// write makes the records of a new version. Versions before it that are deleted and have its id make
// way, unless others refer to them.
func (s *State) write(v *Version) []Record {
	var records []Record
	context, _ := Split(v.Subject)
	if context != DefaultContext && !s.named[context] {
		records = append(records, Record{
			marshal(recordKey{Type: keyContext, Tenant: defaultTenant, Context: context}), marshal(contextValue{defaultTenant, context}),
		})
	}
	for _, old := range s.Versions(v.Subject, DeletedOnly) {
		if old.ID == v.ID && old.Version < v.Version && len(s.referring(old, true)) == 0 {
			records = append(records, remove(old))
		}
	}
	return s.finish(append(records, put(v)))
}

// Lookup finds the version of a subject that has a schema, in the subject's context or, for subjects
// without one, in the others.
func (s *State) Lookup(subject string, r Request, deleted bool) (*Version, error) {
	context, name := Split(subject)
	contexts := []string{context}
	if context == DefaultContext {
		contexts = s.Contexts()
	}
	for i, c := range contexts {
		v, err := s.lookup(Join(c, name), r, deleted)
		if err != nil && i == 0 {
			return nil, err
		}
		if v != nil {
			return v, nil
		}
	}
	if !s.hasSubject(subject, deleted) {
		return nil, subjectNotFound(subject)
	}
	return nil, errorf(SchemaNotFound, "Schema not found")
}

func (s *State) lookup(subject string, r Request, deleted bool) (*Version, error) {
	v, f, err := s.accept(subject, r, false, false)
	if err != nil {
		return nil, err
	}
	if found := s.equal(v, f, 0, deleted); found != nil {
		return found, nil
	}
	if filled := s.inherit(subject, r); filled.Metadata != r.Metadata || len(filled.RuleSet) != len(r.RuleSet) {
		v.Metadata, v.RuleSet = filled.Metadata, filled.RuleSet
		v.hash = v.sum()
		return s.equal(v, f, 0, deleted), nil
	}
	return nil, nil
}

// Compatible returns why a schema cannot become the next version, or is not compatible with one
// version: nothing where it is. Reasons are also what is wrong with the schema itself, as
// *Error.
func (s *State) Compatible(subject string, r Request, version int) ([]string, error) {
	versions := s.Versions(subject, Undeleted)
	if version != 0 {
		v, err := s.Version(subject, version, false)
		switch {
		case err == nil:
			versions = []*Version{v}
		case version != Latest:
			return nil, versionNotFound(version)
		}
	}
	v, f, err := s.accept(subject, r, true, true)
	if err != nil {
		return nil, err
	}
	return s.check(s.ConfigInScope(subject), f, v, versions)
}
