package core

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
	"github.com/pabal-dev/pabal/kafka/registry/internal/jsonschema"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Types are the types of schemas that can be registered.
var Types = []string{JSON, Avro}

// format is a parsed schema of one of the types.
type format interface {
	// Canonical is the text that is stored.
	Canonical() string
	Normalized() string
	// Validate reports what a new schema must not have.
	Validate() error
}

// resolved is a schema that another refers to.
type resolved struct {
	name   string
	schema *Version
}

func parseFormat(kind, text string, refs []resolved, limits tree.Limits) (format, error) {
	switch kind {
	case Avro:
		texts := make([]string, len(refs))
		for i, r := range refs {
			texts[i] = r.schema.Schema
		}
		return avro.Parse(text, texts, limits)
	case JSON:
		docs := make([]jsonschema.Reference, len(refs))
		for i, r := range refs {
			docs[i] = jsonschema.Reference{Name: r.name, Text: r.schema.Schema}
		}
		return jsonschema.Parse(text, docs, limits)
	case "PROTOBUF":
		return nil, errors.New("this registry has no PROTOBUF schemas; its types are AVRO and JSON")
	}
	return nil, errors.New("its types are AVRO and JSON")
}

// parse reads the schema of a version that is there.
func (s *State) parse(v *Version) (format, error) {
	v.parse.Do(func() {
		var refs []resolved
		if refs, v.failed = s.resolve(v, true); v.failed == nil {
			v.parsed, v.failed = parsed(v, refs, tree.Limits{})
		}
	})
	return v.parsed, v.failed
}

func parsed(v *Version, refs []resolved, limits tree.Limits) (format, error) {
	f, err := parseFormat(v.Type, v.Schema, refs, limits)
	if errors.Is(err, tree.ErrLimit) {
		return nil, errorf(SchemaTooLarge, "Invalid schema of type %s, details: %v", v.Type, err)
	}
	if err != nil {
		return nil, errorf(InvalidSchema, "Invalid schema of type %s, details: %v", v.Type, err)
	}
	return f, nil
}

// resolve returns the schemas that one refers to, each behind those that it refers to.
func (s *State) resolve(v *Version, deleted bool) ([]resolved, error) {
	w := &walk{state: s, deleted: deleted, seen: map[place]bool{}}
	err := w.of(v, 0)
	return w.out, err
}

type walk struct {
	state   *State
	deleted bool // such schemas may be referred to
	seen    map[place]bool
	out     []resolved
}

func (w *walk) of(v *Version, depth int) error {
	for _, r := range v.References {
		at := place{Qualify(v.Subject, r.Subject), r.Version}
		if w.seen[at] {
			continue
		}
		w.seen[at] = true
		if len(w.seen) > w.state.limits.References || depth >= w.state.limits.Depth {
			return errorf(SchemaTooLarge, "The schema is too large: it refers to more than %d others, or over more than %d of them", w.state.limits.References, w.state.limits.Depth)
		}
		target := w.state.subjects[at.subject][at.version]
		if target == nil || target.Deleted && !w.deleted {
			return errorf(InvalidSchema, "No schema reference found for subject \"%s\" and version %d", r.Subject, r.Version)
		}
		if err := w.of(target, depth+1); err != nil {
			return err
		}
		w.out = append(w.out, resolved{r.Name, target})
	}
	return nil
}

// check returns why a schema is incompatible with versions, in ascending order, as the configuration
// wants them compared.
func (s *State) check(c Config, f format, v *Version, versions []*Version) ([]string, error) {
	level := c.Level()
	if group := c.text(groupName); group != "" {
		versions = slices.DeleteFunc(slices.Clone(versions), func(old *Version) bool { return old.property(group) != v.property(group) })
	}
	if len(versions) == 0 || level == None {
		return nil, nil
	}
	if level == Backward || level == Forward || level == Full {
		versions = versions[len(versions)-1:]
	}
	for _, old := range slices.Backward(versions) {
		reasons, err := s.compare(c, level, f, v.Type, old)
		if err != nil {
			return nil, err
		}
		if len(reasons) > 0 {
			return append(reasons, fmt.Sprintf("{validateFields: 'false', compatibility: '%s'}", level)), nil
		}
	}
	return nil, nil
}

func (v *Version) property(name string) string {
	if v.Metadata == nil {
		return ""
	}
	return v.Metadata.Properties[name]
}

func (s *State) compare(c Config, level string, f format, kind string, old *Version) ([]string, error) {
	if old.Type != kind {
		return []string{"Incompatible because of different schema type"}, nil
	}
	before, err := s.parse(old)
	if err != nil {
		return nil, err
	}
	var reasons []string
	if level != Backward && level != BackwardTransitive {
		reasons = append(reasons, unreadable(before, f, "old", "new", c.lenient())...)
	}
	if level != Forward && level != ForwardTransitive {
		reasons = append(reasons, unreadable(f, before, "new", "old", c.lenient())...)
	}
	if len(reasons) == 0 {
		return nil, nil
	}
	text := old.Schema
	if len(text) > shownSchema {
		text = "<truncated> " + text[:shownSchema] + "..."
	}
	return append(reasons, fmt.Sprintf("{oldSchemaVersion: %d}", old.Version), "{oldSchema: '"+text+"'}"), nil
}

// shownSchema is how much of a schema a message shows, in bytes.
const shownSchema = 10 << 10

// unreadable returns why one schema does not read another's data.
func unreadable(reader, writer format, readerName, writerName string, lenient bool) []string {
	var out []string
	left := 0
	tell := func(text func(string, string) string) {
		if len(out) < shownReasons {
			out = append(out, text(readerName, writerName))
		} else {
			left++
		}
	}
	switch r := reader.(type) {
	case *avro.Schema:
		for _, d := range avro.Compare(r, writer.(*avro.Schema)) {
			tell(d.Error)
		}
	case *jsonschema.Schema:
		for _, d := range jsonschema.Compare(writer.(*jsonschema.Schema), r, lenient) {
			tell(d.Error)
		}
	}
	if left > 0 {
		out = append(out, fmt.Sprintf("and %d more", left))
	}
	return out
}

// shownReasons is how many differences a message names.
const shownReasons = 100
